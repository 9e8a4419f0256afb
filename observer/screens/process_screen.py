"""One process: everything the node knows of it, laid out for reading."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from observer.drawing.columns import STATUS
from observer.drawing.frames import folded, note_of_folded, spans_of
from observer.drawing.process_facts import Fact, facts, failure, more_facts, sender_spans, supervision
from observer.model.observed_node import ObservedNode
from observer.model.past_lives import PastLife, past_lives
from observer.model.row_history import RowHistory
from observer.model.targets import Target, target_of
from observer.output.waits import sentence
from observer.screens.acting import Acting
from observer.screens.event_dialog import EventDialog
from observer.screens.going import OpenNode
from observer.text import tones, units
from observer.text.parts import part_text
from observer.text.safe_text import lines, safe
from observer.widgets.choices import Choices
from observer.widgets.event_list import EventList
from observer.widgets.hanging_lines import HangingLines
from observer.widgets.key_bar import MORE
from observer.widgets.life_charts import LifeCharts
from observer.widgets.line_list import LineList
from observer.widgets.past_lives import PastLives
from observer.widgets.scroll import Scroll
from runtime.introspection import wire

MESSAGES = 20
"""How many messages of the mailbox are shown."""

CHILDREN = 60
"""How many children of a supervisor are shown."""

RECALLED = 500
"""How many events of its place the node is asked for: more than were seen since the observer is there."""

RELATED = "Related (enter goes there)"

UNRELATED = "Related: no link, monitor or supervisor"

ASKED_STATE = "State, asked for by a message at each look (i stops)"

INSIDES = {"stack": "Stack", "messages": "Mailbox", "state": "State", "dict": "Dictionary"}
"""What is shown of a process's insides, with titles."""


class ProcessScreen(Acting):
    """A process in its place: when it is restarted, the screen goes on with the new one."""

    CSS_PATH = ["view_screen.tcss", "process_screen.tcss"]
    VIEW = "Process"
    BINDINGS = [
        Binding("escape", "back", "Back", id="back", key_display="esc"),
        Binding(
            "a",
            "all_frames",
            "All frames",
            id="process-frames",
            group=MORE,
            tooltip="Show the runtime's frames too, or no longer",
        ),
        Binding("tab", "app.focus_next", "Next part", id="next-part", key_display="tab", tooltip="Go to the next part"),
        Binding(
            "i", "state", "State", id="state", tooltip="Ask the process for its state at each look, or stop asking"
        ),
    ]

    def __init__(
        self, observed: ObservedNode, pid: str | None, key: str | None = None, row: wire.Row | None = None
    ) -> None:
        """Show that process, or the one in the place `key`; `row` is what is known of it already."""
        super().__init__(observed)
        self._pid = pid
        self._key = key
        self.facts = HangingLines(id="facts", classes="framed")
        self.charts = LifeCharts(id="charts")
        self.relations = Choices(id="relations", classes="framed", markup=False)
        self.parts = {name: Static(id=name, classes="framed") for name in INSIDES}
        self.past = PastLives(id="past")
        self.log_list = EventList("Nothing has happened here yet.")
        self._recalled: tuple[wire.Event, ...] | None = None
        self._row = row
        self._details: wire.Details | None = None
        self._wait: wire.Wait | None = None
        self._first_parts: dict[tuple[str | None, str], wire.Part] = {}
        """What was large in the state of a process when it was first seen to be."""
        self._gone = False
        self._all_frames = False
        self._with_state = True
        self._state_known = False
        self._related: list[wire.Related] = []
        self._children: Sequence[wire.Row] = ()

    def compose_body(self) -> ComposeResult:
        """Lay out facts and relations on one side, what the process holds on the other, and its events below."""
        # Where both columns stand below each other, the keys that scroll pass to what holds them.
        with Scroll(id="columns", can_focus=False):
            with Scroll(id="outside"):
                yield self.facts
                yield self.charts
                yield self.relations
            with Scroll(id="inside"):
                yield self.past.add_class("framed")
                yield from self.parts.values()
        yield self.log_list.add_class("framed")

    def on_mount(self) -> None:
        """Show what is known of it already."""
        super().on_mount()
        self.facts.border_title = "Process"
        self.relations.border_title = RELATED
        self.log_list.border_title = "Events of this place"
        for name, title in INSIDES.items():
            self.parts[name].border_title = title
        self.focus_home()
        self.show_events()
        self._show()

    def focus_home(self) -> None:
        """Focus the related processes, and leave the top in sight."""
        self.relations.focus(scroll_visible=False)

    def targets(self) -> Sequence[Target]:
        """Return the process that is shown, also before the node has told anything about it."""
        if self._row is None and self._pid is not None and not self._gone:
            return (Target(self._pid, self._pid, self._key or self._pid),)
        return () if self._gone else target_of(self._row)

    def no_target(self) -> str:
        """Return why there is no process to act on, in a sentence."""
        return f"This {self._word()} has ended: nothing can be done to it." if self._gone else self._not_yet()

    def no_child(self) -> str:
        """Return why there is no supervisor's child to act on, in a sentence."""
        return self._not_yet() if self._row is None else f"This {self._word()} is no child of a supervisor."

    def _not_yet(self) -> str:
        if self._row is None:
            return "The node has not told yet which process this is: try again."
        return "There is no process in this place now."

    def row_in_hand(self) -> wire.Row | None:
        """Return the row of the place that is shown."""
        return self._row

    def to_copy(self) -> tuple[str, str] | None:
        """Return the stack; of a process without one its pid."""
        if self._details is not None and self._details.current_stacktrace:
            frames = _stack(self._details.current_stacktrace, all_frames=True)
            return "the stack", "\n".join(content.plain for content in frames)
        return (self._pid, self._pid) if self._pid else None

    def questions(self) -> Sequence[wire.Query]:
        """Ask for all about the process that stands in this place now."""
        asked: list[wire.Query] = []
        if self._key is not None:
            asked.append(wire.GetPlaces(keys=(self._key,)))
            if self._recalled is None:
                asked.append(wire.GetEvents(after=-1, limit=RECALLED, key=self._key))
        if self._pid is not None:
            # A busy server makes the node wait for its state: what is known without it is shown before.
            known = self._details is not None and self._details.row.pid == self._pid
            supervisor = self._row is not None and self._row.kind == "supervisor"
            asks = self._with_state and known and not supervisor
            asked.append(wire.GetProcess(pid=self._pid, messages=MESSAGES, state=asks))
            asked.append(wire.GetWaits(pid=self._pid))
            if supervisor and self._key is not None:
                asked.append(wire.GetTree(root=self._key, unfolded=(self._key,), fold_over=0, limit=CHILDREN + 1))
        return asked or [wire.GetStats()]

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take the row of the place, the details of its process, or that it is gone."""
        if self.observed.frozen and self._details is not None:
            return
        match query, answer:
            case wire.GetPlaces(keys=keys), wire.Window(rows=rows) if rows and keys == (self._key,):
                self._row = rows[0]
                if rows[0].pid not in (None, self._pid):
                    self._pid, self._wait = rows[0].pid, None
                    self.observed.poller.soon()
            case wire.GetProcess(pid=pid, state=asked), wire.Details() if pid == self._pid:
                self._details, self._row, self._gone = answer, answer.row, False
                self._key = answer.row.key
                self._state_known = asked or not self._with_state or answer.row.kind == "supervisor"
                if not self._state_known:
                    self.observed.poller.soon()
            case wire.GetWaits(pid=pid), wire.Waits(waits=waits) if pid == self._pid:
                self._wait = waits[0] if waits else None
            case wire.GetTree(root=key), wire.Window(rows=rows) if key == self._key:
                self._children = [row for row in rows if row.depth == 1]
            case wire.GetProcess(pid=pid), wire.Failed(kind="noproc") if pid == self._pid:
                self._gone = True
            case wire.GetEvents(key=key), wire.Events(events=events) if key == self._key:
                self._recalled = events
                self.show_events()
        self._show()

    def tell_anew(self) -> None:
        """List the events of another moment."""
        self._recalled = None
        self.show_events()

    def take_events(self, fresh: Sequence[wire.Event]) -> None:
        """Add what happened here."""
        if fresh:
            self.show_events()

    def show_events(self) -> None:
        """Show the events of this place, oldest first, and the lives that ended in it."""
        seen = {event.id: event for event in self._recalled or ()}
        seen |= {event.id: event for event in self.observed.record.events.about(self._key, self._pid)}
        events = [seen[number] for number in sorted(seen)]
        self.log_list.replace(events)
        self.past.replace(past_lives(events, self._key))

    def _show(self) -> None:
        row, record = self._row, self.observed.record
        if row is None:
            told = (f"This {self._word()} has ended.", tones.WARN) if self._gone else ("Asked for …", tones.MUTED)
            self.facts.lines = [(Content(""), Content.assemble(told))]
            return
        plain = row.kind == "greenlet"
        self.set_class(plain, "-greenlet")
        self.facts.border_title = "Greenlet" if plain else "Process"
        history = record.rows.get(row.key)
        self.facts.lines = self._facts(row, history)
        self.charts.show(history)
        if self._details is not None:
            self._show_inside(self._details)
            self._show_relations(self._details)

    def _word(self) -> str:
        return "greenlet" if self._pid is not None and self._pid.startswith("g") else "process"

    def _facts(self, row: wire.Row, history: RowHistory | None) -> list[tuple[Content, Content]]:
        known = facts(row, None, history, self.observed.record.time)
        if self._details is not None:
            if self._details.parts:  # the state itself may be out of sight, where there is little room
                memory = next((index for index, (label, _) in enumerate(known) if label == "Memory"), len(known) - 1)
                known.insert(memory + 1, ("Largest", [(self._part_text(self._details.parts[0]), tones.TEXT)]))
            known += more_facts(self._details)
        crash = self.observed.record.events.last_crash_below(row.key) if row.kind == "supervisor" else None
        if crash is not None:
            known.insert(2, failure(crash))
        if self._wait is not None and self._wait.kind != "message" and not self._gone:
            known.insert(2, _waits_for(self._wait))
        shown = [(Content.styled(label.ljust(11), tones.MUTED), Content.assemble(*spans)) for label, spans in known]
        if self._gone:
            told = f"■ This {self._word()} has ended. What you see is the last that was known."
            shown.insert(0, (Content(""), Content.styled(told, tones.WARN)))
        return shown

    def _show_inside(self, details: wire.Details) -> None:
        stack = _stack(details.current_stacktrace, self._all_frames)
        self._fill("stack", stack, "No frames: a process without work has no stack of its own.")
        messages = [
            Content.assemble((f"{number:>3} ", tones.FAINT), (safe(text), tones.TEXT))
            for number, text in enumerate(details.messages, 1)
        ]
        surplus = details.row.message_queue_len - len(messages)
        if messages and surplus > 0:
            messages.append(Content.assemble((f"    and {surplus:,} more", tones.MUTED)))
        if details.senders:
            messages = [*_senders(details), *messages]
        withheld = details.state_note if details.withheld else ""
        unfetched = safe(details.unfetched)
        self._fill("messages", messages, withheld or unfetched or "Empty: every message was received.")
        supervisor = details.row.kind == "supervisor"
        asking = self._with_state and details.state is not None
        self.parts["state"].border_title = "Children" if supervisor else ASKED_STATE if asking else INSIDES["state"]
        if self._state_known:
            state = [Content(line) for line in lines(details.state)] if details.state is not None else []
            if details.parts:
                large = [Content.assemble("  ", (self._part_text(part), tones.TEXT)) for part in details.parts]
                state = [Content.assemble(("Large in it (estimated)", tones.KEY)), *large, *state]
            if supervisor:
                state = _children(details.row, self._children)
            note = (
                "This process has no state that can be asked for."
                if self._with_state
                else "Not asked for. Press i to ask."
            )
            self._fill("state", state, details.state_note or note)
        else:
            self._fill("state", [], "Asked for …")
        entries = [
            Content.assemble((f"{safe(key)}: ", tones.KEY), (safe(value), tones.TEXT))
            for key, value in details.dictionary.items()
        ]
        self._fill("dict", entries, withheld or unfetched or "Empty.")

    def _part_text(self, part: wire.Part) -> str:
        return part_text(part, self._first_parts.setdefault((self._pid, part.name), part))

    def _fill(self, part: str, shown: Sequence[Content], empty: str) -> None:
        content = Content("\n").join(shown) if shown else Content.assemble((safe(empty), tones.MUTED))
        self.parts[part].update(content)

    def _show_relations(self, details: wire.Details) -> None:
        groups = (
            ("waits for", [details.waiting_for] if details.waiting_for else []),
            ("parent", [details.parent] if details.parent else []),
            ("supervisor", details.ancestors[:1] if details.row.supervisor else ()),
            ("ancestor", details.ancestors[1:] if details.row.supervisor else details.ancestors),
            ("link", details.links),
            ("monitors", details.monitors),
            ("monitored by", details.monitored_by),
        )
        related = [(label, process) for label, processes in groups for process in processes]
        processes = [process for _, process in related]
        self.relations.border_title = RELATED if processes else UNRELATED
        if processes == self._related:
            return
        self._related = processes
        options = self.relations
        chosen = options.highlighted
        with options.prevent(OptionList.OptionHighlighted):  # it was not the user who moved it
            options.set_options(
                Option(
                    Content.assemble(
                        (f"{label:<13}", tones.MUTED),
                        (safe(process.name), tones.TEXT),
                        (f" {process.pid}", tones.FAINT),
                    )
                )
                for label, process in related
            )
            if processes:
                options.highlighted = min(chosen or 0, len(processes) - 1)

    @on(OptionList.OptionHighlighted, "#relations")
    def _keep_in_sight(self) -> None:
        """Scroll to the related process that was gone to: where there is little room, they stand below what is seen."""
        self.relations.scroll_visible(animate=False)

    @on(OptionList.OptionSelected, "#relations")
    def _go_to(self, event: OptionList.OptionSelected) -> None:
        related = self._related[event.option_index]
        if related.node:
            self.post_message(OpenNode(related.node, related.pid_there))
        else:
            self.app.push_screen(ProcessScreen(self.observed, related.pid))

    @on(LineList.Opened)
    def _event_opened(self, message: LineList.Opened) -> None:
        event = message.item.exit if isinstance(message.item, PastLife) else message.item
        if isinstance(event, wire.Event):
            self.app.push_screen(EventDialog(self.observed.record.events, event))

    def action_all_frames(self) -> None:
        """Show the runtime's frames too, or no longer."""
        self._all_frames = not self._all_frames
        if self._details is not None:
            self._show_inside(self._details)

    def action_state(self) -> None:
        """Ask for the state or no longer ask for it."""
        self._with_state = not self._with_state
        self.observed.poller.soon()


def _waits_for(wait: wire.Wait) -> Fact:
    """Return what it waits for, to the end of the chain."""
    return ("Waits for", [("⧗ ", tones.WARN), (sentence(wait), tones.BAD if wait.cycle else tones.TEXT)])


def _stack(stack: Sequence[wire.Frame], all_frames: bool) -> list[Content]:
    """Return the lines of a stack, innermost frame first; without `all_frames` the program's own frames."""
    frames, others = (list(reversed(stack)), 0) if all_frames else folded(stack)
    lines = [Content.assemble(*line) for frame in frames for line in spans_of(frame)]
    return [*lines, Content.assemble(note_of_folded(others))] if others else lines


def _senders(details: wire.Details) -> list[Content]:
    """Return who sends to this process, one sender a line, the fastest first."""
    lines = [Content.assemble(("Sent by (a second, sampled)", tones.KEY))]
    lines += [Content.assemble("  ", *sender_spans(sender)) for sender in details.senders]
    if details.more_senders:
        lines.append(Content.assemble((f"  and {details.more_senders} more", tones.MUTED)))
    return lines


def _children(row: wire.Row, children: Sequence[wire.Row]) -> list[Content]:
    """Return what a supervisor's state comes to: its strategy and budget, then its children, one a line."""
    shown = [Content.assemble(*supervision(row)[1])]
    for child in children:
        sign, word, _, tone = STATUS[child.status]
        name = child.name or child.child_id or "?"
        spans = [(f"{sign} ", tone), (safe(name), tones.TEXT), (f"  {child.pid or word}", tones.MUTED)]
        if child.restarts:
            spans.append((f"  ↻ {units.count(child.restarts)}", tones.WARN))
        shown.append(Content.assemble(*spans))
    if row.child_count > len(children):
        shown.append(Content.assemble((f"and {units.count(row.child_count - len(children))} more", tones.MUTED)))
    return shown

"""The dashboard: wires the watch of one node to the screens."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from textual import events, work
from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from observer import themes
from observer.clock import Clock, of_day
from observer.model.observed_node import ObservedNode
from observer.model.poller import Looked, Lost, Met, News, Silent
from observer.model.settings import DEFAULT_THEME, Settings
from observer.node.recorded.seen import RewindableNode
from observer.node.source import Source
from observer.patches.driver import TerminalDriver
from observer.patches.stylesheet import KeptStylesheet
from observer.patches.svg import portable
from observer.screens.acting import Acting
from observer.screens.chaos_screen import ChaosScreen
from observer.screens.choose_export import ChooseExport
from observer.screens.cluster_screen import ClusterScreen
from observer.screens.console_screen import ConsoleScreen
from observer.screens.dialog import QUESTION
from observer.screens.events_screen import EventsScreen
from observer.screens.going import GoingApp
from observer.screens.help_screen import HelpScreen
from observer.screens.names_screen import NamesScreen
from observer.screens.node_chaos_screen import NodeChaosScreen
from observer.screens.node_screen import NodeScreen
from observer.screens.orders_screen import OrdersScreen
from observer.screens.output_screen import OutputScreen
from observer.screens.process_screen import ProcessScreen
from observer.screens.processes_screen import ProcessesScreen
from observer.screens.rewinding import RewindingApp
from observer.screens.rows_screen import RowsScreen
from observer.screens.trace_screen import TraceScreen
from observer.screens.tree_screen import TreeScreen
from observer.screens.view_screen import ViewScreen
from observer.widgets.finding_line import FindingLine
from observer.widgets.key_bar import MORE
from observer.widgets.line_list import LineList
from observer.widgets.process_table import ProcessTable
from observer.widgets.sequence_view import SequenceView
from runtime.introspection import wire

VIEWS: dict[str, type[ViewScreen]] = {
    "tree": TreeScreen,
    "processes": ProcessesScreen,
    "events": EventsScreen,
    "node": NodeScreen,
    "names": NamesScreen,
    "cluster": ClusterScreen,
}
"""The views by the names of their modes."""

CONSOLE = "console"
"""The name of the one console's screen, which is kept when it is left."""

PATIENCE = 0.5
"""Seconds that a typed character may take to arrive before the next key is looked at all the same."""


def binding_ids() -> set[str]:
    """Return the ids of all actions, which the settings can bind other keys to."""
    known: set[str] = set()
    classes: list[type[DOMNode]] = [
        ObserverApp,
        ProcessScreen,
        ChaosScreen,
        ConsoleScreen,
        TraceScreen,
        SequenceView,
        ProcessTable,
        LineList,
        FindingLine,
        *VIEWS.values(),
    ]
    for each in classes:
        for base in each.__mro__:
            bindings = vars(base).get("BINDINGS", ())
            known |= {binding.id for binding in bindings if isinstance(binding, Binding) and binding.id}
    return known


class ObserverApp(RewindingApp, GoingApp):
    """The dashboard of one node. It ends when the user quits; losing the node does not end it."""

    TITLE = "observer"
    COMMAND_PALETTE_DISPLAY = "^p"
    BINDINGS = [
        Binding(
            "space",
            "freeze",
            "Freeze",
            key_display="␣",
            id="freeze",
            group=MORE,
            tooltip="Hold the display still, or let it go on",
        ),
        Binding("question_mark", "help", "Help", key_display="?", id="help", tooltip="Keys and meanings"),
        Binding("c", "chaos", "Chaos", id="chaos", group=MORE, tooltip="Kill at a rate and see what comes back"),
        Binding("w", "write", "Write", id="write", group=MORE, tooltip="Write what is shown to a file"),
        Binding("O", "output", "Output", id="output", group=MORE, tooltip="What the program writes"),
        Binding("1", "view('tree')", "Tree", show=False, id="view-tree"),
        Binding("2", "view('processes')", "Processes", show=False, id="view-processes"),
        Binding("3", "process", "Process", show=False, id="view-process"),
        Binding("4", "view('events')", "Events", show=False, id="view-events"),
        Binding("5", "view('node')", "Node", show=False, id="view-node"),
        Binding("6", "view('names')", "Names and timers", show=False, id="view-names"),
        Binding("7", "view('cluster')", "Cluster", show=False, id="view-cluster", tooltip="The other nodes"),
        Binding("8", "console", "Console", show=False, id="view-console", tooltip="Evaluate Python in the node"),
        Binding("q", "quit", "Quit", id="quit", tooltip="Leave the observer"),
        Binding("colon", "command_palette", "Commands", show=False, key_display=":", id="commands"),
        Binding(
            "ctrl+z",
            "suspend_process",
            "To the shell",
            show=False,
            priority=True,
            id="to-shell",
            key_display="^z",
            tooltip="Stop the observer and go to the shell; fg comes back",
        ),
    ]

    def __init__(
        self,
        source: Source,
        settings: Settings | None = None,
        clock: Clock | None = None,
        view: str = "tree",
        pid: str = "",
    ) -> None:
        super().__init__(driver_class=TerminalDriver)
        self._first_view, self._first_pid = view, pid
        self.observed = ObservedNode(source, settings, clock)
        self.observed.report_to(self._questions, self.take)
        # Before the app runs, so that the styles are worked out once and for the right theme.
        for theme in themes.ALL:
            self.register_theme(theme)
        wanted = self.observed.settings.theme
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())

    def on_mount(self) -> None:
        """Apply the user's keys, show the first view, and start asking the node."""
        if (wanted := self.observed.settings.theme) != self.theme:
            self.notify(f"There is no theme called {wanted!r}.", severity="warning", markup=False)
        self._remap(self.observed.settings.keys)
        for name, view in VIEWS.items():
            self.add_mode(name, partial(view, self.observed))
        self.observed.show(self.observed.shown)
        self.switch_mode(self._first_view)
        if self._first_pid:
            self.call_after_refresh(self.push_screen, ProcessScreen(self.observed, self._first_pid))
        self.run_worker(self.observed.poller.run(), name="poller", exit_on_error=True)
        if isinstance(self.observed.source, RewindableNode):
            self.run_worker(self.observed.source.remember(), name="memory", exit_on_error=True)
        # The objects made until now stay to the end. Walking it for garbage would make a frame late now and then.
        self.call_after_refresh(gc.freeze)

    def _remap(self, keys: dict[str, str]) -> None:
        """Apply the user's keys, and tell which of them belong to no action."""
        unknown = sorted(set(keys) - binding_ids())
        if unknown:
            named = ", ".join(unknown)
            self.notify(
                f"There is no action: {named}. The settings give it a key. Help (?) lists the actions.",
                markup=False,
            )
        self.set_keymap(keys)

    async def on_unmount(self) -> None:
        """Close the connection."""
        await self.observed.source.close()
        gc.unfreeze()

    # -- Data ---------------------------------------------------------------------------------------------------

    @property
    def view(self) -> ViewScreen | None:
        """The view in front, behind any dialog; None before the first."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, ViewScreen)), None)

    def _questions(self) -> Sequence[wire.Query]:
        view = self.view
        return [] if view is None or not view.is_mounted else view.questions()

    def take(self, news: News) -> None:
        """Take news of the node and pass it to the screen it is for."""
        observed, view = self.observed, self.view
        match news:
            case Looked():
                if view is not None and view.is_mounted:
                    view.looked(news)
                return
            case Met():
                observed.reachability = observed.reachability.met()
            case Silent(seconds=seconds):
                observed.reachability = observed.reachability.silent(seconds)
            case Lost(why=why, remnants=remnants, fresh=fresh):
                child, now = observed.source.child(), observed.clock.now()
                observed.reachability = observed.reachability.lost(now, why, child, remnants)
                if fresh and view is not None and view.is_mounted:
                    view.take_events(fresh)
        if view is not None and view.is_mounted:
            view.show_reachability()

    # -- Keys ---------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Carry a key out before the next one is looked at, so that what is typed fast goes where it belongs.

        By itself Textual first hands a key to the part that has the focus, and runs its action only when it comes back
        from there: of ``/abc`` in one go the filter's line would get the end.
        """
        if not isinstance(event, events.Key) or event.is_forwarded or self.screen.maximized is not None:
            await super().on_event(event)
            return
        part = self.focused
        if part is not None and part.check_consume_key(event.key, event.character):
            await super().on_event(event)
            await _taken(part)
        elif not await self._act_on(event.key):
            await super().on_event(event)

    async def _act_on(self, key: str) -> bool:
        screen, part, under_way = self.screen, self.focused, set(self.workers)
        if not (await self._check_bindings(key, priority=True) or await self._check_bindings(key)):
            return False
        if isinstance(screen, ModalScreen) and await self._is_answered(screen, part):
            # What asked goes on with the answer; the next key is for the screen that this leaves.
            screen = self.screen
            under_way = {worker for worker in under_way if worker.group != QUESTION}
        # What asks a question does so in a worker. The next key is for the question, as soon as that stands there.
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.screen is screen and any(not worker.is_finished for worker in {*self.workers} - under_way):
                    await asyncio.sleep(0.002)
        if self.screen is not screen:
            await _taken(self.screen)
        return True

    async def _is_answered(self, dialog: Screen[object], part: Widget | None) -> bool:
        """Let a key climb from the part that had the focus up to its dialog; return whether the dialog has gone."""
        for above in () if part is None else part.ancestors_with_self:
            taken = asyncio.Event()
            above.call_later(taken.set)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while self.screen is dialog and not taken.is_set():
                        await asyncio.sleep(0.001)
            if above is dialog:
                break
        return self.screen is not dialog

    async def action_view(self, name: str) -> None:
        """Go to a view. What was opened from it before is left."""
        await self.switch_mode(name)
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    def action_process(self) -> None:
        """Open the selected process of the view in front."""
        view = self.view
        if view is not None and not view.open_process() and not isinstance(view, ProcessScreen):
            self.notify("Nothing is selected that belongs to a process.", timeout=3)

    def action_suspend_process(self) -> None:
        """Go to the shell that the observer was started from. The program that is watched goes on."""
        if os.getpgrp() == os.getsid(0):
            self.notify("There is no shell to go to: the observer was not started from one.", timeout=3)
        else:
            os.kill(0, signal.SIGTSTP)  # the whole job, as the terminal does: something may wait for the observer

    def action_help_quit(self) -> None:
        """Say which key quits: Ctrl-C is what many try first."""
        for active in self.screen.active_bindings.values():
            if active.binding.id == "quit":
                self.notify(f"{self.get_key_display(active.binding)} quits.", timeout=3, markup=False)
                return
        super().action_help_quit()

    def action_freeze(self) -> None:
        """Hold the display still, or let it go on; in what is over, play it or stop."""
        if self.observed.shown is not None:
            self.pause() if self.playing else self.play()
            return
        poller = self.observed.poller
        poller.frozen = not poller.frozen
        if not poller.frozen:
            poller.soon()
        if self.view is not None:
            self.view.show_reachability()

    def action_chaos(self) -> None:
        """Open the chaos screen, for the selected subtree; in the view of the cluster, that for nodes."""
        view = self.view
        if view is self.screen and isinstance(view, ClusterScreen):
            self.push_screen(NodeChaosScreen(self.observed))
            return
        row = view.row_in_hand() if isinstance(view, Acting) else None
        if view is self.screen and not isinstance(view, OrdersScreen):
            self.push_screen(ChaosScreen(self.observed, row.key if row and row.kind == "supervisor" else ""))

    def action_trace(self) -> None:
        """Draw what the selected processes say and hear; of a supervisor, what all below it do."""
        view = self.view
        if view is self.screen and isinstance(view, Acting):
            if targets := view.targets():
                self.push_screen(TraceScreen(self.observed, targets))
            else:
                self.notify("There is no process in the selected row.", severity="warning", timeout=3)

    def action_console(self) -> None:
        """Open the console, as it was left."""
        if not self.is_screen_installed(CONSOLE):
            self.install_screen(ConsoleScreen(self.observed), CONSOLE)
        if self.screen is self.view and not isinstance(self.screen, ConsoleScreen):
            self.push_screen(CONSOLE)

    def action_output(self) -> None:
        """Show what the program writes."""
        if self.screen is self.view:
            self.push_screen(OutputScreen(self.observed.source.child))

    @work(group=QUESTION)
    async def action_write(self) -> None:
        """Ask in which form, and write what is shown to a file in the current folder."""
        view = self.view
        if view is None or self.screen is not view:
            return
        picture = portable(self.export_screenshot())
        rows_view = view if isinstance(view, RowsScreen) else None
        folder = Path.cwd()
        chosen = await self.push_screen_wait(ChooseExport(str(folder), rows_view is not None))
        if chosen is None:
            return
        cut = ""
        if isinstance(chosen, str) or rows_view is None:
            text = picture
        else:
            rows, total = await rows_view.all_rows()
            text = await asyncio.to_thread(chosen.write, rows)
            if len(rows) < total:
                cut = f": the first {len(rows):,} of {total:,} rows. A filter chooses others."
        ending = chosen if isinstance(chosen, str) else chosen.ending
        stamp = of_day(self.observed.clock.now()).replace(":", "")
        path = folder / f"observer-{self.observed.source.name.replace(' ', '-')}-{stamp}.{ending}"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self.notify(f"{path} cannot be written: {error.strerror}.", severity="error", markup=False)
        else:
            self.clear_notifications()
            self.notify(f"Written to {path}{cut}", markup=False)

    def action_help(self) -> None:
        """Show the keys of where you are, and what everything means."""
        view = self.view
        if view is None or self.screen is not view:
            return
        keys: dict[str, tuple[str, str, str]] = {}
        for active in view.active_bindings.values():
            binding = active.binding
            if binding.id and binding.description:
                shown = self.get_key_display(binding)
                known = keys.get(binding.action)
                text = binding.tooltip or binding.description
                keys[binding.action] = (f"{known[0]} {shown}" if known else shown, text, binding.id)
        self.push_screen(HelpScreen(view.VIEW, keys.values()))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Put every key's action into the command palette, before Textual's own commands."""
        seen = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.description and not binding.system and binding.action not in seen and active.enabled:
                seen.add(binding.action)
                yield SystemCommand(
                    f"{binding.description} ({self.get_key_display(binding)})",
                    binding.tooltip or binding.description,
                    lambda key=binding.key: self.simulate_key(key),
                )
        yield from super().get_system_commands(screen)


async def _taken(part: Widget) -> None:
    """Wait until a part has dealt with all that was sent to it; not for long, for it may be on its way out."""
    done = asyncio.Event()
    part.call_later(done.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), PATIENCE)

"""The other nodes of the cluster: how they are, and what can be done to one."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from observer.drawing.node_facts import facts_of
from observer.model.node_outcome import NodeOutcome
from observer.model.observed_node import ObservedNode
from observer.screens.confirm_node import ConfirmNode
from observer.screens.dialog import QUESTION
from observer.screens.going import OpenAllNodes, OpenNode
from observer.screens.view_screen import ViewScreen
from observer.text import tones
from observer.text.safe_text import safe
from observer.widgets.line_list import LineList
from observer.widgets.node_list import NodeList
from observer.widgets.scroll import Scroll
from runtime.introspection import wire

ALONE = "This node has no name, so others do not reach it: run(main, node=...) or start_distribution(name) gives one."

NONE_YET = "No other node has been connected yet."

TOLD_FOR = 8.0
"""Seconds for which a notice of what was done stands."""


class ClusterScreen(ViewScreen):
    """One line a node; below, all that is known of the selected one."""

    CSS_PATH = ["view_screen.tcss", "cluster_screen.tcss"]
    VIEW = "Cluster"
    AMONG_ALL = "The nodes as {home} knows them."
    BINDINGS = [
        Binding(
            "x",
            "node('kill')",
            "Kill",
            id="node-kill",
            tooltip="End the selected node by SIGKILL; shows the plan first",
        ),
        Binding(
            "s",
            "node('stop')",
            "Stop",
            id="node-stop",
            tooltip="Stop the selected node in order; shows the plan first",
        ),
        Binding(
            "d",
            "node('disconnect')",
            "Disconnect",
            id="node-disconnect",
            tooltip="Cut the connection to the selected node; shows the plan first",
        ),
        Binding(
            "a",
            "all_nodes",
            "All nodes",
            id="all-nodes",
            tooltip="The tree and the lists of all nodes together; esc leads back",
        ),
        Binding("n", "node('connect')", "Connect", id="node-connect", tooltip="Connect with the selected node again"),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed)
        self.nodes = NodeList(NONE_YET)
        self.facts = Static(markup=False)
        self._facts_frame = Scroll(id="facts", classes="framed")
        self._outcome: NodeOutcome | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the list above, and the selected node below."""
        yield self.nodes.add_class("framed")
        with Container(id="below"), self._facts_frame:
            yield self.facts

    def on_mount(self) -> None:
        """Start with the focus on the nodes."""
        super().on_mount()
        self.nodes.border_title = "Nodes"
        self._facts_frame.border_title = "Node"
        self.nodes.focus()
        self._explain()

    def focus_home(self) -> None:
        """Focus the nodes."""
        self.nodes.focus()

    def questions(self) -> Sequence[wire.Query]:
        """Ask for the figures for the header, and the nodes."""
        return [wire.GetStats(), wire.GetCluster()]

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Take the nodes."""
        if self.observed.frozen:
            return
        match answer:
            case wire.Cluster():
                self.nodes.now = self.observed.record.time
                self.nodes.empty = NONE_YET if answer.name else ALONE
                self.nodes.border_title = f"Nodes that {safe(answer.name)} knows" if answer.name else "Nodes"
                self.nodes.replace(answer.nodes)
                self._explain()
                self._follow(answer.nodes)
            case wire.Failed(why=why):
                self.nodes.empty = safe(why)
                self.nodes.replace(())
                self._explain()
            case _:
                pass

    def _follow(self, nodes: Sequence[wire.ClusterNode]) -> None:
        """Tell what has come of the last thing that was done, once that is known."""
        outcome = self._outcome
        told = None if outcome is None else outcome.told(nodes, self.observed.record.time)
        if outcome is not None and told is not None:
            self._outcome = None
            text = f"planned: {safe(outcome.planned)}\nhappened: {safe(told)}"
            self.notify(text, title=safe(outcome.title), timeout=TOLD_FOR, markup=False)

    @on(LineList.Selected)
    def _explain(self) -> None:
        """Show all that is known of the selected node."""
        node = self.nodes.selected
        self._facts_frame.display = node is not None
        if node is not None:
            self._facts_frame.border_title = Content(safe(node.name))
            lines = [
                Content.assemble((f"{label:<11} ", tones.MUTED), (text, tone))
                for label, text, tone in facts_of(node, self.observed.record.time)
            ]
            self.facts.update(Content("\n").join(lines))

    def to_copy(self) -> tuple[str, str] | None:
        """Return the name of the selected node."""
        return None if self.nodes.selected is None else ("the name", self.nodes.selected.name)

    def open_process(self) -> bool:
        """Open the dashboard of the selected node."""
        node = self.nodes.selected
        if node is not None:
            self.post_message(OpenNode(node.name))
        return node is not None

    def action_all_nodes(self) -> None:
        """Go to the dashboard of all nodes together."""
        self.post_message(OpenAllNodes())

    @on(LineList.Opened)
    def _opened(self) -> None:
        self.open_process()

    @work(group=QUESTION)
    async def action_node(self, action: wire.NodeAction) -> None:
        """Show what it would do, ask, and do it. Connecting needs no question."""
        node = self.nodes.selected
        if node is None:
            self.notify("No node is selected.", severity="warning", timeout=3)
            return
        if self.observed.refusal is not None:
            self.notify(safe(self.observed.refusal), title="Not done", severity="warning", timeout=4, markup=False)
            return
        plan = None
        if action != "connect":
            confirmed = await self.app.push_screen_wait(ConfirmNode(self.observed, node.name, action))
            if confirmed is None:
                return
            plan = confirmed.plan
        answer = await self.observed.order(wire.ControlNode(node=node.name, action=action))
        if isinstance(answer, wire.Done):
            self._outcome = NodeOutcome(node, action, plan, answer.sentence, self.observed.record.time)
        else:
            why = answer.why if isinstance(answer, wire.Failed) else "The node did not say what came of it."
            self.notify(safe(why), title="Not done", severity="error", markup=False)

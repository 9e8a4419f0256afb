"""Random lives of supervision trees beside a small model of the rules for restarts.

`SupervisorWorld.step` does one operation to a real tree and to the model, lets everything come to rest, and compares:
who was started and terminated, in which order and why; who runs under whom, as which incarnation; and that nobody is
left over. It must be called in a process, which becomes the tree's parent.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from runtime import (
    Exit,
    Pid,
    StartError,
    SupervisorError,
    cast,
    count_children,
    delete_child,
    exit,
    flag,
    flush,
    process_info,
    processes,
    restart_child,
    self_,
    sleep,
    start_child,
    sys,
    terminate_child,
    which_children,
)
from runtime.kernel.clock import now
from tests.support.planned_trees import PERIOD, Branch, Event, Plan, trace

Step = tuple[Event, bool, list[Event]]
"""What was done to whom, whether what came of it has one order only, and what came of it."""

REASONS = ("normal", "shutdown", ("shutdown", "x"), "boom")
STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")
AUTO_SHUTDOWNS = ("never", "never", "any_significant", "all_significant")
RESTARTS = ("permanent", "permanent", "transient", "temporary")
SIP_OF_TIME = 0.7003
"""Seconds that time passes by: no sum of these is a period, so that no restart falls on the edge of a window."""


@dataclass(eq=False)
class Node:
    """What the model knows of one child: its plan, its incarnation (None: not running), its children if it has any."""

    plan: Plan
    parent: "Node | None" = None
    number: int | None = None
    children: list["Node"] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    suspended: bool = False
    queued: list[Any] = field(default_factory=list)

    def walk(self) -> list["Node"]:
        """This node and all below it that run."""
        return [self, *(node for child in self.children for node in child.walk())] if self.number is not None else []


class SupervisorWorld:
    """A tree that random operations are done to, and the model that says what must come of it."""

    OPERATIONS = (
        *("stop", "stop", "stop", "stop", "signal", "signal", "kill", "kill", "kill_branch", "terminate", "restart"),
        *(
            "restart",
            "delete",
            "add",
            "add",
            "suspend",
            "resume",
            "resume",
            "pass_time",
            "pass_time",
            "fail",
            "fail",
            "fail",
        ),
    )

    def __init__(self, story: list[Step] | None = None) -> None:
        trace.clear()
        flag(trap_exit=True)
        self.story = story
        self.done: Event = ()
        self.names = count(1)
        self.numbers: dict[str, int] = {}
        self.failures: dict[str, int] = {}
        self.expected: list[Event] = []
        self.in_order = True
        self.root: Node | None = None
        self.strangers = set(processes())

    def step(self, operation: str, choices: Sequence[int]) -> None:
        """Do one operation; `choices` (at least three numbers) say to whom and how. Then compare."""
        self.expected.clear()
        self.in_order = True
        self.done = ("nothing",)
        trace.events.clear()
        if self.root is None:
            self.plant(choices[0])
        else:
            getattr(self, operation)(*choices[:3])
        sleep(0.001)
        self.compare()
        if self.story is not None:
            self.story.append((self.done, self.in_order, [*trace.events]))

    # --- operations: each does a thing and tells the model ----------------------------------------------------------

    def plant(self, seed: int) -> None:
        """Start a tree."""
        dice = random.Random(seed)
        plan = self.branch(dice, "permanent", self.child)
        self.done = ("plant", plan)
        Branch.start_link(plan)
        self.root = Node(plan)
        assert self.starts(self.root)

    def child(self, dice: random.Random, auto_shutdown: str) -> Plan:
        """The plan of a worker, or of a supervisor with workers."""
        plan = self.branch(dice, dice.choice(RESTARTS), self.worker)
        return plan if dice.random() < 0.3 else self.worker(dice, auto_shutdown)

    def branch(self, dice: random.Random, restart: str, child: Callable[[random.Random, str], Plan]) -> Plan:
        """The plan of a supervisor."""
        auto_shutdown = dice.choice(AUTO_SHUTDOWNS)
        children = tuple(child(dice, auto_shutdown) for _ in range(dice.randint(0, 4)))
        return Plan(
            f"s{next(self.names)}",
            restart,
            strategy=dice.choice(STRATEGIES),
            max_restarts=dice.randint(0, 4),
            auto_shutdown=auto_shutdown,
            children=children,
        )

    def worker(self, dice: random.Random, auto_shutdown: str = "never") -> Plan:
        """The plan of a worker."""
        restart = dice.choice(RESTARTS)
        significant = auto_shutdown != "never" and restart != "permanent" and dice.random() < 0.5
        return Plan(f"w{next(self.names)}", restart, dice.random() < 0.7, dice.random() < 0.2, significant)

    def stop(self, one: int, reason: int, _: int) -> None:
        """Tell a worker to stop; one that is suspended will when it is resumed."""
        node, why = self.some_worker(one), REASONS[reason % len(REASONS)]
        if node is not None:
            self.done = ("stop", node.plan.id, why)
            cast(self.pid(node), why)
            if node.suspended:
                node.queued.append(why)
            else:
                self.stops(node, why)

    def signal(self, one: int, reason: int, _: int) -> None:
        """Send a worker an exit signal from a stranger."""
        node, why = self.some_worker(one), REASONS[reason % len(REASONS)]
        if node is not None:
            self.done = ("signal", node.plan.id, why)
            exit(self.pid(node), why)
            if not node.plan.trap and why != "normal":
                self.exited(node, why)

    def kill(self, one: int, _: int, __: int) -> None:
        """Kill a worker."""
        node = self.some_worker(one)
        if node is not None:
            self.done = ("signal", node.plan.id, "kill")
            exit(self.pid(node), "kill")
            self.exited(node, "killed")

    def kill_branch(self, one: int, _: int, __: int) -> None:
        """Kill a supervisor below the root: its children die while it is restarted."""
        branches = [node for node in self.root_node.walk() if node.plan.strategy and node.parent is not None]
        if not branches:
            return
        node = branches[one % len(branches)]
        self.done = ("signal", node.plan.id, "kill")
        exit(self.pid(node), "kill")
        self.in_order = False
        for worker in node.children:
            if worker.number is not None and worker.plan.trap:
                self.expected.append(("terminate", worker.plan.id, worker.number, "killed"))
        self.exited(node, "killed")

    def terminate(self, one: int, two: int, _: int) -> None:
        """terminate_child."""
        sup, node = self.some_child(one, two)
        self.done = ("terminate", sup.plan.id, node.plan.id if node else "nobody")
        assert terminated(terminate_child, self.pid(sup), node.plan.id if node else "nobody") == (
            "ok" if node else "not_found"
        )
        if node is not None:
            self.stopped(node)
            if node.plan.restart == "temporary":
                sup.children.remove(node)

    def restart(self, one: int, two: int, _: int) -> None:
        """restart_child."""
        sup, node = self.some_child(one, two)
        self.done = ("restart", sup.plan.id, node.plan.id if node else "nobody")
        outcome = "not_found" if node is None else "ok" if node.number is None else "running"
        if node is not None and outcome == "ok" and not self.starts(node):
            outcome = "nope" if not node.plan.strategy else "shutdown"
        assert terminated(restart_child, self.pid(sup), node.plan.id if node else "nobody") == outcome

    def delete(self, one: int, two: int, _: int) -> None:
        """delete_child."""
        sup, node = self.some_child(one, two)
        self.done = ("delete", sup.plan.id, node.plan.id if node else "nobody")
        outcome = "not_found" if node is None else "ok" if node.number is None else "running"
        assert terminated(delete_child, self.pid(sup), node.plan.id if node else "nobody") == outcome
        if node is not None and outcome == "ok":
            sup.children.remove(node)

    def add(self, one: int, two: int, seed: int) -> None:
        """start_child: mostly of a new child, sometimes of one that is there."""
        sup, node = self.some_child(one, two)
        if node is not None and seed % 4 == 0:
            self.done = ("add", sup.plan.id, node.plan)
            outcome = "already_present" if node.number is None else "already_started"
            assert terminated(start_child, self.pid(sup), node.plan.spec()) == outcome
        elif len(sup.children) < 5:
            plan = self.worker(random.Random(seed))
            self.done = ("add", sup.plan.id, plan)
            assert isinstance(start_child(self.pid(sup), plan.spec()), Pid)
            sup.children.append(Node(plan, sup))
            assert self.starts(sup.children[-1])

    def fail(self, one: int, times: int, _: int) -> None:
        """Let the next starts of a worker fail."""
        node = self.some_worker(one)
        if node is not None:
            self.done = ("fail", node.plan.id, times % 4)
            trace.failures[node.plan.id] = self.failures[node.plan.id] = times % 4

    def suspend(self, one: int, _: int, __: int) -> None:
        """Suspend a worker by a system message."""
        node = self.some_worker(one)
        if node is not None:
            self.done = ("suspend", node.plan.id)
            sys.suspend(self.pid(node))
            node.suspended = True

    def resume(self, one: int, _: int, __: int) -> None:
        """Resume a suspended worker, which then does what it was told meanwhile."""
        held = [node for node in self.root_node.walk() if node.suspended]
        if held:
            node = held[one % len(held)]
            self.done = ("resume", node.plan.id)
            sys.resume(self.pid(node))
            node.suspended = False
            if node.queued:
                self.stops(node, node.queued[0])

    def pass_time(self, sips: int, _: int, __: int) -> None:
        """Let some seconds pass."""
        sleep(sips % 6 * SIP_OF_TIME)

    # --- the rules ---------------------------------------------------------------------------------------------------

    def starts(self, node: Node) -> bool:
        """What starting a child's next incarnation does: a supervisor starts the children it was planned with.

        When one fails, those started before are stopped again, the last first.
        """
        plan = node.plan
        number = self.numbers[plan.id] = self.numbers.get(plan.id, 0) + 1
        node.suspended, node.queued, node.restarts, node.children = False, [], [], []
        if self.failures.get(plan.id):
            self.failures[plan.id] -= 1
            self.expected.append(("failure", plan.id, number))
            return False
        self.expected.append(("init" if plan.strategy else "start", plan.id, number))
        node.number = number
        for child in plan.children:
            node.children.append(Node(child, node))
            if not self.starts(node.children[-1]):
                self.stopped(node)
                return False
        return True

    def stops(self, node: Node, reason: Any) -> None:
        """What a worker's own stop does."""
        self.expected.append(("terminate", node.plan.id, node.number, reason))
        self.exited(node, reason)

    def stopped(self, node: Node) -> None:
        """What its supervisor's ending a child does: a supervisor ends its own first, the last first."""
        for child in reversed(node.children):
            self.stopped(child)
        if node.number is not None and not node.plan.strategy and node.plan.trap and not node.plan.brutal:
            self.expected.append(("terminate", node.plan.id, node.number, "shutdown"))
        node.number = None
        node.children = []

    def exited(self, node: Node, reason: Any) -> None:
        """What a child's end by itself does to its supervisor."""
        node.number = None
        node.children = []
        sup = node.parent
        if sup is None:
            self.root = None
            return
        abnormal = reason not in ("normal", "shutdown") and not (isinstance(reason, tuple) and reason[0] == "shutdown")
        if node.plan.restart == "permanent" or (node.plan.restart == "transient" and abnormal):
            self.restarted(sup, node)
            return
        if node.plan.restart == "temporary":
            sup.children.remove(node)
        left = [child for child in sup.children if child.plan.significant and child.number is not None]
        if node.plan.significant and (sup.plan.auto_shutdown == "any_significant" or not left):
            self.stopped(sup)
            self.exited(sup, "shutdown")

    def restarted(self, sup: Node, node: Node) -> None:
        """What a supervisor does about a child that is to be restarted, until it runs: too often, and it gives up."""
        while True:
            sup.restarts = [*(at for at in sup.restarts if now() - at < PERIOD), now()]
            if len(sup.restarts) > sup.plan.max_restarts:
                self.stopped(sup)
                self.exited(sup, "shutdown")
                return
            at = sup.children.index(node)
            first = {"one_for_one": at, "rest_for_one": at, "one_for_all": 0}[sup.plan.strategy]
            group = [node] if sup.plan.strategy == "one_for_one" else sup.children[first:]
            for other in reversed(group):
                self.stopped(other)
                if other.plan.restart == "temporary":
                    sup.children.remove(other)
            failed = next((other for other in group if other in sup.children and not self.starts(other)), None)
            if failed is None:
                return
            node = failed

    # --- comparing ---------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Compare the tree with the model."""
        if self.in_order:
            assert trace.events == self.expected, f"{trace.events} instead of {self.expected}"
        else:
            happened, expected = sorted(trace.events, key=repr), sorted(self.expected, key=repr)
            assert happened == expected, f"{happened} instead of {expected}"
        nodes = self.root.walk() if self.root is not None else []
        running = set(processes()) - self.strangers
        assert sorted(trace.pids[pid] for pid in running) == sorted((node.plan.id, node.number or 0) for node in nodes)
        for pid in running | {self_()}:
            info = process_info(pid, "links")
            assert info is not None
            for other in info["links"]:
                back = process_info(other, "links")
                assert back is not None, f"{pid} is linked with the dead {other}"
                assert pid in back["links"], f"{pid} is linked with {other}, which is not linked with it"
        for node in nodes:
            if node.plan.strategy:
                self.compare_children(node)
        ends = [message for message in flush() if isinstance(message, Exit)]
        assert [end.reason for end in ends] == ([] if nodes else ["shutdown"])

    def compare_children(self, node: Node) -> None:
        """Compare what a supervisor says of its children with the model."""
        listed = [
            (info.id, trace.pids[info.pid][1] if isinstance(info.pid, Pid) else info.pid) for info in self.infos(node)
        ]
        assert listed == [(child.plan.id, child.number) for child in reversed(node.children)]
        supervisors = sum(1 for child in node.children if child.plan.strategy)
        assert dict(count_children(self.pid(node))) == {
            "specs": len(node.children),
            "active": sum(1 for child in node.children if child.number is not None),
            "supervisors": supervisors,
            "workers": len(node.children) - supervisors,
        }

    def infos(self, node: Node) -> Any:
        """which_children of a supervisor."""
        return which_children(self.pid(node))

    def end(self) -> None:
        """Stop the tree and see that nothing is left of it."""
        if self.root is not None:
            exit(self.pid(self.root), "shutdown")
            sleep(0.001)
            assert [message.reason for message in flush() if isinstance(message, Exit)] == ["shutdown"]
        assert set(processes()) == self.strangers

    # --- choosing ----------------------------------------------------------------------------------------------------

    @property
    def root_node(self) -> Node:
        """The root, which runs."""
        assert self.root is not None
        return self.root

    def pid(self, node: Node) -> Pid:
        """The process of a node that runs."""
        return next(pid for pid in processes() if trace.pids.get(pid) == (node.plan.id, node.number))

    def some_worker(self, choice: int) -> Node | None:
        """Some worker that runs."""
        workers = [node for node in self.root_node.walk() if not node.plan.strategy]
        return workers[choice % len(workers)] if workers else None

    def some_child(self, one: int, two: int) -> tuple[Node, Node | None]:
        """Some supervisor that runs, and one of its children, running or not, or None."""
        sups = [node for node in self.root_node.walk() if node.plan.strategy]
        sup = sups[one % len(sups)]
        choice = two % (len(sup.children) + 1)
        return sup, sup.children[choice] if choice < len(sup.children) else None


def terminated(function: Callable[..., Any], *args: Any) -> str:
    """`"ok"`, or the word a supervisor refused with."""
    try:
        function(*args)
    except (StartError, SupervisorError) as error:
        reason = error.reason
        return str(reason[0] if isinstance(reason, tuple) else reason)
    return "ok"

from __future__ import annotations

from runtime import (
    ChildSpec,
    GenServer,
    Supervisor,
    exit,
    flag,
    link,
    receive,
    sleep,
    spawn,
    terminate_child,
    whereis,
    which_children,
)
from runtime.introspection.answers.kill_plan import plan_of
from runtime.introspection.wire import GetPlan, Plan
from runtime.kernel.process import Process
from tests.support.in_node import in_node
from tests.support.trees import Idle, Observer, start_tree, supervisor, workers


def _process(key: str) -> Process:
    observer = Observer()
    observer.tree()
    process = observer.node.find(key)
    assert process is not None
    return process


def _names(plan: Plan) -> tuple[set[str], set[str], set[str]]:
    return tuple({each.name for each in group} for group in (plan.kills, plan.restarts, plan.gives_up))  # type: ignore[return-value]


@in_node
def test_one_for_one_restarts_the_victim_alone() -> None:
    start_tree()
    plan = plan_of(_process("app/pool1/w2"))
    assert _names(plan) == ({"w2"}, {"w2"}, set())
    assert plan.sentence == "kills 1, restarts 1: one_for_one; budget 0 of 3 in 5 s; if every start succeeds"


@in_node
def test_several_at_once_are_planned_together() -> None:
    start_tree()
    plan = plan_of(_process("app/pool1/w2"), _process("app/pool1/w0"))
    assert _names(plan) == ({"w0", "w2"}, {"w0", "w2"}, set())
    assert plan.sentence == "kills 2, restarts 2: one_for_one; budget 0 of 3 in 5 s; if every start succeeds"
    plan = plan_of(*(_process(f"app/pool1/w{number}") for number in range(3)))
    assert "one more after this and pool1 gives up; if" in plan.sentence
    plan = plan_of(*(_process(f"app/pool1/w{number}") for number in range(4)))
    assert _names(plan)[2] == {"pool1"}
    assert plan.sentence.startswith(
        "kills 5, restarts 5: one_for_one; budget 0 of 3 in 5 s is used up: pool1 gives up;"
    )


@in_node
def test_several_under_different_supervisors_are_planned_together() -> None:
    start_tree(strategy="one_for_all")
    plan = plan_of(_process("app/pool1/w2"), _process("app/pool1/w3"), _process("app/pool0/w0"))
    assert plan.sentence == "kills 8, restarts 8, under 2 supervisors; no budget is used up; if every start succeeds"
    lonely = [spawn(receive) for _ in range(2)]
    sleep(0)
    processes = [pid.process for pid in lonely if pid.process is not None]
    assert plan_of(*processes).sentence == "kills 2; nothing brings them back: they are under no supervisor"
    plan = plan_of(_process("app/pool1/w2"), processes[0])
    assert plan.sentence == "kills 5, restarts 4, under 1 supervisor; no budget is used up; if every start succeeds"


@in_node
def test_of_several_those_that_are_gone_are_left_out() -> None:
    start_tree()
    observer = Observer()
    first, second = (row.pid or "" for row in observer.listing(filter="key~pool1/w").rows[:2])
    plan = observer.ask(GetPlan(pid=first, others=("<0.999.0>", second, "nobody")))
    assert len(plan.kills) == 2


@in_node
def test_rest_for_one_restarts_those_that_came_after() -> None:
    start_tree(strategy="rest_for_one")
    assert _names(plan_of(_process("app/pool1/w2"))) == ({"w2", "w3"}, {"w2", "w3"}, set())


@in_node
def test_one_for_all_restarts_everybody() -> None:
    start_tree(strategy="one_for_all")
    assert _names(plan_of(_process("app/pool1/w2"))) == ({"w0", "w1", "w2", "w3"},) * 2 + (set(),)


@in_node
def test_a_temporary_child_stays_away() -> None:
    Supervisor.start_link([ChildSpec(id="once", start=(Idle.start_link,), restart="temporary")], name="app")
    plan = plan_of(_process("app/once"))
    assert _names(plan) == ({"once"}, set(), set())
    assert "app does not restart temporary children" in plan.sentence


@in_node
def test_a_supervisor_takes_its_children_with_it_and_comes_back() -> None:
    start_tree()
    kills, restarts, gives_up = _names(plan_of(_process("app/pool1")))
    assert kills == {"pool1", "w0", "w1", "w2", "w3"}
    assert restarts == kills
    assert gives_up == set()


@in_node
def test_a_used_up_budget_takes_the_failure_upwards() -> None:
    inner = supervisor("inner", workers(2), max_restarts=0)
    Supervisor.start_link([inner, *workers(1, "other")], name="app")
    plan = plan_of(_process("app/inner/w0"))
    assert _names(plan) == ({"inner", "w0", "w1"}, {"inner", "w0", "w1"}, {"inner"})
    assert "inner gives up" in plan.sentence


@in_node
def test_linked_processes_go_too() -> None:
    start_tree()
    victim = _process("app/pool0/w0")
    friend = spawn(lambda: (link(victim.pid), receive()), name="friend")
    sleep(0.1)
    assert _names(plan_of(victim))[0] == {"w0", "friend"}
    plan = plan_of(friend.process)  # type: ignore[arg-type]
    assert _names(plan) == ({"friend", "w0"}, {"w0"}, set())
    assert "it is under no supervisor" in plan.sentence


@in_node
def test_the_plan_says_what_then_happens() -> None:
    start_tree(strategy="one_for_all", max_restarts=50)
    for _ in range(5):
        victim = _process("app/pool1/w1")
        planned = plan_of(victim)
        exit(victim.pid, "kill")
        sleep(0.1)
        assert all(_process(f"app/pool1/{each.name}").pid != each.pid for each in planned.restarts)
        assert whereis("pool1") is not None


@in_node
def test_all_that_comes_back_with_a_supervisor_is_counted_and_what_a_dynamic_one_kept_is_not() -> None:
    start_tree(pools=2, size=2, guests=3)
    Supervisor.start_link([supervisor("whole", [supervisor("half", workers(2)), *workers(1, "own")])], name="root")
    kills, restarts, _ = _names(plan_of(_process("root/whole")))
    assert kills == restarts == {"whole", "half", "w0", "w1", "own0"}
    kills, restarts, _ = _names(plan_of(_process("app/guests")))
    assert len(plan_of(_process("app/guests")).kills) == 4
    assert restarts == {"guests"}


@in_node
def test_what_the_plan_counts_comes_back() -> None:
    inner = supervisor("inner", [*workers(3), supervisor("deep", workers(2, "d"))], max_restarts=0)
    Supervisor.start_link([inner, *workers(1, "other")], name="app", strategy="one_for_all")
    plan = plan_of(_process("app/inner/w0"))
    before = {key: _process(key).pid for row in Observer().tree().rows if (key := row.key).startswith("app/")}
    exit(before["app/inner/w0"], "kill")
    sleep(0.1)
    after = {key: _process(key).pid for key in before}
    assert len(plan.restarts) == len(before) == sum(after[key] != before[key] for key in before)
    assert plan.sentence.startswith("kills 8, restarts 8:")


@in_node
def test_temporary_children_of_a_group_end_with_it_and_stay_away() -> None:
    once = ChildSpec(id="once", start=(Idle.start_link,), restart="temporary")
    Supervisor.start_link([*workers(2), once], name="app", strategy="one_for_all")
    assert _names(plan_of(_process("app/w0"))) == ({"w0", "w1", "once"}, {"w0", "w1"}, set())


@in_node
def test_a_child_that_does_not_run_is_started_with_its_group() -> None:
    app = Supervisor.start_link(workers(3), name="app", strategy="one_for_all")
    assert app is not None
    terminate_child(app, "w2")
    plan = plan_of(_process("app/w0"))
    assert plan.sentence.startswith("kills 2, restarts 3: one_for_all")


@in_node
def test_a_supervisor_that_shuts_down_after_a_significant_child_is_counted() -> None:
    last = ChildSpec(id="last", start=(Idle.start_link,), restart="temporary", significant=True)
    inner = supervisor("inner", [last, *workers(1)], auto_shutdown="any_significant")
    Supervisor.start_link([inner], name="app")
    kills, restarts, _ = _names(plan_of(_process("app/inner/last")))
    assert kills == {"last", "w0", "inner"}
    assert {"inner", "w0"} <= restarts


class Lingering(GenServer):
    """Traps exits, and takes its time to end."""

    def init(self) -> None:
        flag(trap_exit=True)

    def terminate(self, reason: object) -> None:
        sleep(0.2)


@in_node
def test_a_plan_says_that_a_child_which_lingers_still_has_its_name() -> None:
    child = ChildSpec(id="c", start=(lambda: Lingering.start_link(name="c"),))
    spawn(lambda: (Supervisor.start_link([supervisor("inner", [child])], name="app"), receive()))
    sleep(0.1)
    plan = plan_of(_process("app/inner"))
    assert plan.sentence.endswith("; if every start succeeds and c has ended by then: else app gives up")
    assert any("it still has its name" in sentence for sentence in plan.assumes)
    exit(_process("app/inner").pid, "kill")
    sleep(0.1)
    assert whereis("app") is None


@in_node
def test_a_plan_is_for_the_reason_of_the_signal() -> None:
    specs = [
        ChildSpec(id=restart, start=(Idle.start_link,), restart=restart)
        for restart in ("permanent", "transient", "temporary")
    ]
    specs.append(ChildSpec(id="deaf", start=(Lingering.start_link,)))
    Supervisor.start_link(specs, name="app")

    def plan(child: str, reason: object) -> str:
        return plan_of(_process(f"app/{child}"), reason=reason).sentence

    assert plan("transient", "kill").startswith("kills 1, restarts 1: one_for_one")
    for normal in ("shutdown", ("shutdown", "enough")):
        assert plan("transient", normal).startswith("kills 1, restarts none: app does not restart children that are")
        assert plan("permanent", normal).startswith("kills 1, restarts 1: one_for_one")
    assert plan("transient", "boom").startswith("kills 1, restarts 1: one_for_one")
    assert plan("permanent", "normal") == "kills none: a signal with the reason normal is ignored"
    assert plan("deaf", "boom").startswith("kills none: deaf traps exits and gets the signal as a message")
    assert plan("deaf", "kill").startswith("kills 1, restarts 1")
    exit(_process("app/transient").pid, "shutdown")
    exit(_process("app/permanent").pid, "shutdown")
    exit(_process("app/deaf").pid, "boom")
    sleep(0.05)
    assert {child.id for child in which_children("app") if child.pid is None} == {"transient"}


@in_node
def test_an_observer_asks_for_the_plan_of_a_reason() -> None:
    Supervisor.start_link([ChildSpec(id="t", start=(Idle.start_link,), restart="transient")], name="app")
    observer = Observer()
    pid = str(_process("app/t").pid)
    plan = observer.ask(GetPlan(pid=pid, reason="('shutdown', 1)"))
    assert (plan.restarts, plan.reason) == ((), "(shutdown, 1)")
    assert observer.ask(GetPlan(pid=pid)).reason == "kill"
    assert "is not a Python literal" in observer.ask(GetPlan(pid=pid, reason="shut down")).why

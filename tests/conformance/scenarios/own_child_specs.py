"""Group U, our own: what supervisors keep of child specs. The BEAM's side is `beam/child_specs.erl`."""

from typing import Any

from runtime import ChildSpec, Pid, SupervisorError, get_childspec, self_, start_child, terminate_child
from tests.conformance.actors import Worker, sup_spec, worker
from tests.conformance.harness import Log, answer, child, crash, kids, stop_sup
from tests.conformance.scenarios.own_supervisors import watched, workers


def u71_childspecs(log: Log) -> None:
    children = [
        worker("w"),
        worker("t", restart="transient", shutdown=0.1, significant=True),
        sup_spec("inner", workers("i")),
        worker("b", restart="temporary", shutdown="brutal_kill"),
    ]
    sup = watched("sup", children, auto_shutdown="any_significant")
    for id in ("w", "t", "inner", "b"):
        found = get_childspec(sup, id)
        shutdown = round(found.shutdown * 1000) if isinstance(found.shutdown, float) else found.shutdown
        shown = {"restart": found.restart, "type": found.type, "significant": found.significant, "shutdown": shutdown}
        log(id, shown)
    w = child(sup, "w")
    log("by_pid", answer(get_childspec, sup, w), answer(terminate_child, sup, w))
    log("unknown", answer(get_childspec, sup, "nobody"))
    terminate_child(sup, "w")
    log("not_running", get_childspec(sup, "w").id)
    stop_sup(sup)


def _keeps_arguments(sup: Pid, id: str) -> bool:
    return len(get_childspec(sup, id).start) > 1


def u73_arguments_of_temporary_children(log: Log) -> None:
    for strategy in ("one_for_one", "rest_for_one", "one_for_all"):
        log("---", strategy)
        sup = watched("sup", [worker("first", restart="temporary"), worker("w")], strategy=strategy)
        for id, restart in (("once", "temporary"), ("tr", "transient"), ("perm", "permanent")):
            start_child(sup, worker(id, restart=restart))
        log("ignored", ("ok", start_child(sup, worker("none", init=["ignore"], restart="temporary"))))
        log("keep_arguments", [(id, _keeps_arguments(sup, id)) for id in ("first", "w", "once", "tr", "perm")])
        crash(sup, "perm")
        log("keep_arguments", [(id, _keeps_arguments(sup, id)) for id, _ in kids(sup)])
        stop_sup(sup)


def u74_spec_of_a_template(log: Log) -> None:
    for restart in ("permanent", "temporary"):
        log("---", restart)
        template = ChildSpec(id="w", start=(Worker.start_link,), restart=restart)
        sup = watched("sup", [template], strategy="simple_one_for_one")
        pid = start_child(sup, ["k", {}])
        log("by_id", _found(sup, "w"))
        log("by_pid", _found(sup, pid))
        log("terminate_child", answer(terminate_child, sup, "w"), answer(terminate_child, sup, pid))
        log("by_dead_pid", _found(sup, pid))
        log("strangers", _found(sup, "x"), _found(sup, self_()))
        stop_sup(sup)


def _found(sup: Pid, key: Any) -> Any:
    try:
        spec = get_childspec(sup, key)
    except SupervisorError as error:
        return ("error", error.reason)
    return (spec.id, spec.restart)

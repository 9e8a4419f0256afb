"""Group S, our own: new versions of the code of supervisors. The BEAM's side is `beam/code_changes.erl`."""

import tempfile
from pathlib import Path
from typing import Any

from runtime import (
    IGNORE,
    ChildSpec,
    Pid,
    Supervisor,
    SupervisorSpec,
    call,
    cast,
    delete_child,
    exit,
    flag,
    get_childspec,
    restart_child,
    start_child,
    sys,
    unlink,
    which_children,
)
from tests.conformance.actors import Fault, Srv, Worker, running, worker
from tests.conformance.harness import Log, answer, attempt, counts, crash, current, kids, settle, stop_sup


class Versioned(Supervisor):
    """A supervisor whose init returns what `version` is, or what that does when it is a function."""

    version: Any = None

    def init(self) -> Any:
        return type(self).version()


def _spec(*children: ChildSpec, **flags: Any) -> Any:
    return lambda: SupervisorSpec([*children], **{"max_restarts": 1, **flags})


def _start(log: Log, version: Any) -> Pid:
    Versioned.version = staticmethod(version)
    flag(trap_exit=True)
    return log.bind("sup", running(Versioned.start_link()))


def _change(sup: Pid, version: Any) -> Any:
    Versioned.version = staticmethod(version)
    sys.suspend(sup)
    result = attempt(sys.change_code, sup, Versioned, 1, "extra")
    sys.resume(sup)
    return "ok" if result == ("ok", None) else result


def s59_change_code_of_a_supervisor(log: Log) -> None:
    sup = _start(log, _spec(worker("a"), worker("b"), worker("c")))
    for id in "xy":
        start_child(sup, worker(id))
    version = _spec(worker("d"), worker("b", restart="transient"), worker("e"), strategy="one_for_all", max_restarts=10)
    log("changed", _change(sup, version))
    log("kids", kids(sup))
    log("counts", counts(sup))
    log("b", get_childspec(sup, "b").restart)
    log("ignored", _change(sup, lambda: IGNORE))
    log("restart_d", attempt(restart_child, sup, "d")[0])
    log("delete_e", answer(delete_child, sup, "e"))
    for _ in range(2):
        crash(sup, "a")
    log("kids", kids(sup))
    stop_sup(sup)


def s60_changes_that_a_supervisor_refuses(log: Log) -> None:
    def raises() -> None:
        raise Fault("oops")

    sup = _start(log, _spec(worker("a")))
    refused = [
        ("invalid_strategy", lambda: SupervisorSpec([], strategy="none")),  # type: ignore[arg-type]
        ("invalid_intensity", lambda: SupervisorSpec([], max_restarts=-1)),
        ("invalid_period", lambda: SupervisorSpec([], max_seconds=0)),
        ("duplicate", _spec(worker("b"), worker("b"))),
        ("invalid_restart", lambda: SupervisorSpec([worker("b", restart="none")])),
    ]
    for tag, version in refused:
        log(tag, _change(sup, version))
    log("wrong", _change(sup, lambda: "wrong"))
    _, (_, crashed) = _change(sup, raises)
    log("raises", crashed.message)
    log("exits", _change(sup, lambda: exit("oops")))
    _, (_, (_, _, version, extra)) = attempt(sys.change_code, sup, Versioned, 1, "extra")
    log("running", version, extra)
    log("kids", kids(sup))
    crash(sup, "a")
    log("kids", kids(sup))
    stop_sup(sup)


def s61_change_code_of_a_template(log: Log) -> None:
    def template(id: str, **options: Any) -> ChildSpec:
        return ChildSpec(id=id, start=(Worker.start_link, id, {}), **options)

    def names() -> list[str]:
        return sorted(current().names[info.pid] for info in which_children(sup) if isinstance(info.pid, Pid))

    def simple(*templates: ChildSpec) -> Any:
        return _spec(*templates, strategy="simple_one_for_one")

    sup = _start(log, simple(template("old")))
    a = start_child(sup, [])
    log("changed", _change(sup, simple(template("new", restart="transient"))))
    start_child(sup, [])
    log("old", answer(get_childspec, sup, "old"))
    log("new", get_childspec(sup, "new").restart, counts(sup))
    cast(a, ("stop", "boom"))
    settle()
    log("kids", names())
    log("none", _change(sup, simple())[0])
    log("two", _change(sup, simple(template("a"), template("b")))[0])
    log("kids", names())
    for info in which_children(sup):
        assert isinstance(info.pid, Pid)
        unlink(info.pid)
        exit(info.pid, "kill")
    settle()


def s62_log_to_file(log: Log) -> None:
    def got() -> list[list[str]]:
        lines = [line.split() for line in path.read_text().splitlines()]
        return [words[2:4] for words in lines if words[2] == "got"]

    srv = Srv.start("srv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "s62.log")
        path.write_text("*DBG* an earlier got line\n")
        log("on", answer(sys.log_to_file, srv, path), got())
        cast(srv, "inc")
        call(srv, "get")
        log("logged", got())
        log("status", sys.get_status(srv)[3][3])
        log("off", answer(sys.log_to_file, srv, False))
        call(srv, "get")
        log("logged", got())
        sys.log_to_file(srv, path)
        sys.no_debug(srv)
        call(srv, "get")
        log("no_debug", got())
        log("no_such_folder", attempt(sys.log_to_file, srv, "/nowhere/at/all")[0])
        log("goes_on", call(srv, "ping"))

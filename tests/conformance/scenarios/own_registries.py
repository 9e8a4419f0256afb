"""Group X, our own: registries. The BEAM's side is `beam/registries.exs`."""

from functools import partial
from typing import Any

from runtime import (
    ANY,
    Agent,
    ChildSpec,
    Exit,
    Pid,
    Registry,
    Supervisor,
    alive,
    call,
    cast,
    exit,
    flag,
    flush,
    receive,
    register,
    restart_child,
    self_,
    send,
    spawn,
    stop,
    terminate_child,
    whereis,
)
from tests.conformance.actors import Worker
from tests.conformance.harness import (
    Log,
    answer,
    ask,
    attempt,
    current,
    down_after,
    idle,
    log,
    settle,
    shown,
    started,
)
from tests.conformance.scenarios.elixir import named_exception, raises, register_unique, started_pid


def _registers(holder: Pid, key: Any, value: Any) -> Any:
    result = ask(holder, lambda: attempt(Registry.register, "reg", key, value))
    return result if result[0] == "error" else "ok"


def _unregisters() -> Any:
    return answer(Registry.unregister, "reg", "k")


def _elixirs(result: tuple[str, Any]) -> tuple[str, Any]:
    """The same, with our exception under the name of what Elixir's `raise "text"` raises."""
    return ("raised", "RuntimeError") if result == ("raised", "Fault") else result


def x55_registry_duplicate(log: Log) -> None:
    Registry.start_link("duplicate", name="reg")
    a, b = idle("a"), idle("b")

    def entries() -> list[Any]:
        return shown(Registry.lookup("reg", "k"))

    log("register", [_registers(a, "k", value) for value in (1, 2)])
    log("register", _registers(b, "k", 3))
    log("register", _registers(b, "other", 4))
    log("lookup", entries(), Registry.lookup("reg", "zz"))
    log("keys", Registry.keys("reg", a), shown(Registry.keys("reg", b)), Registry.keys("reg", self_()))
    log("values", *(Registry.values("reg", key, pid) for key, pid in (("k", a), ("k", b), ("zz", a))))
    log("count", Registry.count("reg"))
    log("dispatch", answer(Registry.dispatch, "reg", "k", lambda found: log(*shown(found))))
    log("dispatch_nobody", answer(Registry.dispatch, "reg", "zz", lambda found: log("never")))
    log("dispatch_raises", _elixirs(named_exception(Registry.dispatch, "reg", "k", raises)))
    log("update_value", named_exception(Registry.update_value, "reg", "k", lambda value: value))
    log("unregister_own", ask(a, _unregisters), entries(), Registry.count("reg"))
    log("unregister_none", ask(a, _unregisters))
    log("down", down_after(b, lambda: exit(b, "kill")))
    settle()
    log("cleaned", Registry.lookup("reg", "k"), Registry.count("reg"), Registry.keys("reg", b))


def _listen() -> None:
    while True:
        log("listener", "got", receive(tuple))


def x56_registry_listeners(log: Log) -> None:
    listener = log.bind("listener", spawn(_listen))
    register("ear", listener)
    Registry.start_link("unique", listeners=["ear"], name="reg")
    a, b = idle("a"), idle("b")
    _registers(a, "k", 1)
    settle()
    log("taken", ask(b, lambda: register_unique("k", 2)))
    settle()
    ask(a, lambda: Registry.update_value("reg", "k", lambda value: value + 1))
    log("updated", Registry.lookup("reg", "k"))
    for holder in (b, a):
        ask(holder, lambda: Registry.unregister("reg", "k"))
    settle()
    _registers(b, "k", 3)
    settle()
    down_after(b, lambda: exit(b, "boom"))
    settle()
    log("cleaned", Registry.lookup("reg", "k"))


def _heard() -> list[Any]:
    """What the caller has been told by registries: of which event, and for which key."""
    return [message[::2][:2] for message in flush() if not isinstance(message, Exit)]


def x68_what_a_failed_start_and_a_match_give_back(log: Log) -> None:
    flag(trap_exit=True)
    register("ear", self_())
    Registry.start_link("unique", listeners=["ear"], name="reg")
    options = {"init": ["ignore", ("stop", "boom"), ("error", "oops")]}
    for _ in range(4):
        result = started(Worker.start_link, "w", options, name=("via", "reg", "w"))
        log("start", result, "count", Registry.count("reg"), _heard())
    a = idle("a")
    ask(a, lambda: Registry.register("reg", "k", 1))
    log("registered", _heard())
    for value in (2, 1, 1):
        ask(a, partial(Registry.unregister_match, "reg", "k", value))
        log("matched", value, Registry.keys("reg", a), _heard())
    Registry.start_link("duplicate", listeners=["ear"], name="topics")
    log("no_name", named_exception(Agent.start_link, lambda: 0, name=("via", "topics", "k")))
    for value in (1, 2):
        ask(a, partial(Registry.register, "topics", "k", value))
    for value in (3, 1, 2):
        ask(a, partial(Registry.unregister_match, "topics", "k", value))
        log("matched", value, Registry.values("topics", "k", a), _heard())


def _named_worker(id: str, name: Any) -> ChildSpec:
    return ChildSpec(id=id, start=(lambda: Worker.start_link(id, {}, name=name),))


def x57_registry_via(log: Log) -> None:
    flag(trap_exit=True)
    Registry.start_link("unique", name="reg")
    via, valued = ("via", "reg", "w"), ("via", "reg", "v", "with_value")

    def lookup(key: str) -> list[Any]:
        return Registry.lookup("reg", key)

    children = [_named_worker("w", via), _named_worker("v", valued)]
    sup = started_pid(Supervisor.start_link(children))
    log("whereis", whereis(via), whereis(valued))
    log("lookup", lookup("w"), lookup("v"))
    first = whereis(via)
    assert first is not None
    log("down", down_after(first, lambda: exit(first, "kill")))
    settle()
    log("restarted", whereis(via), Registry.keys("reg", first))
    log("cast", answer(cast, via, ("stop", "boom")))
    settle()
    log("restarted", whereis(via))
    log("conflict", started(Worker.start_link, "w", {}, name=via))
    log("terminate", answer(terminate_child, sup, "w"), whereis(via))
    log("call", attempt(call, via, "x"))
    log("cast", answer(cast, via, "x"))
    log("stop", attempt(stop, via))
    log.bind("agent", started_pid(Agent.start_link(lambda: "mine", name=via)))
    log("restart", answer(restart_child, sup, "w"))
    log("stop", answer(Agent.stop, via), whereis(via))
    again = restart_child(sup, "w")
    log("restart", again, whereis(via))
    Registry.register("reg", "mine", 0)
    log("main_registers", "ok", whereis(("via", "reg", "mine")))
    log("stop", answer(stop, sup))


def x71_registry_that_stops(log: Log) -> None:
    for reason in ("normal", "shutdown", "boom"):
        Registry.start("unique", name="reg")
        a, b = idle("a"), idle("b")
        ask(b, lambda: flag(trap_exit=True))
        for holder, key in ((a, 1), (b, 2)):
            _registers(holder, key, None)
        why = down_after(a, partial(stop, "reg", reason))
        settle()
        for message in ask(b, flush):
            log("b", "got", message)
        log(reason, why)
    log("spec", Registry.child_spec("unique", name="reg").type)


def x66_registry_match_and_meta(log: Log) -> None:
    registry = started_pid(Registry.start_link("duplicate", name="reg"))
    a, b = idle("a"), idle("b")
    for holder, value in ((a, ("x", 1)), (a, ("y", 2)), (b, ("x", 3)), (b, "plain")):
        _registers(holder, "k", value)

    def found(pattern: Any) -> list[Any]:
        return shown(Registry.match("reg", "k", pattern))

    def colour() -> Any:
        value = Registry.meta("reg", "colour")
        return None if value is None else ("ok", value)

    log("match", found(("x", ANY)), found("plain"), found(("z", ANY)))
    log("count_match", Registry.count_match("reg", "k", ("x", ANY)), Registry.count_match("reg", "zz", ANY))
    gone = ask(a, lambda: answer(Registry.unregister_match, "reg", "k", ("x", ANY)))
    log("unregister_match", gone, len(found(ANY)))
    log("others_stay", found(("x", ANY)))
    log("keys", Registry.keys("reg", a), Registry.count("reg"))
    log("meta", colour(), answer(Registry.put_meta, "reg", "colour", "blue"), colour())
    log("no_registry", named_exception(Registry.lookup, "nowhere", "k")[0])
    flag(trap_exit=True)
    log("registry_dies_with_its_processes", down_after(a, lambda: stop("reg", "shutdown")), alive(b))
    log("gone", whereis("reg"), alive(registry))


def x77_registry_select(log: Log) -> None:
    started_pid(Registry.start_link("unique", name="reg"))
    holders = {id: idle(id) for id in "abcd"}
    for (id, pid), value in zip(holders.items(), (1, 2, "text", 4), strict=True):
        _registers(pid, id, value)

    def pick(guard: Any = None) -> list[Any]:
        return shown(Registry.select("reg", (ANY, ANY, ANY), guard))

    count = partial(Registry.count_select, "reg")
    log("all", pick(), count())
    log("guard", pick(lambda key, pid, value: isinstance(value, int) and value > 1))
    log("count", count(ANY, lambda key, pid, value: isinstance(value, int)))
    log("guard_that_fails", pick(lambda key, pid, value: value + 1 > 2))
    log("one_key", count(("a", ANY, ANY)), count(("zz", ANY, ANY)), count((ANY, ANY, "text")))
    log("of_a_process", count((ANY, holders["a"], ANY)))
    log("wrong", named_exception(Registry.select, "reg", ANY, "no guard")[0])
    down_after(holders["a"], lambda: exit(holders["a"], "kill"))
    settle()
    log("without_the_dead", pick())
    log("no_registry", named_exception(Registry.select, "nowhere")[0])


def x78_registry_meta_and_dispatch(log: Log) -> None:
    started_pid(Registry.start_link("duplicate", name="reg", meta={"colour": "blue", "size": 3}))

    def meta(key: str) -> Any:
        value = Registry.meta("reg", key)
        return "error" if value is None else ("ok", value)

    log("at_start", meta("colour"), meta("size"), meta("zz"))
    log("put", answer(Registry.put_meta, "reg", "colour", "red"), meta("colour"))
    log("delete", answer(Registry.delete_meta, "reg", "colour"), meta("colour"), meta("size"))
    log("delete_again", answer(Registry.delete_meta, "reg", "colour"))
    log("no_registry", named_exception(Registry.delete_meta, "nowhere", "colour")[0])
    holders = [idle(id) for id in "ab"]
    for pid, value in zip(holders, (1, 2), strict=True):
        _registers(pid, "k", value)
    dispatch = partial(answer, Registry.dispatch, "reg", parallel=True)
    log("dispatch", dispatch("k", lambda entries: log(*shown(entries))))
    log("dispatch_nobody", dispatch("zz", lambda entries: log("never")))
    for pid, value in Registry.lookup("reg", "k"):
        send(pid, partial(_got, ("news", value)))
    settle()
    a, b = holders
    log("values", *(Registry.values("reg", "k", pid) for pid in (a, b, self_())))
    log("keys", Registry.keys("reg", a), Registry.keys("reg", self_()))


def _got(message: Any) -> None:
    log(current().names[self_()], "got", message)

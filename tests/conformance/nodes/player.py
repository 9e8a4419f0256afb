"""One of two nodes that play a scenario: `player.erl` does the same on a BEAM.

Reads commands, a line each: a number, an actor's name, a verb, its arguments. Writes the number and what came of it,
in words that are the same on both sides: actors by their names, nodes as near and far.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from runtime import (
    ANY,
    Atom,
    CallError,
    Down,
    Exit,
    NodeDown,
    NodeUp,
    Pid,
    Ref,
    alive,
    call,
    cast,
    connect_node,
    demonitor,
    disconnect_node,
    exit,
    flag,
    link,
    monitor,
    monitor_node,
    monitor_nodes,
    multi_call,
    node,
    nodes,
    process_info,
    receive,
    receive_response,
    register,
    reply,
    run,
    self_,
    send,
    send_request,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    unlink,
    whereis,
)

NOWHERE = "nowhere@127.0.0.1"
FOREVER = 60.0

roles: dict[str, str] = {}
"""What the nodes are called, as near, far and other; and the module of the other player."""
pids: dict[str, Any] = {}
names: dict[Any, str] = {}
refs: dict[Pid, Ref] = {}
told_why: set[Pid] = set()
"""Actors that have asked for the reasons of nodes that go down."""


def bind(name: str, pid: Any) -> None:
    """Call a process by a name."""
    pids[name], names[pid] = pid, name
    if isinstance(pid, Pid) and node(pid) == node():
        register(name, pid)


def namer() -> None:
    """Tell the other node who has a name, and take the names that it gives."""
    while True:
        match receive(tuple):
            case ("ask", name, asker):
                if name in pids:
                    send(asker, (Atom("named"), pids[name]))
                else:
                    sleep(0.005)
                    send(self_(), ("ask", name, asker))
            case ("bind", name, pid):
                bind(str(name), pid)
            case ("ping", asker):
                send(asker, Atom("pong"))


def command(number: str, who: str, words: list[str]) -> None:
    """Do what a line says, or have an actor do it."""
    match [who, *words]:
        case ["player", "new", name]:
            bind(name, spawn(actor))
            out(number, "ok")
        case ["player", "know", name]:
            send(("namer", roles["other"]), (Atom("ask"), Atom(name), self_()))
            pid = receive(("named", ANY), timeout=FOREVER)[1]
            pids[name], names[pid] = pid, name
            out(number, "ok")
        case ["player", "sync"]:
            if roles["other"] in nodes():  # wait until the other node has what was sent
                send(("namer", roles["other"]), (Atom("ping"), self_()))
                receive("pong", timeout=2, default=None)
            out(number, "ok")
        case ["player", "reset"]:
            for pid in [*names]:
                if isinstance(pid, Pid) and node(pid) == node():
                    ref = monitor(pid)
                    exit(pid, "kill")
                    receive(Down(ref, ANY, ANY), timeout=FOREVER)
            for table in (pids, names, refs):
                table.clear()
            disconnect_node(roles["other"])
            out(number, "ok")
        case _:
            pid = whereis(who)
            if pid is None:
                out(number, "dead")
            else:
                send(pid, ("do", number, words))


def actor() -> None:
    """Do what it is told to, as a process of its own."""
    while True:
        _, number, (verb, *words) = receive(("do", ANY, ANY))
        try:
            if verb in ("die", "kill_self"):
                out(number, "dies")
            result = globals()[f"do_{verb}"](*words)
        except CallError as error:
            result = ("exit", error.reason)
        except ValueError:
            result = ("error", "badarg")
        out(number, True if result is None else result)


def do_trap() -> str:
    flag(trap_exit=True)
    return "ok"


def do_send(to: str, what: str) -> str:
    send(dest(to), Atom(what))
    return "ok"


def do_send_pid(to: str, whose: str) -> str:
    send(dest(to), (dest(whose), Atom(whose)))
    return "ok"


def do_exit(to: str, why: str) -> bool:
    return exit(dest(to), Atom(why))


def do_die(why: str) -> None:
    exit(Atom(why))


def do_kill_self() -> None:
    exit(self_(), "kill")


def do_link(to: str) -> bool:
    return link(dest(to))


def do_unlink(to: str) -> bool:
    return unlink(dest(to))


def do_monitor(to: str) -> str:
    refs[self_()] = monitor(dest(to))
    return "ok"


def do_demonitor() -> bool:
    demonitor(refs[self_()], flush=True)
    return True


def do_cast(to: str, what: str) -> str:
    cast(dest(to), Atom(what))
    return "ok"


def do_call(to: str, what: str, milliseconds: str = "10000") -> Any:
    return call(dest(to), Atom(what), timeout=int(milliseconds) / 1000)


def do_request(to: str, what: str) -> Any:
    outcome: Any = receive_response(send_request(dest(to), Atom(what)), timeout=FOREVER)
    return outcome if outcome[0] == "reply" else ("error", outcome[1][0])


def do_multi_call(name: str) -> Any:
    replies, bad = multi_call([roles["other"], NOWHERE, node()], name, Atom("asked"), timeout=FOREVER)
    return ([*replies], [*bad])


def do_serve() -> Any:
    message = receive(("$gen_call", ANY, ANY), ("$gen_cast", ANY))
    if len(message) == 2:
        return ("cast", message[1])
    _, caller, what = message
    if what == "die":
        exit(Atom("served"))
    if what == "silent":
        return "silent"
    reply(caller, (Atom("served"), what))
    return ("served", what)


def do_pass_on(to: str) -> str:
    send(dest(to), receive(("$gen_call", ANY, ANY)))
    return "ok"


def _is_message(message: Any) -> bool:
    return not (isinstance(message, tuple) and message[:1] == ("do",))


def do_take(number: str) -> list[Any]:
    return [receive(_is_message, timeout=FOREVER, default="nothing") for _ in range(int(number))]


def do_empty() -> Any:
    message = receive(_is_message, timeout=0.15, default=None)
    return "empty" if message is None else ("not_empty", message)


def do_alive(who: str) -> bool:
    return alive(dest(who))


def _given(name: str, pid: Pid) -> str:
    pids[name], names[pid] = pid, name
    send(("namer", roles["other"]), (Atom("bind"), Atom(name), pid))
    return "ok"


def _function() -> Any:
    return (roles["module"], "actor")


def do_spawn(name: str) -> str:
    return _given(name, spawn(_function(), node=roles["other"]))


def do_spawn_link(name: str) -> str:
    return _given(name, spawn_link(_function(), node=roles["other"]))


def do_spawn_monitor(name: str) -> str:
    pid, refs[self_()] = spawn_monitor(_function(), node=roles["other"])
    return _given(name, pid)


def do_spawn_nowhere(how: str) -> str:
    starts: dict[str, Callable[..., Any]] = {"spawn": spawn, "spawn_link": spawn_link, "spawn_monitor": spawn_monitor}
    started = starts[how](("m", "f"), node=NOWHERE)
    pid = started[0] if isinstance(started, tuple) else started
    pids["nobody"], names[pid] = pid, "nobody"
    return node(pid)


def do_connect() -> bool:
    return connect_node(roles["other"])


def do_connect_nowhere() -> bool:
    return connect_node(NOWHERE)


def do_disconnect() -> bool:
    return disconnect_node(roles["other"])


def do_nodes() -> list[str]:
    return nodes()


def do_node(who: str) -> str:
    return node(dest(who))


def do_monitor_node() -> bool:
    return monitor_node(roles["other"])


def do_monitor_node_off() -> bool:
    return monitor_node(roles["other"], False)


def do_monitor_own_node() -> bool:
    return monitor_node(node())


def do_monitor_nowhere() -> bool:
    return monitor_node(NOWHERE)


def do_monitor_nodes() -> str:
    told_why.add(self_())
    monitor_nodes(True)
    return "ok"


def do_info(item: str) -> Any:
    found = process_info(self_(), item)
    assert found is not None
    return found[item]


def dest(text: str) -> Any:
    """Return the process, or the name on a node, that a word stands for."""
    name, _, where = text.partition("/")
    return (name, roles["other"] if where == "other" else node()) if where else pids[name]


def out(number: str, what: Any) -> None:
    """Write what came of a command."""
    print(number, show(what), flush=True)


def show(value: Any) -> str:
    """Return a value in words that are the same on both sides."""
    match value:
        case bool() | None:
            return str(value).lower()
        case Pid():
            return names.get(value, "pid")
        case Ref():
            return "ref"
        case Exit(pid, reason):
            return show(("EXIT", pid, reason))
        case Down(ref, subject, reason):
            return show(("DOWN", ref, "process", subject, reason))
        case NodeDown(name, reason):
            return show(("nodedown", name, reason) if self_() in told_why else ("nodedown", name))
        case NodeUp(name):
            return show(("nodeup", name))
        case str():
            return "near" if value == roles["near"] else "far" if value == roles["far"] else str(value)
        case list():
            return f"[{','.join(map(show, value))}]"
        case tuple():
            return f"{{{','.join(map(show, value))}}}"
    return str(value)


def main() -> None:
    """Take the commands that a thread reads."""
    me = self_()
    register("namer", spawn(namer))
    out("0", "ready")

    def read() -> None:
        for line in sys.stdin:
            send(me, ("line", line.split()))
        send(me, ("line", None))

    threading.Thread(target=read, daemon=True).start()
    while (words := receive(("line", ANY))[1]) is not None:
        number, who, *rest = words
        command(number, who, rest)


if __name__ == "__main__":
    from tests.conformance.nodes import player  # not as __main__: the other node starts functions of this module

    player.roles.update(zip(("near", "far", "other", "module"), sys.argv[1:5], strict=True))
    run(player.main, node=sys.argv[5], cookie=sys.argv[6])

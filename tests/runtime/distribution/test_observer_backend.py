"""What OTP's observer and etop ask of a node, asked by a real Erlang node of one of ours."""

from __future__ import annotations

import shutil

import gevent
import pytest
from gevent.subprocess import PIPE, Popen

from runtime import erpc, node, receive, self_, spawn
from runtime.terms.atom import Atom
from tests.support.other_nodes import COOKIE, beam_node, named, new_name

DEADLINE = 60.0


def _ask(other: str, module: str, function: str, *arguments: object) -> object:
    """Have the Erlang node call a function of this one, by OTP's own rpc."""
    return erpc.call(other, ("rpc", "call"), Atom(node()), Atom(module), Atom(function), [*arguments])


@named
def test_erlang_is_told_of_processes_load_and_memory() -> None:
    with beam_node() as other:
        other.connect()
        sleeper = spawn(receive, name="sleeper")
        assert _ask(other.name, "observer_backend", "vsn") == ("ok", [*b"1.19"])
        info = dict(_ask(other.name, "observer_backend", "sys_info"))  # type: ignore[call-overload]
        assert info["process_count"] >= 3
        assert info["total"] > 1_000_000
        assert info["alloc_info"]
        assert sleeper in _ask(other.name, "erlang", "processes")  # type: ignore[operator]
        assert _ask(other.name, "erlang", "whereis", Atom("sleeper")) == sleeper
        assert _ask(other.name, "erlang", "process_info", sleeper, Atom("status")) == ("status", "waiting")
        assert _ask(other.name, "observer_backend", "get_table_list", Atom("ets"), []) == []
        assert _ask(other.name, "erlang", "function_exported", Atom("observer_backend"), Atom("vsn"), 0) is True


@named
def test_what_etop_collects_comes_as_its_records() -> None:
    with beam_node() as other:
        other.connect()
        sleeper = spawn(receive, name="sleeper")
        mfa = (Atom("observer_backend"), Atom("etop_collect"), [self_()])
        pid = erpc.call(other.name, ("erlang", "spawn"), Atom(node()), *mfa)
        sender, info = receive((type(pid), tuple), timeout=DEADLINE)
        assert sender == pid
        assert (info[0], len(info)) == ("etop_info", 9)
        assert info[2] == len(info[8])
        entry = next(each for each in info[8] if each[1] == sleeper)
        assert (entry[0], entry[4], len(entry)) == ("etop_proc_info", "sleeper", 8)
        erpc.call(
            other.name, ("erlang", "spawn"), Atom(node()), Atom("observer_backend"), Atom("procs_info"), [self_()]
        )
        tag, _, listed = receive(("procs_info", object, list), timeout=DEADLINE)
        assert (tag, sleeper in [each[1] for each in listed]) == ("procs_info", True)


@named
def test_figures_come_until_a_message_ends_them() -> None:
    with beam_node() as other:
        other.connect()
        mfa = (Atom("observer_backend"), Atom("fetch_stats"), [self_(), 20])
        erpc.call(other.name, ("erlang", "spawn"), Atom(node()), *mfa)
        for _ in range(2):
            stats = receive(lambda message: message[0] == "stats", timeout=DEADLINE)
            assert stats[2][0][0] == 1
            assert dict(stats[3]).keys() == {"input", "output"}
            assert dict(stats[4])["total"] > 0


ETOP = """
    case code:which(etop) of
        non_existing -> io:format("no etop~n"), halt();
        _ -> true = net_kernel:connect_node('{node}'),
             etop:start([{{node, '{node}'}}, {{output, text}}, {{interval, 1}}, {{lines, 9}}, {{tracing, off}}])
    end.
"""


@named
def test_etop_shows_the_processes_of_a_node_of_ours() -> None:
    if shutil.which("erl") is None:
        pytest.skip("erl is not installed")
    spawn(receive, name="sleeper")
    command = ["erl", "-name", new_name("etop"), "-setcookie", COOKIE, "-hidden", "-noshell", "-eval"]
    with Popen([*command, ETOP.format(node=node())], stdout=PIPE, text=True) as etop, gevent.Timeout(DEADLINE):
        assert etop.stdout is not None
        try:
            shown: list[str] = []
            while len([line for line in shown if "sleeper" in line]) < 2:  # so it has come to its second look
                line = etop.stdout.readline()
                if line == "no etop\n":
                    pytest.skip("etop is not installed; Debian has it in erlang-observer")
                assert line, "".join(shown)
                shown.append(line)
        finally:
            etop.kill()
    assert any(line.strip().startswith(f"'{node()}'") for line in shown)
    assert any(line.split()[:1] == ["procs"] and int(line.split()[1]) >= 3 for line in shown)
    row = next(line for line in shown if "sleeper" in line)
    assert row.split()[1:3] == ["sleeper", "'-'"]

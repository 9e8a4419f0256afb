"""What OTP's observer and etop ask of a node, asked by a real Erlang node of one of ours."""

from __future__ import annotations

import shutil

import gevent
import pytest
from gevent.subprocess import PIPE, Popen

from runtime import node, receive, self_, spawn
from runtime.terms.atom import Atom
from tests.runtime.otp_modules.asked import DEADLINE, ask, run_here
from tests.support.other_nodes import COOKIE, beam_node, named, new_name


@named
def test_erlang_is_told_of_processes_load_and_memory() -> None:
    with beam_node() as other:
        other.connect()
        sleeper = spawn(receive, name="sleeper")
        assert ask(other.name, "observer_backend", "vsn") == ("ok", [*b"1.19"])
        info = dict(ask(other.name, "observer_backend", "sys_info"))
        assert info["process_count"] >= 3
        assert info["total"] > 1_000_000
        assert info["alloc_info"] == [("python", False)]  # an empty list divides by zero in the observer's view
        assert not {"processes", "atom", "binary", "code", "atom_count", "port_count", "process_limit"} & info.keys()
        assert sleeper in ask(other.name, "erlang", "processes")
        assert ask(other.name, "erlang", "whereis", Atom("sleeper")) == sleeper
        assert ask(other.name, "erlang", "process_info", sleeper, Atom("status")) == ("status", "waiting")
        assert ask(other.name, "observer_backend", "get_table_list", Atom("ets"), []) == []
        assert ask(other.name, "erlang", "function_exported", Atom("observer_backend"), Atom("vsn"), 0) is True


@named
def test_what_etop_collects_comes_as_its_records() -> None:
    with beam_node() as other:
        other.connect()
        sleeper = spawn(receive, name="sleeper")
        pid = run_here(other.name, "observer_backend", "etop_collect", self_())
        sender, info = receive((type(pid), tuple), timeout=DEADLINE)
        assert sender == pid
        assert (info[0], len(info)) == ("etop_info", 9)
        assert info[2] == len(info[8])
        entry = next(each for each in info[8] if each[1] == sleeper)
        assert (entry[0], entry[4], len(entry)) == ("etop_proc_info", "sleeper", 8)
        run_here(other.name, "observer_backend", "procs_info", self_())
        tag, _, listed = receive(("procs_info", object, list), timeout=DEADLINE)
        assert (tag, sleeper in [each[1] for each in listed]) == ("procs_info", True)


@named
def test_figures_come_until_a_message_ends_them() -> None:
    with beam_node() as other:
        other.connect()
        run_here(other.name, "observer_backend", "fetch_stats", self_(), 20)
        for _ in range(2):
            stats = receive(lambda message: message[0] == "stats", timeout=DEADLINE)
            assert stats[2][0][0] == 1
            assert dict(stats[3]).keys() == {"input", "output"}
            assert [name for name, _ in stats[4]] == ["total"]  # the curves of the parts are told apart by their order


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


TRACING = """
    case code:which(etop) of
        non_existing -> io:format("no etop~n");
        _ -> io:format("~p~n", [catch etop:start([{{node, '{node}'}}, {{output, text}}])])
    end,
    halt().
"""


@named
def test_etop_with_its_tracing_says_how_to_start_it_and_ends() -> None:
    if shutil.which("erl") is None:
        pytest.skip("erl is not installed")
    command = ["erl", "-name", new_name("etop"), "-setcookie", COOKIE, "-hidden", "-noshell", "-eval"]
    with Popen([*command, TRACING.format(node=node())], stdout=PIPE, text=True) as etop, gevent.Timeout(DEADLINE):
        assert etop.stdout is not None
        said = etop.stdout.read()
    if said == "no etop\n":
        pytest.skip("etop is not installed; Debian has it in erlang-observer")
    assert f"etop:start([{{node, '{node()}'}}, {{tracing, off}}])" in said
    assert said.endswith("{'EXIT',dbg_server_crash}\n")

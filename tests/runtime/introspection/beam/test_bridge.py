"""A BEAM node as observers see it: its trees, one process from near, plans, kills, and that it is left unharmed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime import connect_node, erpc, send, sleep
from runtime.introspection import wire
from runtime.introspection.beam.answers import BeamAnswers, Facts
from runtime.introspection.beam.erlang import Beam, BeamError
from runtime.introspection.beam.near import MOST_MESSAGES
from runtime.terms.atom import Atom
from tests.support.other_nodes import COOKIE, beam_node, named, new_name
from tests.support.outside import in_thread

SHOP = """
defmodule Stock do
  use GenServer
  def start_link(n), do: GenServer.start_link(__MODULE__, n, name: __MODULE__)
  def init(n), do: {:ok, %{pieces: n, name: "tea"}}
end
children = [{Stock, 3}, {DynamicSupervisor, name: Guests, strategy: :one_for_one}, {Registry, keys: :unique, name: Reg}]
{:ok, _} = Supervisor.start_link(children, strategy: :rest_for_one, name: Shop)
{:ok, _} = DynamicSupervisor.start_child(Guests, {Agent, fn -> 1 end})
{:ok, never} = DynamicSupervisor.start_link(strategy: :one_for_one, max_restarts: 0, name: Never)
{:ok, _} = DynamicSupervisor.start_child(never, {Agent, fn -> Process.register(self(), Once) end})
loner = spawn(fn -> Process.sleep(:infinity) end)
Process.register(loner, :loner)
send(loner, {:unread, 1})
IO.puts("ready")
Process.sleep(:infinity)
"""


@contextmanager
def _elixir_node() -> Iterator[str]:
    if shutil.which("elixir") is None:
        pytest.skip("elixir is not installed")
    name = new_name("shop")
    command = ["elixir", "--name", name, "--cookie", COOKIE, "--hidden", "-e", SHOP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield name
        finally:
            process.kill()


def _answers(name: str, **options: Any) -> BeamAnswers:
    assert connect_node(name)
    chosen = {"read_only": False, "state": True, **options}
    return BeamAnswers(Beam(name), "shop", Facts(name, "25", 0.0, 1), **chosen)


def _ask(answers: BeamAnswers, query: wire.Query) -> Any:
    return in_thread(lambda: answers.answer(query))


def _rows(answers: BeamAnswers) -> dict[str, wire.Row]:
    window = _ask(answers, wire.GetTree(limit=2_000, unfolded=("~others",)))
    assert isinstance(window, wire.Window), window
    return {row.name: row for row in window.rows}


@named
def test_an_elixir_program_is_seen_as_trees_and_left_unharmed_by_plans() -> None:
    with _elixir_node() as name:
        answers = _answers(name)
        rows = _rows(answers)
        assert (rows["Shop"].kind, rows["Shop"].strategy) == ("supervisor", "rest_for_one")
        assert [rows[each].key for each in ("Stock", "Guests", "Reg")] == ["Shop/Stock", "Shop/Guests", "Shop/Reg"]
        assert (rows["Guests"].strategy, rows["Guests"].child_count) == ("dynamic", 1)
        assert rows["loner"].message_queue_len == 1
        assert rows["Shop"].max_restarts is None
        for row in rows.values():
            if row.pid is not None:
                assert isinstance(_ask(answers, wire.GetPlan(pid=row.pid)), wire.Plan)
        answers.look()
        assert {each: row.pid for each, row in _rows(answers).items() if row.kind == "supervisor"} == {
            each: row.pid for each, row in rows.items() if row.kind == "supervisor"
        }
        for child, supervisor in (("rex", "kernel_sup"), ("Once", "Never")):  # which allow no restart
            plan = _ask(answers, wire.GetPlan(pid=rows[child].pid or ""))
            assert {child, supervisor} <= {each.name for each in plan.kills}
            assert (plan.restarts, plan.assumes) == ((), ())
        _look_near(answers, rows)
        _kill_and_see_it_come_back(answers, rows)


def _look_near(answers: BeamAnswers, rows: dict[str, wire.Row]) -> None:
    stock = _ask(answers, wire.GetProcess(pid=rows["Stock"].pid or "", state=True))
    assert "pieces => 3" in stock.state
    assert 'name => <<"tea">>' in stock.state
    assert [each.name for each in stock.ancestors] == ["Shop"]
    assert "Shop" in [each.name for each in stock.links]
    loner = _ask(answers, wire.GetProcess(pid=rows["loner"].pid or "", state=True))
    assert loner.messages == ("{unread,1}",)
    assert "in no loop of OTP's" in loner.state_note
    assert isinstance(loner.current_stacktrace, tuple)


def _kill_and_see_it_come_back(answers: BeamAnswers, rows: dict[str, wire.Row]) -> None:
    old = rows["Stock"].pid or ""
    plan = _ask(answers, wire.GetPlan(pid=old))
    assert {"Stock", "Reg", "Guests"} <= {each.name for each in plan.kills}
    assert "Shop" not in {each.name for each in plan.kills}
    assert {"Stock", "Reg", "Guests"} <= {each.name for each in plan.restarts}
    assert plan.sentence.endswith(
        "; if every start succeeds and no supervisor gives up: how many restarts are left is not known"
    )
    done = _ask(answers, wire.Exit(pid=old))
    assert (done.sentence, done.event) == (f"Killed {old}.", 1)
    for _ in range(3_000):
        new = _rows(answers)["Stock"]
        if new.pid not in (None, old):
            break
        answers.look()
        sleep(0.02)
    assert new.restarts == 1
    events = _ask(answers, wire.GetEvents()).events
    assert [(each.kind, each.pid, each.cause) for each in events[:2]] == [("kill", old, None), ("exit", old, 1)]
    assert [(each.old_pid, each.cause) for each in events if each.pid == new.pid] == [(old, 2)]
    assert {each.name for each in events if each.kind == "restart"} >= {"Stock", "Guests", "Reg"}
    assert _ask(answers, wire.Exit(pid=old)).kind == "noproc"
    assert "bring it back" in _ask(answers, wire.GetPlan(pid=rows["loner"].pid or "")).sentence


@named
def test_an_erlang_node_is_filtered_sorted_named_and_measured() -> None:
    with beam_node() as other:
        other.connect()
        answers = _answers(other.name)
        listed = _ask(answers, wire.GetProcesses(sort="memory", limit=5)).rows
        assert len(listed) == 5
        assert [row.memory for row in listed] == sorted((row.memory or 0 for row in listed), reverse=True)
        found = _ask(answers, wire.GetTree(filter="name~logger", limit=100)).rows
        assert {"logger", "logger_proxy", "logger_sup"} <= {row.name for row in found}
        assert "kernel_sup" in [each.name for each in _ask(answers, wire.GetNames()).names]
        stats = _ask(answers, wire.GetStats())
        assert stats.stats.process_count > 20
        assert stats.stats.rss > 1_000_000
        assert {"messages", "cpu_time", "hub_lag"} <= {*stats.stats.untold}
        assert not {each for each in stats.stats.untold if getattr(stats.stats, each)}
        assert stats.settings["share of the node's time"] == "at most 5%"
        assert _ask(answers, wire.GetMemory()).kind == "unsupported"


@named
def test_what_a_beam_node_does_not_tell_is_none_or_said_to_be_unknown() -> None:
    with beam_node() as other:
        other.connect()
        full = erpc.call(other.name, ("erlang", "spawn"), Atom("timer"), Atom("sleep"), [Atom("infinity")])
        for number in range(MOST_MESSAGES + 1):
            send(full, number)
        answers = _answers(other.name)
        rows = _rows(answers)
        assert {(row.messages_in, row.messages_out, row.memory_age) for row in rows.values()} == {(None, None, None)}
        grouped = _ask(answers, wire.GetProcesses(group_by="initial_call", limit=50)).rows
        assert {row.messages_in for row in grouped} == {None}
        assert "lint_count" in _ask(answers, wire.GetStats()).stats.untold
        for query in (wire.GetLints(), wire.StartTrace(), wire.GetWaits(), wire.GetProcessMemory(pid="<0.1.0>")):
            answer = _ask(answers, query)
            assert (answer.kind, "BEAM node" in answer.why) == ("unsupported", True)
        pid = next(row.pid for row in rows.values() if row.message_queue_len > MOST_MESSAGES)
        details = _ask(answers, wire.GetProcess(pid=pid or "", messages=5))
        assert (details.messages, "More than 1,000 messages" in details.unfetched) == ((), True)
        assert _ask(answers, wire.GetProcess(pid=rows["logger"].pid or "", messages=5)).unfetched == ""


@named
def test_the_time_of_the_figures_is_that_of_the_look() -> None:
    with beam_node() as other:
        other.connect()
        answers = _answers(other.name)
        first, second = (_ask(answers, wire.GetStats()).stats.time for _ in range(2))
        assert first == second
        answers.look()
        assert _ask(answers, wire.GetStats()).stats.time > first


@named
def test_nothing_is_changed_read_only_and_nothing_held_is_shown_without_state() -> None:
    with beam_node() as other:
        other.connect()
        answers = _answers(other.name, read_only=True, state=False)
        rows = _rows(answers)
        pid = rows["logger"].pid or ""
        for command in (wire.Exit(pid=pid), wire.Suspend(pid=pid), wire.Resume(pid=pid)):
            assert _ask(answers, command).kind == "read_only"
        details = _ask(answers, wire.GetProcess(pid=pid, state=True))
        assert (details.state, details.withheld, details.dictionary, details.messages) == (None, True, {}, ())
        assert erpc.call(other.name, ("erlang", "whereis"), Atom("logger")) is not None


@named
def test_a_node_that_is_gone_is_said_to_be() -> None:
    with beam_node() as other:
        other.connect()
        answers = _answers(other.name)
        other.kill()
        for _ in range(3_000):
            answer = _ask(answers, wire.GetStats())
            if isinstance(answer, wire.Failed):
                break
            sleep(0.02)
        assert "did not answer" in answer.why
        with pytest.raises(BeamError, match="noconnection"):
            Beam("nobody@127.0.0.1").call("erlang", "processes")


@named
def test_a_wrong_cookie_is_one_sentence(tmp_path: Path) -> None:
    cookie = tmp_path / "cookie"
    cookie.write_text("another one", encoding="utf-8")
    cookie.chmod(0o600)
    with beam_node() as other:
        other.connect()
        command = [sys.executable, "-m", "runtime.introspection.beam.bridge", "--cookie-file", str(cookie), other.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"There is no connection to {other.name}: {other.name} refused the cookie; "
        f"give both nodes the same one, and look into the log of {other.name}."
    ]

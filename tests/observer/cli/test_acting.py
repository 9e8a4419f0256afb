from __future__ import annotations

from pathlib import Path

import pytest

from observer.model import aftermath
from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint, of_rows


@pytest.mark.parametrize("pid", ["<0.3.0>", "0.3.0", "worker", "w"])
@pytest.mark.parametrize("node", [[], ["chat"]])
def test_kill_takes_a_pid_or_a_name_and_the_node_may_be_left_out(observer: Command, node: list[str], pid: str) -> None:
    with FakeEndpoint("chat", scripted) as endpoint:
        assert observer("kill", *node, pid) == (0, "Done to <0.3.0>.\n", "")
    assert endpoint.asked[-1] == wire.Exit(pid="<0.3.0>", reason="'kill'")


def test_a_name_that_several_processes_have_is_refused_with_their_pids(observer: Command) -> None:
    twins = tuple(wire.Row(key=f"<0.{number}.0>", pid=f"<0.{number}.0>", name="twin") for number in (5, 6))
    with FakeEndpoint("chat", of_rows(twins)) as endpoint:
        status, _, err = observer("kill", "twin")
    assert status == 1
    assert "<0.5.0>, <0.6.0>" in err
    assert not any(isinstance(query, wire.Exit) for query in endpoint.asked)


@pytest.mark.parametrize(
    ("typed", "sent"), [("shutdown", "'shutdown'"), ("('shutdown', 1)", "('shutdown', 1)"), ("7", "7")]
)
def test_a_reason_is_a_word_or_a_literal(observer: Command, typed: str, sent: str) -> None:
    with FakeEndpoint("chat", scripted) as endpoint:
        assert observer("exit", "0.3.0", "--reason", typed).status == 0
    assert endpoint.asked[-1] == wire.Exit(pid="<0.3.0>", reason=sent)


def test_suspend_resume_and_send_ask_the_node(observer: Command) -> None:
    with FakeEndpoint("chat", scripted) as endpoint:
        assert observer("suspend", "0.3.0").status == 0
        assert observer("resume", "chat", "0.3.0", "--json").value["sentence"] == "Done to <0.3.0>."
        assert observer("send", "0.3.0", "('get', 1)", "--call").out == "call ('get', 1)\n"
        assert observer("send", "chat", "0.3.0", "increment").out == "Sent.\n"
    assert endpoint.asked == [
        wire.Suspend(pid="<0.3.0>"),
        wire.Resume(pid="<0.3.0>"),
        wire.Send(pid="<0.3.0>", message="('get', 1)", via="call"),
        wire.Send(pid="<0.3.0>", message="'increment'"),
    ]


def test_read_only_settings_refuse_every_change(
    observer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("read_only = true")
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: file)
    with FakeEndpoint("chat", scripted) as endpoint:
        for command in (["kill", "0.3.0"], ["send", "0.3.0", "x"], ["suspend", "0.3.0"], ["chaos"]):
            status, _, err = observer(*command)
            assert status == 1
            assert "read_only" in err
    assert endpoint.asked == []


class Healing:
    """A node whose supervisor restarts what is killed, if `heals`; a plan and a log say so."""

    def __init__(self, heals: bool = True, ends: bool = True) -> None:
        self.events: list[wire.Event] = []
        self.heals, self.ends = heals, ends

    def respond(self, query: wire.Query) -> wire.Answer:
        match query:
            case wire.GetPlan(pid=pid, others=others):
                ends = tuple(wire.Related(pid=each, name="w") for each in (pid, *others))
                return wire.Plan(sentence=f"kills {len(ends)}", kills=ends, restarts=ends if self.heals else ())
            case wire.Exit(pid=pid):
                return wire.Done(sentence=f"Killed {pid}.", event=self.kill(pid))
            case wire.GetEvents(after=after):
                return wire.Events(events=tuple(self.events[max(0, after) :]), last=len(self.events))
            case _:
                return scripted(query)

    def kill(self, pid: str) -> int:
        signal = len(self.events) + 1
        self.events.append(wire.Event(id=signal, time=1.0, kind="kill", pid=pid))
        if self.ends:
            self.events.append(wire.Event(id=signal + 1, time=1.0, kind="exit", pid=pid, reason="killed", cause=signal))
        if self.ends and self.heals:
            back = wire.Event(id=signal + 2, time=1.003, kind="restart", pid="<0.77.0>", old_pid=pid, cause=signal + 1)
            self.events.append(back)
        return signal


def test_kill_says_what_came_back_in_its_place(observer: Command) -> None:
    with FakeEndpoint("chat", Healing().respond):
        assert observer("kill", "worker") == (0, "Killed <0.3.0>. It was restarted as <0.77.0> in 3 ms.\n", "")
        (record,) = observer("kill", "chat", "0.3.0", "--json").value
    assert (record["pid"], record["killed"], record["restarted_as"]) == ("<0.3.0>", True, "<0.77.0>")
    assert record["reason"] == "killed"
    assert record["plan"]["restarts"] == [{"pid": "<0.3.0>", "name": "w"}]
    assert record["happened"] == "Killed <0.3.0>. It was restarted as <0.77.0> in 3 ms."


def test_kill_says_that_nothing_restarts_it(observer: Command) -> None:
    with FakeEndpoint("chat", Healing(heals=False).respond):
        assert observer("kill", "worker") == (0, "Killed <0.3.0>. Nothing restarts it.\n", "")


def test_a_kill_that_ends_nothing_is_told_so_and_exits_with_one(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aftermath, "END_TIMEOUT", 0.05)
    with FakeEndpoint("chat", Healing(ends=False).respond):
        status, out, _ = observer("kill", "worker")
        listed = observer("kill", "worker", "--json")
        trapped = observer("exit", "worker")
    assert (status, out) == (1, "Killed <0.3.0>. It has not ended within 0.05 s.\n")
    assert (listed.status, listed.value[0]["killed"]) == (1, False)
    assert trapped.status == 0


def test_several_processes_are_killed_once_all_of_them_are_found(observer: Command) -> None:
    with FakeEndpoint("chat", Healing().respond) as endpoint:
        records = observer("kill", "worker", "0.9.0", "worker", "--json").value
        assert [record["pid"] for record in records] == ["<0.3.0>", "<0.9.0>"]
        endpoint.asked.clear()
        status, _, err = observer("kill", "worker", "noone")
    assert (status, "noone" in err) == (1, True)
    assert not [query for query in endpoint.asked if isinstance(query, wire.Exit)]


def test_a_plan_is_told_and_nothing_is_done(observer: Command) -> None:
    with FakeEndpoint("chat", Healing().respond) as endpoint:
        out = observer("kill", "chat", "worker", "0.9.0", "--plan").out
        records = observer("kill", "worker", "--plan", "--json").value
    assert out.startswith("kills 2\n")
    assert "Comes back" in out
    assert [(record["killed"], record["happened"]) for record in records] == [(False, None)]
    assert records[0]["plan"]["sentence"] == "kills 1"
    assert not [query for query in endpoint.asked if isinstance(query, wire.Exit)]


def test_a_plan_may_be_made_where_nothing_may_be_changed(
    observer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("read_only = true")
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: file)
    with FakeEndpoint("chat", Healing().respond):
        assert observer("kill", "worker", "--plan").status == 0
        assert observer("kill", "worker").status == 1


def test_the_reply_of_a_call_is_json(observer: Command) -> None:
    with FakeEndpoint("chat", lambda query: wire.Done(value="{'users': ('ada', 2)}")):
        assert observer("send", "0.3.0", "get", "--call", "--json").value["value"] == {"users": ["ada", 2]}
    with FakeEndpoint("chat", lambda query: wire.Done(value="<0.3.0>")):
        assert observer("send", "0.3.0", "get", "--call", "--json").value["value"] == {"python": "<0.3.0>"}


def test_what_is_left_of_a_dead_process_can_be_killed(observer: Command) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        match query:
            case wire.GetPlan(pid=pid):
                return wire.Failed(why=f"There is no process {pid}: it has ended.", kind="noproc")
            case wire.Exit(pid=pid):
                return wire.Done(sentence=f"{pid} had ended already: its frames have ended now.", event=1)
            case wire.GetEvents():
                return wire.Events(events=(wire.Event(id=1, time=1.0, kind="action", pid="<0.3.0>"),), last=1)
            case _:
                return scripted(query)

    with FakeEndpoint("chat", respond):
        assert observer("kill", "0.3.0").status == 0
        assert observer("kill", "0.3.0", "--plan").status == 1

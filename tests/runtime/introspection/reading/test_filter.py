from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import ChildSpec, Supervisor, call, cast, exit, receive, register, spawn, whereis
from runtime.introspection import wire
from runtime.introspection.reading import expression
from runtime.introspection.reading.expression import FilterError
from runtime.introspection.reading.filter import parse_filter
from runtime.introspection.reading.filter_fields import Subject
from runtime.introspection.reading.tree_path import path_of, position_of
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree, workers


def _subject(name: str) -> Subject:
    pid = whereis(name)
    assert pid is not None
    assert pid.process is not None
    return Subject(pid.process, position_of(pid.process), path_of(pid.process))


def _passes(text: str, name: str = "pool1") -> bool:
    test = parse_filter(text)
    assert test is not None
    return test(_subject(name))


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("pool1", True),
        ("POOL", True),
        ("pool2", False),
        ("/po+l[12]/", True),
        ("/^ool/", False),
        ("name=pool1", True),
        ("name=pool", False),
        ("name~ool", True),
        ("name!~ool", False),
        ("name~/^po/", True),
        ("sup=app", True),
        ("sup~pool", False),
        ("kind=supervisor and strategy=one_for_one", True),
        ("children=4", True),
        ("children>=4 children<5", True),
        ("children>4 or state=waiting", True),
        ("not (children>4 or state=running)", True),
        ("mailbox<1k and memory<1M", True),
        ("age<1h", True),
        ("restarts!=0", False),
        ("key=app/pool1", True),
        ("restart=permanent", True),
        ("'pool1'", True),
        ("not not pool1", True),
        ("pool1 or pool2 and nonsense", True),
        ("(pool1 or pool2) and nonsense", False),
    ],
)
def test_a_filter_says_what_it_says(text: str, passes: bool) -> None:
    @in_node
    def look() -> None:
        start_tree()
        assert _passes(text) is passes

    look()


@in_node
def test_a_pid_is_found_by_its_text() -> None:
    start_tree()
    assert _passes(str(whereis("pool1")))
    assert not _passes(str(whereis("pool2")))


def test_an_empty_filter_is_none_at_all() -> None:
    assert parse_filter("  ") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mailbox>", "a value is missing after mailbox>"),
        ("mailbox>many", "mailbox is a number"),
        ("mailbox~1", "compare it with = != > >= < <=, not with ~"),
        ("name>1", "name is text"),
        ("colour=red", "there is no field 'colour'; there are age, "),
        ("(a", "a ')' is missing"),
        ("a)", "a ')' too many"),
        ("a and", "the filter ends where a condition should follow"),
        ("and a", "a condition cannot begin with 'and'"),
        (">5", "a condition cannot begin with '>'"),
        ("/(/", "is not a regular expression"),
        ("(" * 200 + "a", "nested more than 50 deep"),
        ("a" * 2_000, "at most 1000 are allowed"),
    ],
)
def test_what_cannot_be_understood_is_said_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("text", [r"/(.|.|.|.|.|.)*~/", r"name~/^(a|a)*b$/ or /(x+x+)+y/", r"/(?:a?){500}~/"])
def test_a_regular_expression_that_runs_away_elsewhere_is_answered_or_cut_short(text: str) -> None:
    @in_node
    def look() -> None:
        start_tree()
        spawn(receive, label="a" * 5_000)
        answer = Observer().ask(wire.GetProcesses(filter=text))
        assert isinstance(answer, wire.Failed) or answer.total == 0

    look()


def test_an_observer_is_told_when_the_search_was_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expression, "LIMIT", 0.0)
    monkeypatch.setattr(expression, "SLOW", 0.0)

    @in_node
    def look() -> None:
        start_tree()
        answer = Observer().ask(wire.GetProcesses(filter="/(.|.)*~/"))
        assert isinstance(answer, wire.Failed)
        assert answer.kind == "bad_request"
        assert "the search for /(.|.)*~/ was cut short" in answer.why

    look()


@in_node
def test_a_text_that_is_no_unicode_is_searched_as_it_is_shown() -> None:
    spawn(receive, label="caf\udce9.txt")
    assert Observer().listing(filter=r"label~/^caf\\udce9/").total == 1


@given(st.text(st.sampled_from("ab /()<>=!~\"'.|*+0k\\") | st.characters(), max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        test = parse_filter(text)
    except FilterError:
        return
    if test is not None:
        assert test(Subject(None, None, "key")) in (True, False)


@in_node
def test_mailboxes_are_filtered_by_their_length() -> None:
    start_tree(pools=1, size=2)
    observer = Observer()
    worker = next(row for row in observer.tree().rows if row.key == "app/pool0/w1")
    assert worker.pid is not None
    pid = Pid.parse(worker.pid)
    register("busy", pid)
    for _ in range(3):
        cast(pid, "x")
    assert [row.registered_name for row in observer.listing(filter="mailbox>2").rows] == ["busy"]


@in_node
def test_a_supervisor_is_called_in_filters_groups_and_plans_what_its_row_is_called() -> None:
    inner = ChildSpec(id="inner", start=(lambda: Supervisor.start_link(workers(2)),), type="supervisor")
    Supervisor.start_link([inner], name="app")
    observer = Observer()
    assert "inner" in [row.name for row in observer.tree().rows]
    found = observer.listing(filter="sup=inner").rows
    assert [row.key for row in found] == ["app/inner/w0", "app/inner/w1"]
    assert "inner" in [row.name for row in observer.listing(group_by="supervisor").rows]
    for _ in range(3):
        assert found[0].pid is not None
        plan = observer.ask(wire.GetPlan(pid=found[0].pid))
        exit(Pid.parse(found[0].pid), "kill")
        call("app", "which_children")
        found = observer.listing(filter="sup=inner").rows
    assert "one more after this and inner gives up" in plan.sentence

from __future__ import annotations

import pytest

from observer.node.client import Client, NodeRefusedError
from observer.node.console import ConsoleSession
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, socket_folder

__all__ = ["socket_folder"]


def state(last: int, *texts: str, evaluating: bool = False, dropped: int = 0) -> wire.ConsoleState:
    shown = tuple(wire.ConsoleText(kind="output", text=text) for text in texts)
    return wire.ConsoleState(
        pid="<0.5.0>", evaluations=last, last=last, texts=shown, evaluating=evaluating, dropped=dropped
    )


@pytest.mark.usefixtures("socket_folder")
def test_what_is_shown_is_read_until_the_evaluation_is_over() -> None:
    answers = iter([state(1, evaluating=True), state(2, "a", evaluating=True), state(4, "c", dropped=1)])
    asked: list[wire.Query] = []

    def respond(query: wire.Query) -> wire.Answer:
        asked.append(query)
        return state(0) if isinstance(query, wire.OpenConsole) else next(answers)

    with FakeEndpoint("chat", respond) as node, Client("chat", node.path) as client:
        session = ConsoleSession(client)
        assert session.pid == "<0.5.0>"
        shown = [each.text for texts in session.evaluate("f()") for each in texts]
    assert shown == ["a", "(1 texts were lost)\n", "c"]
    assert asked[1] == wire.Evaluate(source="f()")
    assert [query.after for query in asked[2:] if isinstance(query, wire.ReadConsole)] == [1, 2]


@pytest.mark.usefixtures("socket_folder")
def test_a_node_that_refuses_is_an_error() -> None:
    refusal = wire.Failed(why="This node is read-only.", kind="read_only")
    with (
        FakeEndpoint("chat", lambda query: refusal) as node,
        Client("chat", node.path) as client,
        pytest.raises(NodeRefusedError, match="read-only"),
    ):
        ConsoleSession(client)


@pytest.mark.usefixtures("socket_folder")
def test_names_are_completed_and_an_interrupt_is_passed_on() -> None:
    def respond(query: wire.Query) -> wire.Answer:
        return wire.Completions(words=("spawn(",)) if isinstance(query, wire.CompleteConsole) else state(0)

    with FakeEndpoint("chat", respond) as node, Client("chat", node.path) as client:
        session = ConsoleSession(client)
        assert session.complete("spa") == ("spawn(",)
        session.interrupt()
        assert session.news() == ()
    assert wire.InterruptConsole() in node.asked

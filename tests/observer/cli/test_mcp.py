from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from observer.cli.mcp import (
    MAX_ROWS,
    MAX_TEXT,
    bounded,
    events,
    figures,
    findings,
    plan,
    process,
    processes,
    tree,
)
from observer.node.discovery import NodeNotFoundError
from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.recordings import GONE, leave_black_box

LOOKING = {"nodes", "figures", "findings", "tree", "processes", "process", "events", "plan"}


def ask(*calls: tuple[str, dict[str, Any]], actions: bool = False) -> tuple[set[str], list[tuple[bool, Any]]]:
    """Call tools of the node ``chat`` as an agent does. Return the names of all, and for each call error and answer."""
    mcp = pytest.importorskip("mcp")  # takes two seconds, in each process that imports the tests
    stdio: Any = pytest.importorskip("mcp.client.stdio")
    stdio.stdio_client.__wrapped__.__defaults__ = (sys.__stderr__,)  # it keeps that of the test that imports it first

    async def main() -> tuple[set[str], list[tuple[bool, Any]]]:
        words = ["-m", "observer", "mcp", "chat", *(["--allow-actions"] if actions else [])]
        server = mcp.StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
        async with mcp.Client(server) as agent:
            tools = {tool.name for tool in (await agent.list_tools()).tools}
            answers = []
            for name, arguments in calls:
                result = await agent.call_tool(name, arguments)
                text = result.content[0].text
                answers.append((bool(result.is_error), text if result.is_error else json.loads(text)["data"]))
        return tools, answers

    return asyncio.run(main())


@pytest.mark.usefixtures("socket_folder")
def test_an_agent_looks_at_a_node() -> None:
    with FakeEndpoint("chat", scripted):
        tools, answers = ask(
            ("findings", {}), ("tree", {}), ("processes", {"limit": 3}), ("process", {"pid": "worker"}), ("events", {})
        )
    assert tools == LOOKING
    assert not any(failed for failed, _ in answers)
    findings, tree, processes, process, events = (answer for _, answer in answers)
    assert findings[0]["kind"] == "hog"
    assert findings[0]["next_commands"][0] == "observer info chat 0.3.0 --state"
    assert tree[0]["children"][0]["pid"] == "<0.3.0>"
    assert len(processes) <= 3
    assert process["message_queue_len"] == 1234
    assert [event["id"] for event in events] == [4, 5, 6]


@pytest.mark.usefixtures("socket_folder")
def test_what_goes_wrong_is_a_sentence() -> None:
    with FakeEndpoint("chat", scripted):
        _, answers = ask(("process", {"pid": "nobody"}), ("plan", {"pid": "nobody"}))
    for failed, text in answers:
        assert failed
        assert "has no process called 'nobody'" in text
        assert "Traceback" not in text


@pytest.mark.usefixtures("socket_folder")
def test_an_agent_is_not_shown_the_black_box_of_a_node_that_has_ended() -> None:
    leave_black_box()
    looks: list[Callable[[], object]] = [
        *(partial(look, "shop") for look in (figures, findings, tree, processes, events)),
        *(partial(look, "shop", "ada") for look in (process, plan)),
    ]
    for look in looks:
        with pytest.raises(NodeNotFoundError, match=rf"shop@{GONE} has ended. It has left a black box [\dms]+ ago"):
            look()


@pytest.mark.usefixtures("socket_folder")
def test_actions_are_served_only_when_they_are_allowed() -> None:
    with FakeEndpoint("chat", scripted) as node:
        tools, ((failed, answer),) = ask(("send", {"pid": "worker", "message": "'hi'", "via": "call"}), actions=True)
    assert tools == LOOKING | {"kill", "send"}
    assert not failed
    assert answer["sentence"] == "Sent."
    assert wire.Send(pid="<0.3.0>", message="'hi'", via="call") in node.asked


def test_a_node_that_is_not_there_is_an_error(observer: Command) -> None:
    status, out, err = observer("mcp", "chat")
    assert (status, out) == (1, "")
    assert "no node called chat" in err


def test_without_the_package_it_says_what_to_install(observer: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with FakeEndpoint("chat", scripted):
        status, _, err = observer("mcp", "chat")
    assert status == 1
    assert "pip install 'process-observer[mcp]'" in err


def test_texts_and_lists_are_bounded() -> None:
    value = bounded({"text": "x" * 10_000, "list": list(range(10_000)), "deep": [["y" * 1_000]], "no": float("inf")})
    assert len(value["text"]) == MAX_TEXT
    assert value["text"].endswith("…")
    assert value["list"] == list(range(MAX_ROWS))
    assert len(value["deep"][0][0]) == MAX_TEXT
    assert value["no"] is None

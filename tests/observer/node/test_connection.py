from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from observer.node.client import Client, NodeRefusedError
from observer.node.connection import Connection
from observer.node.source import NodeLostError, Source
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, Fault, of_rows, socket_folder, stats

__all__ = ["socket_folder"]

EARLY: list[tuple[Fault, str]] = [
    ("mute", "did not answer within"),
    ("garbage", "does not speak the observer's protocol"),
    ("huge", "does not speak the observer's protocol"),
    ("future", "use the same release"),
    ("refuses", "refused: There are too many␛"),
    ("closes", "closed the connection"),
]
LATE: list[tuple[Fault, str]] = [
    ("mute_later", "did not answer within"),
    ("garbage_later", "does not fit the protocol"),
    ("hangs_up", "closed the connection"),
]


@asynccontextmanager
async def connected(endpoint: FakeEndpoint, timeout: float = 10.0) -> AsyncIterator[Source]:
    source = Connection(endpoint.name, endpoint.path, answer_timeout=timeout)
    await source.connect()
    yield source
    await source.close()


def one_stats(query: wire.Query) -> wire.Answer:
    return wire.Stats(stats=stats())


async def test_it_greets_asks_and_is_answered(socket_folder: Path) -> None:
    with FakeEndpoint("chat", one_stats) as endpoint:
        source = Connection("chat", endpoint.path)
        welcome = await source.connect()
        assert welcome.node == "chat"
        assert await source.ask(wire.GetStats()) == wire.Stats(stats=stats())
        assert source.child() is None
        await source.close()
        await source.close()


async def test_each_of_many_pending_questions_gets_its_own_answer(socket_folder: Path) -> None:
    def echo(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetProcess)
        return wire.Failed(why=query.pid)

    with FakeEndpoint("chat", echo) as endpoint:
        async with connected(endpoint) as source:
            pids = [f"<0.{number}.0>" for number in range(50)]
            answers = await asyncio.gather(*(source.ask(wire.GetProcess(pid=pid)) for pid in pids))
    assert [answer.why for answer in answers if isinstance(answer, wire.Failed)] == pids


async def test_a_cancelled_question_does_not_make_the_next_one_read_its_answer(socket_folder: Path) -> None:
    released = threading.Event()

    def respond(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.GetLints):
            released.wait(timeout=30)
            return wire.Lints()
        return one_stats(query)

    with FakeEndpoint("chat", respond) as endpoint:
        async with connected(endpoint) as source:
            slow = asyncio.create_task(source.ask(wire.GetLints()))
            while not endpoint.asked:
                await asyncio.sleep(0)
            slow.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            released.set()
            assert isinstance(await source.ask(wire.GetStats()), wire.Stats)


async def test_a_node_that_dies_fails_every_pending_question_and_can_be_reconnected_to(socket_folder: Path) -> None:
    with FakeEndpoint("chat", one_stats, fault="mute_later") as endpoint:
        source = Connection("chat", endpoint.path)
        await source.connect()
        pending = [asyncio.create_task(source.ask(wire.GetStats())) for _ in range(3)]
        while len(endpoint.asked) < 3:
            await asyncio.sleep(0)
        endpoint.stop()
        for result in await asyncio.gather(*pending, return_exceptions=True):
            assert isinstance(result, NodeLostError)
        with pytest.raises(NodeLostError, match="closed the connection"):
            await source.ask(wire.GetStats())
        with pytest.raises(NodeLostError, match="no process listens"):
            await source.connect()
    with FakeEndpoint("chat", one_stats):
        await source.connect()
        assert isinstance(await source.ask(wire.GetStats()), wire.Stats)
        await source.close()


@pytest.mark.parametrize(("fault", "sentence"), EARLY)
async def test_a_node_that_misbehaves_at_the_greeting_is_lost_with_a_reason(
    socket_folder: Path, fault: Fault, sentence: str
) -> None:
    with FakeEndpoint("chat", one_stats, fault=fault) as endpoint:
        source = Connection("chat", endpoint.path, connect_timeout=0.1 if fault == "mute" else 10)
        with pytest.raises(NodeLostError, match=sentence):
            await source.connect()
        with pytest.raises(NodeLostError, match=sentence):
            Client("chat", endpoint.path, connect_timeout=0.1 if fault == "mute" else 10)


@pytest.mark.parametrize(("fault", "sentence"), LATE)
async def test_a_node_that_misbehaves_when_asked_is_lost_with_a_reason(
    socket_folder: Path, fault: Fault, sentence: str
) -> None:
    timeout = 0.1 if fault == "mute_later" else 10
    with FakeEndpoint("chat", one_stats, fault=fault) as endpoint:
        async with connected(endpoint, timeout) as source:
            with pytest.raises(NodeLostError, match=sentence):
                await source.ask(wire.GetStats())
        with (
            Client("chat", endpoint.path, answer_timeout=timeout) as client,
            pytest.raises(NodeLostError, match=sentence),
        ):
            client.ask(wire.GetStats())


async def test_without_a_socket_there_is_no_such_node(socket_folder: Path) -> None:
    with pytest.raises(NodeLostError, match="no node called chat"):
        await Connection("chat", socket_folder / "chat.sock").connect()
    with pytest.raises(NodeLostError, match="no node called chat"):
        Client("chat", socket_folder / "chat.sock")


def test_a_socket_of_another_user_is_not_trusted(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeEndpoint("chat", one_stats) as endpoint:
        monkeypatch.setattr("os.geteuid", lambda: endpoint.path.stat().st_uid + 1)
        with pytest.raises(NodeLostError, match="belongs to another user"):
            Client("chat", endpoint.path)


@pytest.mark.parametrize("respond", [one_stats, of_rows(())])
def test_the_blocking_client_gives_the_answer_it_expects_or_says_why_not(
    socket_folder: Path, respond: Callable[[wire.Query], wire.Answer]
) -> None:
    with FakeEndpoint("chat", respond) as endpoint, Client("chat", endpoint.path) as client:
        assert client.welcome.node == "chat"
        assert client.expect(wire.Stats, wire.GetStats()).stats.name == "chat"


def test_a_refusal_of_the_node_is_its_own_error_with_the_nodes_sentence(socket_folder: Path) -> None:
    with FakeEndpoint("chat", of_rows(())) as endpoint, Client("chat", endpoint.path) as client:
        with pytest.raises(NodeRefusedError, match=r"There is no process <0\.1\.0>") as caught:
            client.expect(wire.Details, wire.GetProcess(pid="<0.1.0>"))
        assert caught.value.kind == "noproc"


def test_an_answer_of_another_kind_than_asked_for_is_a_lost_node(socket_folder: Path) -> None:
    with (
        FakeEndpoint("chat", one_stats) as endpoint,
        Client("chat", endpoint.path) as client,
        pytest.raises(NodeLostError, match="something else"),
    ):
        client.expect(wire.Lints, wire.GetLints())


async def test_a_question_that_was_cancelled_a_moment_ago_harms_no_other(socket_folder: Path) -> None:
    """It is still pending: its task has not run since."""
    with FakeEndpoint("chat", one_stats) as endpoint:
        source = Connection("chat", endpoint.path)
        await source.connect()
        cancelled: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        source._pending[1] = cancelled
        source._numbers = itertools.count(2)
        assert source._writer is not None
        source._writer.write(wire.frame(wire.Request(id=1, query=wire.GetStats())))
        assert await source.ask(wire.GetStats()) == wire.Stats(stats=stats())
        await source.close()  # tells those that are pending, and not this one

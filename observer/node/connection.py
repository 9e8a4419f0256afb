"""The dashboard's connection to a node, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from pathlib import Path
from typing import cast

from observer.node import replies
from observer.node.source import ChildStatus, NodeLostError
from runtime.introspection import wire


class Connection:
    """A `Source` that speaks with the node listening on the Unix socket at `path`.

    Several questions may be pending at once. A reader task hands each reply to the question with its number, so that
    a question that was cancelled or timed out cannot make later ones read the wrong reply.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        connect_timeout: float = replies.CONNECT_TIMEOUT,
        answer_timeout: float = replies.ANSWER_TIMEOUT,
    ) -> None:
        self._name = name
        self._path = path
        self._connect_timeout = connect_timeout
        self._answer_timeout = answer_timeout
        self._writer: asyncio.StreamWriter | None = None
        self._reader_task: asyncio.Task[None] | None = None
        self._pending: dict[int, asyncio.Future[wire.Answer]] = {}
        self._numbers = itertools.count(1)

    @property
    def name(self) -> str:
        """The node's name."""
        return self._name

    def child(self) -> ChildStatus | None:
        """Return None: the program at the other end was not started from here."""
        return None

    async def connect(self) -> wire.Welcome:
        """Connect, or connect again, and return the node's welcome. Raises `NodeLostError`."""
        await self.close()
        replies.check_owner(self._name, self._path)
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await self._shake_hands()
        except TimeoutError as error:
            raise replies.silent(self._name, self._connect_timeout) from error

    async def _shake_hands(self) -> wire.Welcome:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError as error:
            raise replies.unreachable(self._name, self._path, error) from error
        try:
            writer.write(wire.frame(wire.Hello()))
            welcome = replies.read_welcome(self._name, await self._read_frame(reader))
        except BaseException:
            writer.close()
            raise
        self._writer = writer
        self._reader_task = asyncio.create_task(self._read_replies(reader), name=f"replies of {self._name}")
        return welcome

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer to `query`. Raises `NodeLostError` when no answer comes."""
        if self._writer is None:
            raise replies.closed(self._name)
        number = next(self._numbers)
        answer: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            async with asyncio.timeout(self._answer_timeout):
                # Request.query is the union of all queries; the protocol's base class is what callers know.
                self._writer.write(wire.frame(wire.Request(id=number, query=cast(wire.GetStats, query))))
                with contextlib.suppress(OSError):  # the reader sees the end too, and says it better
                    await self._writer.drain()
                return await answer
        except TimeoutError as error:
            await self.close()
            raise replies.silent(self._name, self._answer_timeout) from error
        finally:
            self._pending.pop(number, None)

    async def close(self) -> None:
        """Let the connection go; questions still pending raise `NodeLostError`. May be called twice."""
        task, self._reader_task = self._reader_task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        writer = self._writer
        self._hang_up(replies.closed(self._name))
        if writer is not None:
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _read_replies(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                number, answer = replies.read_reply(self._name, await self._read_frame(reader))
                waiting = self._pending.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except NodeLostError as error:
            self._hang_up(error)

    async def _read_frame(self, reader: asyncio.StreamReader) -> bytes:
        try:
            header = await reader.readexactly(wire.HEADER.size)
            return await reader.readexactly(replies.frame_length(self._name, header))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise replies.closed(self._name) from error

    def _hang_up(self, error: NodeLostError) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()  # a node that does not read must not keep the connection open
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(error)

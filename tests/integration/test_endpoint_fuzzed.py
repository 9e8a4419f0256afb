"""The endpoint under frames of every kind: the program goes on with its work and grows no larger."""

from typing import Any

import msgspec
import psutil
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.introspection import wire
from tests.support.nodes import ObservedNode, eventually

RANDOM = st.binary(max_size=300)
"""Bytes that say nothing."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
"""What msgpack can say, and no request is."""


def framed(body: bytes) -> bytes:
    """Return bytes as one whole frame."""
    return wire.HEADER.pack(len(body)) + body


QUERIES: st.SearchStrategy[Any] = st.sampled_from(
    [
        wire.GetTree(filter="message_queue_len>x and (", sort="memory", offset=2**40, limit=2**40),
        wire.GetProcesses(filter="/(((/", limit=-1, offset=-5),
        wire.GetProcess(pid="<0.999999999.0>", messages=-3),
        wire.GetEvents(after=-(2**50), limit=2**50),
        wire.Exit(pid="nobody", reason="__import__('os')"),
        wire.Send(pid="<0.1.0>", message="[" * 3_000),
        wire.ControlChild(supervisor="app", child_id="", action="restart"),
        wire.GetPlan(pid="<0.0.0>"),
        wire.GetPlaces(keys=("", "/", "app/", "app/" * 500)),
    ]
)
"""Requests that are well formed and make no sense."""


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a right request with some bytes changed."""
    frame = bytearray(wire.frame(wire.Request(id=1, query=draw(QUERIES))))
    for _ in range(draw(st.integers(1, 8))):
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame)


ATTACKS = st.one_of(
    RANDOM,
    RANDOM.map(framed),
    VALUES.map(lambda value: framed(msgspec.msgpack.encode(value))),
    QUERIES.map(lambda query: wire.frame(wire.Request(id=7, query=query))),
    damaged(),
)


def test_no_frame_harms_the_program_or_keeps_others_from_their_answers(node: ObservedNode) -> None:
    program = psutil.Process(node.process.pid)
    with node.client() as watcher:
        before = watcher.stats()
        memory = program.memory_info().rss
        worker = watcher.pid("app/pool/worker-1")
        given_work = 0

        @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
        @given(attack=ATTACKS, greeted=st.booleans())
        def attacked(attack: bytes, greeted: bool) -> None:
            nonlocal given_work
            with node.client(hello=greeted) as client:
                client.write_while_it_lasts(attack, 1)
            assert isinstance(watcher.ask(wire.Send(pid=worker, message="'work'", via="cast")), wire.Done)
            given_work += 1
            assert watcher.stats().process_count >= before.process_count

        attacked()
        assert node.process.poll() is None
        assert watcher.stats().crashed == before.crashed
        eventually(lambda: watcher.stats().messages >= before.messages + given_work)
    eventually(lambda: program.memory_info().rss < memory + 64 * 2**20)

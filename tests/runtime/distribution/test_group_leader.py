"""What is printed by functions that a Python node runs on a BEAM: it comes out here."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runtime import call, erpc, flush, receive, self_, send, sleep, spawn, whereis
from runtime import cast as cast_to
from runtime.distribution import group_leader
from runtime.distribution.cluster import local_node
from runtime.kernel.node import current_process, this_node
from runtime.terms.atom import Atom
from tests.support.other_nodes import beam_node, named

DEADLINE = 60.0


def test_what_a_beam_prints_for_us_is_written_here(capfd: pytest.CaptureFixture[str]) -> None:
    @named
    def main() -> None:
        with beam_node() as beam:
            beam.connect()
            assert erpc.call(beam.name, ("io", "format"), [*b"~p and ~ts~n"], [Atom("one"), "zwölf"], timeout=DEADLINE)
            assert erpc.call(beam.name, ("io", "put_chars"), "plain\n", timeout=DEADLINE) == "ok"
            assert erpc.call(beam.name, ("io", "get_line"), "?", timeout=DEADLINE) == "eof"
            spawn(("io", "format"), [*b"spawned~n"], node=beam.name)
            written = ""
            while "spawned" not in written:
                sleep(0.02)
                written += capfd.readouterr().out
            assert written == "one and zwölf\nplain\nspawned\n"
            assert flush() == []

    main()


def test_only_a_node_that_may_be_a_beam_gets_one() -> None:
    @named
    def main() -> None:
        local, caller = local_node(this_node()), current_process("test")
        assert local is not None
        python, beam = SimpleNamespace(is_python=True), SimpleNamespace(is_python=False)
        for connection, last, has_one in (
            (python, python, False),
            (None, python, False),  # lost a moment ago
            (beam, python, True),
            (None, beam, True),
            (None, None, True),  # not known yet
        ):
            remote = cast(Any, SimpleNamespace(connection=connection, last=last))
            assert (group_leader.leader_for(local, remote, caller) is not caller.pid) == has_one
            assert (local.group_leader is not None) == has_one

    main()


def test_requests_that_are_none_are_refused(capfd: pytest.CaptureFixture[str]) -> None:
    @named
    def main() -> None:
        for request, outcome in (
            (("put_chars", "unicode", [b"caf\xc3\xa9", [33, "\n"]]), "ok"),
            (("put_chars", "latin1", b"\xe9\n"), "ok"),
            (("put_chars", "unicode", {"no": "text"}), ("error", "put_chars")),
            (
                ("requests", [("put_chars", "unicode", "a"), ("nonsense",), ("put_chars", "unicode", "b")]),
                ("error", "request"),
            ),
            (("get_geometry", "columns"), ("error", "enotsup")),
            (("setopts", []), "ok"),
            ("getopts", []),
            (7, ("error", "request")),
            (("put_chars", "unicode", [10**30]), ("error", "put_chars")),
        ):
            group_leader._serve(self_(), 5, request)
            assert receive(timeout=1) == ("io_reply", 5, outcome)
        assert capfd.readouterr().out.endswith("café!\né\na")

    main()


def test_who_prints_what_the_output_cannot_write_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    @named
    def main() -> None:
        monkeypatch.setattr(sys, "stdout", TextIOWrapper(BytesIO(), "ascii"))
        group_leader._serve(self_(), 5, ("put_chars", "unicode", "zwölf"))
        assert receive(timeout=1) == ("io_reply", 5, ("error", "put_chars"))

    main()


def test_calls_and_casts_do_not_end_the_servers_that_other_nodes_know() -> None:
    @named
    def main() -> None:
        local, caller = local_node(this_node()), current_process("test")
        assert local is not None
        leader = group_leader.leader_for(local, cast(Any, SimpleNamespace(connection=None, last=None)), caller)
        for server in (leader, whereis("net_kernel")):
            assert server is not None
            cast_to(server, Atom("nonsense"))
            send(server, Atom("nonsense"))
            assert call(server, Atom("nonsense")) == ("error", "badarg")

    main()

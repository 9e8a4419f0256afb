"""What a process is in Erlang's terms: known figures, real messages, and nothing that nobody knows."""

from __future__ import annotations

import threading

import pytest

from runtime import GenServer, dictionary, flag, link, monitor, receive, register, run, self_, send, sleep, spawn
from runtime.distribution.spawn_requests import BadArgumentError
from runtime.otp_modules.described import (
    MOST_ITEMS,
    MOST_MESSAGES,
    UNKNOWN,
    call_of,
    current_function,
    items_of,
    name_of,
    process_of,
    told,
)
from runtime.terms.atom import Atom
from runtime.terms.text import render


class Idle(GenServer):
    """A server that waits."""


def hold(word: str) -> None:
    """Wait for a message that does not come."""
    flag(trap_exit=True)
    dictionary()["word"] = word
    receive(("never",))


def test_a_process_is_told_with_its_links_monitors_messages_and_dictionary() -> None:
    def main() -> None:
        pid = spawn(hold, "tea")
        link(pid)
        monitor(pid)
        send(pid, ("hello", {"x": 1}))
        sleep(0)
        process = process_of(pid)
        assert process is not None
        items = dict(items_of(process, [Atom(name) for name in ("links", "monitored_by", "messages", "dictionary")]))
        assert items["links"] == items["monitored_by"] == [self_()]
        assert items["messages"] == [("hello", {"x": 1})]
        assert items["dictionary"] == [("word", "tea")]
        assert items_of(process, Atom("trap_exit")) == ("trap_exit", True)
        assert items_of(process, Atom("current_function"))[1][:2] == ("test_described", "hold")
        assert call_of(process) == (f"{__name__}", "hold", 1)
        frames = items_of(process, Atom("current_stacktrace"))[1]
        assert any(function == "hold" and location[1][0] == "line" for _, function, _, location in frames)

    run(main)


def test_what_nobody_knows_is_left_out_of_a_list_and_is_badarg_alone() -> None:
    def main() -> None:
        process = process_of(self_())
        assert process is not None
        unknown = [Atom(name) for name in sorted(UNKNOWN)]
        assert items_of(process, [*unknown, Atom("trap_exit")]) == [("trap_exit", False)]
        for wrong in (Atom("heap_size"), Atom("nonsense"), [Atom("nonsense")]):
            with pytest.raises(BadArgumentError):
                items_of(process, wrong)
        with pytest.raises(BadArgumentError):
            process_of("no pid")

    run(main)


def test_a_name_comes_alone_as_otp_has_it() -> None:
    def main() -> None:
        process = process_of(self_())
        assert process is not None
        asked = Atom("registered_name")
        assert (items_of(process, asked), items_of(process, [asked])) == ([], [(asked, [])])
        register("me", self_())
        assert items_of(process, asked) == (asked, "me")
        assert name_of(process) == "me"

    run(main)


def test_a_server_that_waits_is_in_its_loop_and_has_its_ancestry() -> None:
    def main() -> None:
        process = process_of(Idle.start_link())
        assert process is not None
        assert current_function(process) == ("gen_server", "loop", 0)
        dictionary_ = dict(items_of(process, Atom("dictionary"))[1])
        assert dictionary_["$ancestors"] == [self_()]
        assert dictionary_["$initial_call"] == (f"{__name__}.Idle", "init", 1)

    run(main)


def test_of_a_long_mailbox_the_first_messages_are_told_and_how_many_follow() -> None:
    def main() -> None:
        pid = spawn(hold, "tea")
        for number in range(MOST_MESSAGES + 7):
            send(pid, number)
        process = process_of(pid)
        assert process is not None
        messages = items_of(process, Atom("messages"))[1]
        assert messages[:MOST_MESSAGES] == [*range(MOST_MESSAGES)]
        assert messages[MOST_MESSAGES:] == ["... and 7 more messages"]

    run(main)


def test_a_value_without_a_term_is_told_as_text_and_a_large_one_as_well() -> None:
    lock = threading.Lock()
    assert told([1, lock]) == [1, render(lock)]
    assert told({"a": (1.5, None)}) == {"a": (1.5, None)}
    assert isinstance(told([*range(MOST_ITEMS + 1)]), str)
    loop: list[object] = []
    loop.append(loop)
    assert isinstance(told(loop), str)

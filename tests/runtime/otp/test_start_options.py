"""Options of a server's start: priority and debug."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import GenServer, call, process_info, sys
from runtime.otp.callbacks import Callbacks
from runtime.otp.start_options import take_options
from tests.support.in_node import in_node
from tests.support.trees import Idle


def test_options_are_taken_out_of_the_arguments_unless_init_has_them() -> None:
    class Plain:
        def init(self, count: int = 0) -> None: ...

        def own(self, priority: str) -> None: ...

        def any(self, **kwargs: Any) -> None: ...

    given = {"priority": "high", "debug": ["trace"], "count": 7}
    assert take_options(Plain().init, given) == ({"priority": "high", "debug": ["trace"]}, {"count": 7})
    assert take_options(Plain().own, {"priority": "x"}) == ({}, {"priority": "x"})
    assert take_options(Plain().any, given) == ({}, given)
    assert take_options(Callbacks.init, {"count": 7}) == ({}, {"count": 7})


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"priority": "huge"}, ValueError, "priority is one of .*, not 'huge'"),
        ({"debug": "trace"}, TypeError, "debug is a list of .*, not 'trace'"),
        ({"debug": 7}, TypeError, "debug is a list of .*, not 7"),
        ({"debug": ["tarce"]}, ValueError, "debug has 'tarce'; allowed are 'trace'"),
        ({"debug": [("log", 0)]}, ValueError, "debug has .'log', 0."),
        ({"debug": [("log", True)]}, ValueError, "debug has"),
        ({"debug": [("install", [], print, None)]}, ValueError, "debug has"),
        ({"debug": [("install", "key", 7, None)]}, ValueError, "debug has"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        take_options(Callbacks.init, options)


@in_node
def test_a_server_starts_with_its_priority_and_is_followed_from_its_first_message_on() -> None:
    seen: list[object] = []
    options: list[Any] = ["statistics", ("log", 2), ("install", "key", lambda state, event: seen.append(event), None)]
    pid = Idle.start_link(priority="high", debug=options)
    assert pid is not None
    assert process_info(pid, "priority") == {"priority": "high"}
    call(pid, "hello")
    assert sys.statistics(pid, "get")["messages_in"] == 1
    assert [event[0] for event in sys.get_log(pid)] == ["in", "out"]
    assert len(seen) == 2


@in_node
def test_a_server_without_options_has_none() -> None:
    pid = GenServer.start_link()
    assert pid is not None
    assert process_info(pid, "priority") == {"priority": "normal"}
    assert sys.statistics(pid, "get") == "no_statistics"

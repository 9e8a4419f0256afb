"""System messages: what is refused before a server is asked. What they do, the conformance scenarios show."""

from typing import Any

import pytest

from runtime import GenServer, sys
from tests.support.in_node import in_node


@in_node
def test_wrong_arguments_are_refused_at_the_call() -> None:
    pid = GenServer.start_link()
    calls: list[tuple[Any, ...]] = [(sys.replace_state, 7), (sys.install, "key", 7, None)]
    for function, *arguments in calls:
        with pytest.raises(TypeError, match="takes a function, not 7"):
            function(pid, *arguments)
    calls = [(sys.trace, "on"), (sys.log, "on"), (sys.statistics, "on"), (sys.log, True, 0)]
    for function, *arguments in calls:
        with pytest.raises(ValueError, match=f"{function.__name__}()"):
            function(pid, *arguments)
    assert sys.get_state(pid) == {}

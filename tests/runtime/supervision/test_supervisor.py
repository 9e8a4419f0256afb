from typing import Any

import pytest

from runtime import (
    IGNORE,
    StartError,
    Supervisor,
    SupervisorSpec,
)
from tests.support.in_node import in_node
from tests.support.recording_server import member


class Tree(Supervisor):
    """A supervisor in the module form."""

    def init(self, answer: Any) -> Any:
        if answer == "raise":
            return SupervisorSpec([member("a", shutdown=-1)])
        return answer


@in_node
def test_a_spec_that_is_wrong_inside_init_fails_the_start_with_otps_reason() -> None:
    with pytest.raises(StartError) as caught:
        Tree.start("raise")
    assert caught.value.reason == ("start_spec", ("invalid_shutdown", -1))


@in_node
def test_an_init_that_gives_no_spec_fails_the_start() -> None:
    with pytest.raises(StartError) as caught:
        Tree.start("garbage")
    assert caught.value.reason == ("bad_return", ("Tree", "init", "garbage"))
    assert Tree.start(IGNORE) is None


def test_a_spec_that_is_wrong_inside_init_is_logged_with_what_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def play() -> None:
        with pytest.raises(StartError):
            Tree.start("raise")

    play()
    lines = [record.getMessage() for record in caplog.records if record.name == "runtime.supervisor"]
    assert [line.partition("; allowed are seconds")[0] for line in lines] == [
        "Tree cannot start: child 'a' has shutdown=-1"
    ]

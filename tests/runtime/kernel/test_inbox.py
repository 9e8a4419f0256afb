"""What other threads ask the hub for is done once, although the handler of a signal raises in the middle of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from runtime import Exit, flag, flush, receive, run, self_, send, sleep
from runtime.kernel.inbox import Parcel
from runtime.kernel.node import this_node
from runtime.kernel.outside import Ear, OutsideRequest
from runtime.kernel.process import OUTSIDE, WAITING
from runtime.kernel.signals import exit_signal
from tests.runtime.kernel.test_headroom import Struck
from tests.runtime.kernel.test_strikes import Strikes, strikes, wait_until


class HandlerStrikes(Strikes):
    """Has the handler of a signal raise, which the runtime tells apart from what its own calls raise."""

    def strike(self) -> None:
        """Raise the signal."""
        signal.raise_signal(signal.SIGUSR1)


def handle(number: int, frame: object) -> None:
    raise Struck


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, handle)
    yield
    signal.signal(signal.SIGUSR1, before)


def struck_in_hub(number: int, function: Callable[..., Any], *args: Any) -> bool:
    """Have the hub call it as for another thread, and strike at that point. Returns whether there were so many."""
    node = this_node()
    node._inbox.calls.append((function, args))
    reached: list[bool] = []

    def attempt() -> None:
        striking = HandlerStrikes(number, lines=False)
        with suppress(Struck), striking:
            node._inbox._take()
        reached.append(striking.reached)

    node.hub.loop.run_callback(attempt)
    wait_until(lambda: reached and not node._inbox.calls, f"the call is not made after a strike at point {number}")
    return reached[0]


def test_a_message_from_another_thread_arrives_once_wherever_a_handler_raises() -> None:
    def main() -> None:
        for number in strikes():
            process = this_node().find(self_().id)
            reached = struck_in_hub(number, Parcel(number).deliver, process)
            assert flush() == [number]
            if not reached:
                break
        assert number > 1

    run(main)


def test_an_exit_signal_from_another_thread_arrives_once_wherever_a_handler_raises() -> None:
    def main() -> None:
        flag(trap_exit=True)
        for number in strikes():
            reached = struck_in_hub(number, exit_signal, this_node().find(self_().id), OUTSIDE, number)
            assert flush() == [Exit(OUTSIDE, number)]
            if not reached:
                break
        assert number > 1

    run(main)


def made_and_answered(number: int, begin: Callable[[OutsideRequest[Any]], Any], others: int = 0) -> bool:
    """Strike at that point where a request begins; it is made once. Returns whether there were so many."""
    here = self_()
    request = OutsideRequest(lambda: send(here, "made"))
    request.wake = lambda: send(here, "answered")
    reached = struck_in_hub(number, begin, request)
    assert [receive(timeout=60) for _ in range(2)] == ["made", "answered"], f"at point {number}"
    wait_until(lambda: this_node().alive == 1 + others, f"a process is left at point {number}")
    assert flush() == []
    return reached


def test_a_request_from_another_thread_is_made_once_and_answered_wherever_a_handler_raises() -> None:
    def main() -> None:
        for number in strikes():
            if not made_and_answered(number, lambda request: request.begin(this_node(), "a test")):
                break
        assert number > 1

    run(main)


def waits(ear: Ear) -> bool:
    return ear.process is not None and ear.process.state is WAITING


def test_a_request_of_a_thread_with_monitors_is_made_once_and_answered_wherever_a_handler_raises() -> None:
    def main() -> None:
        node = this_node()
        for has_monitors in (False, True):  # else its process ends with each request
            ear = Ear(node)
            if has_monitors:
                node.call_soon_threadsafe(ear._begin, node, OutsideRequest(lambda: send(self_(), "kept")))
                wait_until(partial(waits, ear), "its process waits")
            for number in strikes():
                if not made_and_answered(number, partial(ear._begin, node), has_monitors):
                    break
            assert number > 1

    run(main)


def test_what_a_call_raises_itself_is_logged_and_it_is_not_made_again(caplog: pytest.LogCaptureFixture) -> None:
    made: list[str] = []

    def fail() -> None:
        made.append("made")
        raise LookupError("of its own")

    def main() -> None:
        this_node().call_soon_threadsafe(fail)
        this_node().call_soon_threadsafe(send, self_(), "next")
        receive("next", timeout=60)

    run(main)
    assert made == ["made"]
    assert [record.getMessage() for record in caplog.records] == ["a request from another thread failed"]


def test_what_is_to_end_the_program_does_so_and_is_not_called_again() -> None:
    made: list[str] = []

    def fail() -> None:
        made.append("made")
        raise KeyboardInterrupt

    def main() -> None:
        this_node().call_soon_threadsafe(fail)
        this_node().call_soon_threadsafe(exit_signal, this_node().find(self_().id), self_(), "end")
        sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert made == ["made"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_a_handler_ends_the_program_in_the_middle_of_a_call_which_is_made_all_the_same(
    ending: type[BaseException],
) -> None:
    made: list[str] = []

    def end(number: int, frame: object) -> None:
        raise ending

    def begin() -> None:
        if not made:
            made.append("begun")
            signal.raise_signal(signal.SIGUSR1)
        made.append("made")

    def main() -> None:
        this_node().call_soon_threadsafe(begin)
        receive("end", timeout=60)

    signal.signal(signal.SIGUSR1, end)
    with pytest.raises(ending):
        run(main)
    assert made == ["begun", "made"]


def test_a_call_is_made_although_the_hub_has_left_an_exception_of_a_handler_behind() -> None:
    made: list[str] = []

    def begin() -> None:
        made.append("begun")
        if len(made) == 1:
            try:
                handle(signal.SIGUSR1, None)
            except Struck as struck:
                raise SystemError("returned a result with an exception set") from struck

    def main() -> None:
        this_node().call_soon_threadsafe(begin)
        this_node().call_soon_threadsafe(send, self_(), "next")
        receive("next", timeout=60)

    run(main)
    assert made == ["begun", "begun"]

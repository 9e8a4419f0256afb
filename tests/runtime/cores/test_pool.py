"""A pool of peers: its tasks and streams, also when peers are killed."""

import os
import signal
import sys as interpreter
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from glob import glob
from types import FrameType
from typing import Any

import pytest

from runtime import (
    CallError,
    Crash,
    Pid,
    await_,
    cores,
    disconnect_node,
    erpc,
    exit,
    flag,
    get_cookie,
    peer,
    process_info,
    processes,
    receive,
    run,
    self_,
    set_cookie,
    sleep,
    spawn,
    sys,
    which_children,
)
from runtime.cores.stream import _Stream
from runtime.cores.task import retries_of
from tests.support.other_nodes import add, leave

DEADLINE = 60.0


def square(number: int, offset: int = 0) -> int:
    """Compute a little."""
    if number == -1:
        raise ValueError("as asked")
    return number * number + offset


def hold(path: str) -> int:
    """Say which process this is, and return its number once a file says go."""
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8"):
        while not os.path.exists(path):
            pass
    return os.getpid()


def release(path: str, count: int) -> None:
    """Let those who hold go, once so many do."""
    while len(glob(f"{path}.*")) < count:
        sleep(0.01)
    with open(path, "w", encoding="utf-8"):
        pass
    for each in glob(f"{path}.*"):
        os.remove(each)


def peers_of(pool: Pid) -> list[int]:
    (inner,) = [child.pid for child in which_children(pool) if child.id == "peers"]
    return [peer.os_pid(child.pid) for child in which_children(inner) if child.pid is not None]


def in_pool(test: Callable[[Pid], None]) -> Callable[[], None]:
    @wraps(test)
    def run_test() -> None:
        def main() -> None:
            pool = cores.Pool.start_link(2)
            assert pool is not None
            test(pool)

        run(main)

    del run_test.__wrapped__  # pytest would take the pool for a fixture
    return run_test


@in_pool
def test_work_goes_to_all_peers_and_outcomes_come_back_in_order(pool: Pid) -> None:
    assert len(cores.nodes(pool)) == 2
    assert [*cores.async_stream(pool, range(5_000), square, offset=1)] == [("ok", n * n + 1) for n in range(5_000)]
    outcomes = [*cores.async_stream(pool, [1, -1, 2], square, ordered=False)]
    assert sorted(map(repr, outcomes)) == sorted(
        map(repr, [("ok", 1), ("exit", Crash("ValueError", "as asked")), ("ok", 4)])
    )
    assert [*cores.async_stream(pool, [], square)] == []
    assert [*cores.async_stream(pool, [3], interpreter.exit)] == [("exit", Crash("SystemExit", "3"))]
    assert [await_(cores.async_(pool, add, n, other=1), DEADLINE) for n in range(4)] == [1, 2, 3, 4]
    flag(trap_exit=True)
    task = cores.async_(pool, leave, "by itself")
    assert receive(lambda message: getattr(message, "pid", None) == task.pid, timeout=DEADLINE).reason == "by itself"


def wait_for(folder: str, ends: int) -> list[int]:
    import gevent

    while len(found := [int(name.rpartition(".")[2]) for name in os.listdir(folder) if "." in name]) < ends:
        gevent.sleep(0.01)
    return found


def test_what_ran_on_a_killed_peer_is_told_or_run_again(tmp_path: object) -> None:
    def main() -> None:
        pool = cores.Pool.start_link(2)
        assert pool is not None
        flag(trap_exit=True)
        path = f"{tmp_path}/go"
        told, again = cores.async_(pool, hold, path), cores.async_(pool, hold, path, retry=True)
        for os_pid in wait_for(str(tmp_path), 2):
            os.kill(os_pid, signal.SIGKILL)
        with pytest.raises(Exception, match="noconnection"):
            await_(told, DEADLINE)
        with open(path, "w", encoding="utf-8"):
            pass
        assert await_(again, DEADLINE) in peers_of(pool)
        stream = cores.async_stream(pool, range(3_000), square, retry=True)
        outcomes = [next(stream)]
        for os_pid in peers_of(pool):
            os.kill(os_pid, signal.SIGKILL)
        outcomes += stream
        assert outcomes == [("ok", n * n) for n in range(3_000)]
        exit(pool, "shutdown")
        receive(lambda message: getattr(message, "pid", None) == pool, timeout=DEADLINE)

    run(main)


def kill_own_peer(number: int, poison: int = -1, path: str = "") -> int:
    """Return the number; the poison ends the program, and writes a line about it."""
    if number == poison:
        with open(path, "a", encoding="utf-8") as file:
            file.write("once\n")
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@in_pool
def test_what_kills_each_peer_is_given_up_and_the_rest_is_done(pool: Pid) -> None:
    with tempfile.NamedTemporaryFile() as file:
        outcomes = cores.async_stream(pool, range(500), kill_own_peer, poison=3, path=file.name, retry=2)
        assert [*outcomes] == [("ok", n) if n != 3 else ("exit", "noconnection") for n in range(500)]
        assert file.read() == b"once\n" * 3
        flag(trap_exit=True)
        task = cores.async_(pool, kill_own_peer, 3, 3, file.name, retry=1)
        with pytest.raises(Exception, match="noconnection"):
            await_(task, DEADLINE)
        assert file.read() == b"once\n" * 2


class TwoArgumentsError(Exception):
    """Can be pickled, but not unpickled, as many exceptions."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} {number}")


class OnlyHere:
    """Can be unpickled in this program, and on no peer."""

    def __reduce__(self) -> tuple[object, ...]:
        return restore, (os.getpid(),)


def restore(program: int) -> OnlyHere:
    if os.getpid() != program:
        raise LookupError("not here")
    return OnlyHere()


def give_odd(number: int, odd: int) -> object:
    """Return the number; for the odd one and the next something that cannot travel."""
    match number - odd:
        case 0:
            return TwoArgumentsError("odd", number)
        case 1:
            return lambda: None
    return number


@in_pool
def test_a_result_that_does_not_travel_is_an_exit_and_the_others_come(pool: Pid) -> None:
    for count, odd in ((6, 3), (5_000, 1_234), (5_000, 4_999)):
        outcomes: list[Any] = [*cores.async_stream(pool, range(count), give_odd, odd=odd)]
        assert len(outcomes) == count
        for number, (kind, value) in enumerate(outcomes):
            match number - odd:
                case 0:
                    assert (kind, value[0]) == ("exit", "unreadable_reply")
                    assert "TwoArgumentsError.__init__() missing 1 required" in value[1]
                case 1:
                    assert (kind, value.exception) == ("exit", "TypeError")
                    assert "cannot be pickled" in str(value)
                case _:
                    assert (kind, value) == ("ok", number)


@in_pool
def test_an_item_that_does_not_travel_is_an_exit_and_the_others_come(pool: Pid) -> None:
    items: list[object] = [*range(3_000)]
    items[2], items[1_500], items[-1] = OnlyHere(), OnlyHere(), lambda: None
    for ordered in (True, False):
        outcomes: list[Any] = [*cores.async_stream(pool, items, type, ordered=ordered)]
        assert outcomes.count(("ok", int)) == 2_997
        exits = [value for kind, value in outcomes if kind == "exit"]
        unreadable = [value[1] for value in exits if type(value) is tuple and value[0] == "unreadable_request"]
        assert [text.partition(";")[0] for text in unreadable] == ["LookupError: not here"] * 2
        assert [value.exception for value in exits if type(value) is Crash] == ["TypeError"]


def nested(levels: int) -> list[Any]:
    """Return a list in lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


class ExitsWhenPickled:
    """Ends what sends it."""

    def __reduce__(self) -> Any:
        raise SystemExit(3)


def give_deep(number: int, odd: int) -> object:
    """Return the number; for the odd one and the next a value whose copying fails."""
    return nested(5_000) if number == odd else ExitsWhenPickled() if number == odd + 1 else number


@in_pool
def test_a_value_whose_copying_fails_is_an_exit_and_the_others_come(pool: Pid) -> None:
    outcomes: list[Any] = [*cores.async_stream(pool, range(3_000), give_deep, odd=1_234)]
    assert [number for number, (kind, _) in enumerate(outcomes) if kind == "exit"] == [1_234, 1_235]
    assert [value.exception for kind, value in outcomes if kind == "exit"] == ["RecursionError", "SystemExit"]
    kinds = [kind for kind, _ in cores.async_stream(pool, [1, nested(5_000), 3], type)]
    assert kinds == ["ok", "exit", "ok"]


@in_pool
def test_as_many_items_as_peers_run_on_one_each(pool: Pid) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/go"
        for items in ([path, path], iter([path, path])):
            with suppress(FileNotFoundError):
                os.remove(path)
            spawn(release, path, 2)  # only when both run
            assert {*cores.async_stream(pool, items, hold)} == {("ok", pid) for pid in peers_of(pool)}


def raising_after(count: int) -> Iterator[int]:
    """Yield some numbers, then fail."""
    yield from range(count)
    raise ValueError("no more items")


@in_pool
def test_items_that_raise_end_a_stream_when_the_outcomes_before_are_given(pool: Pid) -> None:
    for count in (0, 1, 5_003):
        for ordered in (True, False):
            outcomes: list[Any] = []
            stream = cores.async_stream(pool, raising_after(count), square, ordered=ordered)
            with pytest.raises(ValueError, match="no more items"):
                outcomes.extend(stream)
            assert sorted(outcomes) == [("ok", number * number) for number in range(count)]


@in_pool
def test_no_items_are_taken_after_one_that_raises(pool: Pid) -> None:
    outcomes: list[Any] = []
    with pytest.raises(ValueError, match="invalid literal"):
        outcomes.extend(cores.async_stream(pool, map(int, "1" * 5_003 + "x" + "3" * 5_003), square))
    assert outcomes == [("ok", 1)] * 5_003


class StruckError(Exception):
    """What a signal's handler raises."""


def strike(number: int, frame: FrameType | None) -> None:
    """Raise, as the handler of a signal."""
    raise StruckError


def struck_after(count: int) -> Iterator[int]:
    """Yield some numbers, then have a signal's handler raise."""
    yield from range(count)
    signal.raise_signal(signal.SIGUSR1)


@in_pool
def test_what_a_handler_raises_amid_the_items_ends_a_stream_at_once(pool: Pid) -> None:
    before = signal.signal(signal.SIGUSR1, strike)
    try:
        outcomes: list[Any] = []
        with pytest.raises(StruckError):
            outcomes.extend(cores.async_stream(pool, struck_after(1), square))
        assert outcomes == []
    finally:
        signal.signal(signal.SIGUSR1, before)


@in_pool
def test_arguments_that_do_not_travel_end_a_stream_at_once(pool: Pid) -> None:
    for argument, error, words in ((OnlyHere(), CallError, "not here"), (lambda: None, TypeError, "cannot be pickled")):
        with pytest.raises(error, match=words):
            [*cores.async_stream(pool, [1], square, argument)]


def work_or_die(number: int) -> int:
    """Return in which program this runs, after some work; die of 0."""
    if number == 0:
        exit(self_(), "kill")
    sum(range(20_000))
    return os.getpid()


@in_pool
def test_a_worker_that_is_killed_by_its_work_is_started_again(pool: Pid) -> None:
    first, *others = cores.async_stream(pool, range(2_000), work_or_die)
    assert first == ("exit", "killed")
    assert {value for kind, value in others if kind == "ok"} == set(peers_of(pool))


@in_pool
def test_a_task_says_that_its_result_does_not_travel(pool: Pid) -> None:
    flag(trap_exit=True)
    task = cores.async_(pool, give_odd, 1, 1, retry=True)
    with pytest.raises(CallError) as caught:
        await_(task, DEADLINE)
    assert caught.value.reason[0] == "unreadable_reply"


@pytest.mark.parametrize("retry", [-1, 1.5, "yes", None])
def test_a_number_of_retries_is_checked(retry: object) -> None:
    with pytest.raises(ValueError, match="retry is True, False or a number of times"):
        retries_of(retry)


def workers_there() -> int:
    """Return how many processes of this node run batches of a stream."""
    return sum("run_batches" in str(process_info(pid, "label")) for pid in processes())


def is_told(number: int, path: str) -> bool:
    """Return at once for the first number, and for the others once there is a file, unless none comes."""
    ends = time.monotonic() + DEADLINE
    while number and not os.path.exists(path) and time.monotonic() < ends:
        time.sleep(0.01)
    return not number or os.path.exists(path)


def test_the_outcomes_of_a_batch_come_before_the_next_one_has_run(tmp_path: object) -> None:
    def main() -> None:
        pool = cores.Pool.start_link(1)
        assert pool is not None
        path = f"{tmp_path}/told"
        stream = cores.async_stream(pool, [0, 1], is_told, path)
        assert next(stream) == ("ok", True)
        with open(path, "w", encoding="utf-8"):
            pass
        assert [*stream] == [("ok", True)]

    run(main)


@in_pool
def test_a_stream_that_is_over_leaves_nothing_behind(pool: Pid) -> None:
    (directory,) = [child.pid for child in which_children(pool) if child.id == "directory"]
    for _ in range(3):
        assert [*cores.async_stream(pool, [1], square)] == [("ok", 1)]
        stream = cores.async_stream(pool, range(100_000), square)
        assert next(stream) == ("ok", 0)
        stream.close()  # type: ignore[attr-defined]  # a generator
    assert sys.get_state(directory)["listeners"] == {}
    ends = time.monotonic() + DEADLINE
    while any(erpc.call(name, workers_there, timeout=None) for name in cores.nodes(pool)):
        assert time.monotonic() < ends, "workers are left"
        sleep(0.02)
    assert receive(timeout=0.5, default="nothing") == "nothing"


@in_pool
def test_a_stream_goes_on_when_peers_can_be_reached_again(pool: Pid) -> None:
    names = cores.nodes(pool)
    in_vain = []
    add_worker = _Stream._add_worker

    def add_in_vain(stream: _Stream[Any, Any], name: str) -> None:
        add_worker(stream, name)
        if not stream.workers:
            in_vain.append(name)
        if len(in_vain) > len(names):  # it has tried each when it lost the last one, and now again
            set_cookie(name, get_cookie())

    stream = cores.async_stream(pool, range(20_000), square, retry=True)
    assert next(stream) == ("ok", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Stream, "_add_worker", add_in_vain)
        for name in names:
            set_cookie(name, "another one")
            disconnect_node(name)
        assert [*stream] == [("ok", square(number)) for number in range(1, 20_000)]
    assert len(in_vain) > len(names)


@in_pool
def test_a_stream_ends_with_its_pool(pool: Pid) -> None:
    flag(trap_exit=True)
    stream = cores.async_stream(pool, range(10_000_000), square, retry=True)
    assert next(stream) == ("ok", 0)
    exit(pool, "shutdown")
    with pytest.raises(CallError):
        for _ in stream:
            pass


@pytest.mark.parametrize("size", [0, 1_001, 10**400])
def test_a_pool_has_at_least_one_peer_and_not_a_thousand(size: int) -> None:
    with pytest.raises(ValueError, match="at least 1 and at most 1,000"):
        cores.Pool._default_spec(size)

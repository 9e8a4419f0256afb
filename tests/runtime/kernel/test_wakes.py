"""What gevent tells a process that waits for it arrives, although the handler of a signal raises just then."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import gevent
import pytest
from gevent.hub import Waiter

from runtime import receive, run, self_, send, spawn
from runtime.compiled.about import kernel_in_use
from runtime.kernel import process as records
from runtime.kernel.node import this_node
from tests.runtime.kernel.test_headroom import Struck
from tests.runtime.kernel.test_strikes import Strikes, wait_until

pytestmark = pytest.mark.skipif(
    kernel_in_use()[0] == "python", reason="a handler raises as the function of Python's begins that wakes a process"
)


class StrikesOfRecords(Strikes):
    """Strikes in the module of the records, of which a worker is one."""

    def __init__(self) -> None:
        super().__init__(1)
        self._files = (str(records.__file__),)


@pytest.mark.parametrize("raises", [False, True])
def test_a_process_that_waits_for_gevent_goes_on_although_a_handler_raises_as_it_is_woken(raises: bool) -> None:
    def main() -> Any:
        here, struck = self_(), list[bool]()
        waiter: Any = Waiter()

        def wait() -> None:
            try:
                send(here, ("woken", waiter.get()))
            except gevent.Timeout:
                send(here, ("woken", "raised"))

        def wake() -> None:
            with suppress(Struck), StrikesOfRecords() as striking:
                if raises:
                    waiter.throw(gevent.Timeout())
                else:
                    waiter.switch("switched")
            struck.append(striking.reached)

        spawn(wait)
        wait_until(lambda: waiter.greenlet is not None, "it waits")
        this_node().hub.loop.run_callback(wake)
        got = receive(("woken", str), timeout=60)[1]
        return got, struck

    assert run(main) == ("raised" if raises else "switched", [False])

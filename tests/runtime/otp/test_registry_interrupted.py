import logging
from contextlib import suppress
from typing import Any

from runtime import CallError, Down, Registry, receive, sleep, spawn_monitor, stop
from runtime.kernel.signals import unlink_processes
from tests.support.in_node import in_node
from tests.support.interrupted import Interrupted


@in_node
def test_a_registry_that_is_interrupted_while_it_ends_leaves_no_member_behind() -> None:
    logging.disable(logging.CRITICAL)
    step, has_raised = 0, True

    class Ending(Registry):
        def terminate(self, reason: Any) -> None:
            nonlocal has_raised
            interrupted = Interrupted(step, Registry.terminate, unlink_processes)
            try:
                with interrupted:
                    super().terminate(reason)
            finally:
                has_raised = interrupted.has_raised

    def wait_registered(name: str) -> None:
        Registry.register(name, "key")
        receive()

    try:
        while has_raised:
            name = f"ending {step}"
            registry = Ending.start(keys="unique", name=name)
            _member, ref = spawn_monitor(wait_registered, name)
            sleep(0)
            assert Registry.count(name) == 1
            with suppress(CallError):
                stop(registry, "shutdown")
            down = receive(Down, timeout=1, default=None)
            assert getattr(down, "ref", None) == ref, f"step {step}: the member lives on"
            step += 1
    finally:
        logging.disable(logging.NOTSET)
    assert step > 4

"""What the tests of the distribution share: an epmd of their own, and nodes that end with the test."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.distribution.epmd_server import Server
from runtime.distribution.net_kernel import NetKernel
from tests.support.kernels import Diary, start_kernel, wait_until

StartKernel = Callable[..., NetKernel]


@pytest.fixture(scope="session")
def epmd_port() -> Iterator[int]:
    """An epmd on a port of its own, served by a thread."""
    server = Server(["127.0.0.1"], 0, lonely=600)
    goes_on = [True]
    thread = threading.Thread(target=server.run, args=(lambda: goes_on[0], 0.05))
    thread.start()
    yield server.port
    goes_on[0] = False
    thread.join()


@pytest.fixture
def kernels(epmd_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartKernel]:
    """Starts nodes, and closes them at the end."""
    monkeypatch.setenv("ERL_EPMD_PORT", str(epmd_port))
    started: list[NetKernel] = []

    def start(name: str, diary: Diary, **options: Any) -> NetKernel:
        started.append(start_kernel(name, diary, **options))
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()
    wait_until(lambda: not any(kernel.connections for kernel in started))

"""The reachable node: its name, its listening socket, its connections (OTP: net_kernel)."""

from __future__ import annotations

from ssl import SSLContext
from typing import Literal, NamedTuple

from runtime.distribution.connection import Connection
from runtime.distribution.parts import Conversion, Handler


class Tls(NamedTuple):
    """The contexts that connections are wrapped in: of those that come in, and of those that go out."""

    server: SSLContext
    client: SSLContext


class NetKernel:
    """A node that others reach. Made by `start`."""

    name: str
    creation: int
    port: int
    connections: dict[str, Connection]
    """The connections that are up, by the names of the nodes."""

    def connect(self, name: str) -> None:
        """Connect to a node in the background: ``on_up`` or ``on_failed`` comes."""
        raise NotImplementedError

    def close(self) -> None:
        """End every connection and stop listening."""
        raise NotImplementedError


def start(
    name: str,
    cookie: str,
    *,
    conversion: Conversion,
    handler: Handler,
    listen: str = "127.0.0.1",
    port: int = 0,
    hidden: bool = True,
    tls: Tls | None = None,
    insecure: bool = False,
    trust: Literal["pickle", "terms"] = "pickle",
    net_ticktime: float = 60.0,
    epmd: Literal["auto"] | None = "auto",
    binaries: Literal["text", "bytes"] = "text",
    none: Literal["nil", "undefined"] = "nil",
) -> NetKernel:
    """Make this node reachable. Raises DistributionError with a sentence when it cannot."""
    raise NotImplementedError

"""The port of a node, and its name at epmd, which is given again to an epmd that was started anew."""

from __future__ import annotations

import _socket
from typing import NamedTuple

from runtime.distribution import epmd
from runtime.distribution.errors import DistributionError
from runtime.kernel.threads import start_thread
from runtime.terms.log import Log

logger = Log("runtime.distribution")


class KeptRegistration:
    """Holds a name for as long as it is open, also when epmd ends and comes back. Raises DistributionError.

    `creation` is that of the first time: the node has not changed meanwhile.
    """

    def __init__(self, name: str, port: int, hidden: bool, everywhere: bool) -> None:
        self._arguments = (name, port, hidden, everywhere)
        first = epmd.register(*self._arguments)
        self.creation = first.creation
        self._transport = first.transport
        self._is_closed = False
        self._is_busy = False
        self._problem = ""

    def look_after(self) -> None:
        """Register again if epmd has hung up. From time to time, on any thread; what takes long is on another."""
        if self._is_closed or self._is_busy or self._transport.recv() is not None:
            return
        self._is_busy = True
        try:
            start_thread(self._register_again, ())
        except RuntimeError:  # the next look tries it again
            self._is_busy = False

    def _register_again(self) -> None:
        try:
            again = epmd.register(*self._arguments)
        except DistributionError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                logger.warning("epmd has ended, and other nodes do not find %s: %s", self._arguments[0], error)
        else:
            self._problem = ""
            self._transport.close()
            self._transport = again.transport
            if self._is_closed:
                again.transport.close()
        finally:
            self._is_busy = False

    def close(self) -> None:
        """End the registration: the name is free again."""
        self._is_closed = True
        self._transport.close()

    def abandon(self) -> None:
        """Close this process's copy of the socket, in the child of a fork."""
        self._is_closed = True
        self._transport.abandon()


class Reservation(NamedTuple):
    """What a node needs before it can begin: a port, and unless it does without epmd its name there."""

    listener: _socket.socket
    registration: KeptRegistration | None

    def give_back(self) -> None:
        """Let others have both."""
        self.listener.close()
        if self.registration is not None:
            self.registration.close()


def reserve(listen: str, port: int, name: str | None, hidden: bool, everywhere: bool) -> Reservation:
    """Take a port, and a name at epmd where one is given. May wait for seconds. Raises DistributionError."""
    listener = _listener(listen, port)
    try:
        taken = None if name is None else KeptRegistration(name, listener.getsockname()[1], hidden, everywhere)
    except BaseException:
        listener.close()
        raise
    return Reservation(listener, taken)


def _listener(address: str, port: int) -> _socket.socket:
    numeric = epmd.address_of(address)
    sock = _socket.socket(_socket.AF_INET6 if ":" in numeric else _socket.AF_INET, _socket.SOCK_STREAM)
    try:
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        sock.bind((numeric, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise DistributionError(
            f"cannot listen on {address}, port {port}: {getattr(error, 'strerror', None) or error}"
        ) from None
    return sock

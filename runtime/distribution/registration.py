"""The name of a node at epmd, which is given again to an epmd that was started anew."""

from __future__ import annotations

import logging

from runtime.distribution import epmd
from runtime.distribution.errors import DistributionError
from runtime.kernel.threads import start_thread

logger = logging.getLogger("runtime.distribution")


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

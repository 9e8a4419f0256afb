"""The runtime's own log: its lines never end who writes them."""

from __future__ import annotations

import logging
from typing import Any


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger of the standard library's, for whoever must go on when a handler of the program's raises.

    A handler raises where the program has closed or replaced ``sys.stderr``, for example. Then the line is lost.
    """

    def __init__(self, name: str) -> None:
        super().__init__(logging.getLogger(name), None)

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line, if that can be done."""
        try:
            super().log(level, msg, *args, **{"stacklevel": 2, **kwargs})
        except Exception:
            return

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """Leave `extra` as it is."""
        return msg, kwargs

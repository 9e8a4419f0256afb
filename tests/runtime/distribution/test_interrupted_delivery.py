"""A message that is in a mailbox is there once: no handler of a signal raises between that and the end of its step."""

import dis
import sys
from collections import deque
from collections.abc import Callable
from copy import copy
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import pytest

from runtime.distribution.incoming import SHORT_ENTRIES
from runtime.distribution.pickled import SHORT_CAST, SHORT_SEND
from runtime.kernel.signals import put_all


class _Handler:
    """Raises KeyboardInterrupt where a signal's handler may run: once a function has begun, or one of C has ended."""

    def __init__(self, step: int) -> None:
        self.left = step
        self.has_raised = False
        self.last: dict[FrameType, str] = {}

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = True
        if event == "call" and frame.f_back is not None:
            self.last[frame.f_back] = ""  # a function of Python's returns without a look at signals
        if event == "opcode":
            last, self.last[frame] = self.last.get(frame, ""), _name(frame.f_code, frame.f_lasti)
            if last.startswith(("CALL", "RESUME", "JUMP_BACKWARD")) and last != "CALL_INTRINSIC_1":
                self.left -= 1
                if self.left < 0 and not self.has_raised:
                    self.has_raised = True
                    raise KeyboardInterrupt
        return self.trace


def _name(code: CodeType, offset: int) -> str:
    return dis.opname[code.co_code[offset]]


def _was_interrupted(step: int, function: Callable[..., object], *arguments: object) -> bool:
    handler, before = _Handler(step), sys.gettrace()
    sys.settrace(handler.trace)
    try:
        function(*arguments)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("mailbox", [None, ("first",), deque(["first", "second"])])
@pytest.mark.parametrize("kind", ["put_all", "send", "cast"])
def test_messages_are_there_or_an_exception_is_raised(kind: str, mailbox: Any) -> None:
    for step in range(200):
        process: Any = SimpleNamespace(state=None, messages_in=0, mailbox=copy(mailbox))
        remote: Any = SimpleNamespace(node=SimpleNamespace(names={"name": process}))
        match kind:
            case "put_all":
                is_raised = _was_interrupted(step, put_all, process, ["message"])
            case _:
                number = SHORT_SEND if kind == "send" else SHORT_CAST
                is_raised = _was_interrupted(step, SHORT_ENTRIES[number], remote, (number, "name", ["message"]))
        added = len(process.mailbox or ()) - len(mailbox or ())
        assert added == (0 if is_raised else 1)
        if not is_raised:
            break
    assert step > 0

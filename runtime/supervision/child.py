"""One child of a supervisor: its record, how it is started, and how it is ended."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from runtime.api import demonitor, exit, monitor, receive, unlink
from runtime.child_spec import ChildSpec, Shutdown
from runtime.crash import Crash
from runtime.errors import ProcessExit, StartError, Unsuccessful
from runtime.pid import ANY_DOWN, Down, Exit, Pid, Ref

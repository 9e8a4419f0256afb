"""The functions of a process, gathered: what the rest of the runtime builds on."""

from runtime.boot import run
from runtime.info import process_info
from runtime.lifecycle import (
    alive,
    demonitor,
    dictionary,
    exit,
    flag,
    link,
    monitor,
    processes,
    resume,
    self_,
    spawn,
    spawn_link,
    spawn_monitor,
    suspend,
    unlink,
)
from runtime.mailbox import alias, flush, receive, send, sleep, unalias
from runtime.names import register, registered, unregister, whereis
from runtime.pattern import ANY
from runtime.timing import cancel_timer, read_timer, send_after, start_timer

__all__ = [
    "ANY",
    "alias",
    "alive",
    "cancel_timer",
    "demonitor",
    "dictionary",
    "exit",
    "flag",
    "flush",
    "link",
    "monitor",
    "process_info",
    "processes",
    "read_timer",
    "receive",
    "register",
    "registered",
    "resume",
    "run",
    "self_",
    "send",
    "send_after",
    "sleep",
    "spawn",
    "spawn_link",
    "spawn_monitor",
    "start_timer",
    "suspend",
    "unalias",
    "unlink",
    "unregister",
    "whereis",
]

"""Processes of this node in Erlang's terms: what `erlang:process_info` tells of one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from runtime.distribution.spawn_requests import BadArgumentError
from runtime.kernel.body import PlainBody
from runtime.kernel.info import monitors_of, stack_of_process, status_of
from runtime.kernel.memory import walk
from runtime.kernel.process import REMOTE, Pid, Process
from runtime.otp.calls import CALL, CAST, SYSTEM, From
from runtime.otp.gen_server import GenServer
from runtime.otp.gen_statem import GenStatem
from runtime.otp.plain_terms import plain
from runtime.preemption.own_code import MACHINERY, owner
from runtime.terms.atom import Atom
from runtime.terms.crash import StackFrame
from runtime.terms.term import Term
from runtime.terms.text import render

UNDEFINED = Atom("undefined")

MOST_MESSAGES = 1_000
"""Messages of a mailbox that are told."""

MOST_ITEMS = 10_000
"""Items of a value that is told as terms; one with more of them is told as text."""

MOST_OBJECTS = 1_000
"""Objects of a process that are looked at for its memory."""

OF_PROC_LIB = ("$ancestors", "$initial_call")
"""What OTP's `proc_lib` puts into the dictionary of a process."""

TAGS = {CALL: "$gen_call", CAST: "$gen_cast", SYSTEM: "system"}
"""What OTP begins a message with that begins with one of these here."""


def atom(text: object) -> Atom:
    """Return an atom, cut to the length that an atom may have."""
    return Atom(str(text)[:255])


def chars(text: str) -> list[int]:
    """Return text as Erlang's strings are: a list of characters."""
    return [*map(ord, text)]


def process_of(pid: Term) -> Process | None:
    """Return a living process of this node, None for a dead one. Raises BadArgumentError for one of another node."""
    process = pid.process if isinstance(pid, Pid) else None
    if not isinstance(pid, Pid) or (process is not None and process.state is REMOTE):
        raise BadArgumentError
    return process if process is not None and process.body is not None else None


def told(value: Term) -> Term:
    """Return a value as a term, with text for what Erlang has no term for; a large one is text altogether."""
    left, waiting = MOST_ITEMS, [value]
    while waiting:
        each = waiting.pop()
        kind = type(each)
        if kind is dict:
            left -= 2 * len(each)
        elif kind is list or kind is tuple:
            left -= len(each)
        elif kind is str or kind is bytes:
            left -= len(each) // 64
        if left < 0:
            return render(value, MOST_ITEMS)
        if kind is dict:
            waiting += chain(each.keys(), each.values())
        elif kind is list or kind is tuple:
            waiting += each
    return plain(value)


def call_of(process: Process) -> tuple[Atom, Atom, int]:
    """Return what a process was started with, as Erlang writes it: a function, or the ``init/1`` of a server."""
    module, _, function = str(process.initial_call).rpartition(".")
    body = process.body
    return atom(module or "python"), atom(function or "unknown"), len(body.args) if type(body) is PlainBody else 1


def name_of(process: Process) -> Term:
    """Return what lists call a process: its name, else its label, else what it was started with."""
    name = process.name or process.label
    return call_of(process) if name is None else atom(name)


def memory_of(process: Process) -> int:
    """Return the memory of a process in bytes: an estimate, which looks at what lies nearest."""
    return process.memory or sum(walk(process, MOST_OBJECTS))


def current_function(process: Process) -> Term:
    """Return where a process is in its own code. A server that waits has no stack: it is in its behaviour's loop."""
    frames = stack_of_process(process)
    if frames:
        return _function(next((each for each in reversed(frames) if owner(each.file) != MACHINERY), frames[-1]))
    if not isinstance(process.body, GenServer):
        return UNDEFINED
    return Atom("gen_statem" if isinstance(process.body, GenStatem) else "gen_server"), Atom("loop"), 0


def _function(frame: StackFrame) -> tuple[Atom, Atom, int]:
    return atom(frame.file.rsplit("/", 1)[-1].removesuffix(".py") or "unknown"), atom(frame.function), 0


def _stack(process: Process) -> list[Term]:
    return [
        (*_function(frame), [(Atom("file"), chars(frame.file)), (Atom("line"), frame.line)])
        for frame in reversed(stack_of_process(process))
    ]


def _messages(process: Process) -> list[Term]:
    shown = [_message(message) for message in process.messages(MOST_MESSAGES)]
    more = process.message_queue_len - len(shown)
    return [*shown, f"... and {more:,} more messages"] if more > 0 else shown


def _message(message: Term) -> Term:
    tag = TAGS.get(message[0]) if type(message) is tuple and message and type(message[0]) is type(CALL) else None
    if tag is None:
        return told(message)
    return (Atom(tag), *(each.pid if isinstance(each, From) else told(each) for each in message[1:]))


def _dictionary(process: Process) -> list[Term]:
    entries: list[Term] = [
        (told(key), told(value))
        for key, value in [*(process.dictionary or {}).items()]
        if not (type(key) is str and key in OF_PROC_LIB)
    ]
    if process.ancestors is None:
        return entries
    ancestors = [each if isinstance(each, Pid) else atom(each) for each in process.ancestors]
    of_proc_lib = zip(OF_PROC_LIB, (ancestors, call_of(process)), strict=True)
    return [*((Atom(key), value) for key, value in of_proc_lib), *entries]


def _monitors(process: Process) -> list[Term]:
    monitored = monitors_of(process)
    return [(Atom("process"), each if isinstance(each, Pid) else _named(each)) for each in monitored]


def _named(destination: Term) -> Term:
    match destination:
        case (str(name), str(node)):
            return atom(name), atom(node)
    return told(destination)


ITEMS: dict[str, Callable[[Process], Term]] = {
    "registered_name": lambda process: [] if process.name is None else atom(process.name),
    "initial_call": call_of,
    "current_function": current_function,
    "status": lambda process: atom(status_of(process)),
    "message_queue_len": lambda process: process.message_queue_len,
    "messages": _messages,
    "dictionary": _dictionary,
    "links": lambda process: [other.pid for other in process.links],
    "monitors": _monitors,
    "monitored_by": lambda process: [
        each.watcher.pid for each in [*(process.watchers or {}).values()] if each.watcher is not None
    ],
    "trap_exit": lambda process: process.trap_exit,
    "priority": lambda process: atom(process.priority),
    "memory": memory_of,
    "reductions": lambda process: process.reductions,
    "current_stacktrace": _stack,
    "parent": lambda process: UNDEFINED if process.parent is None else process.parent,
    "label": lambda process: UNDEFINED if process.label is None else process.label,
    "suspending": lambda process: [(other.pid, 1, 0) for other in process.suspending or ()],
    "binary": lambda process: [],
    "garbage_collection": lambda process: [],
    "sequential_trace_token": lambda process: [],
    "trace": lambda process: 0,
}
"""What is told of a process. It has no binaries and no heap of its own, and Erlang never traces it."""

UNKNOWN = frozenset(
    (
        *("backtrace", "async_dist", "catchlevel", "current_location", "error_handler", "fullsweep_after"),
        *("garbage_collection_info", "group_leader", "heap_size", "last_calls", "max_heap_size", "message_queue_data"),
        *("min_bin_vheap_size", "min_heap_size", "stack_size", "total_heap_size"),
    )
)
"""What a BEAM tells of a process besides, and nobody knows here: a list of items is answered without these."""

WHOLE = (
    *("registered_name", "current_function", "initial_call", "status", "message_queue_len", "links", "dictionary"),
    *("trap_exit", "priority", "reductions", "suspending"),
)
"""The items of `erlang:process_info/1`."""


def items_of(process: Process, items: Term) -> Term:
    """Return one item or several of them, as `erlang:process_info/2` does. Raises BadArgumentError."""
    if isinstance(items, list):
        if any(str(item) not in ITEMS and str(item) not in UNKNOWN for item in items):
            raise BadArgumentError
        return [(item, ITEMS[str(item)](process)) for item in items if str(item) in ITEMS]
    item = str(items)
    if item not in ITEMS:
        raise BadArgumentError
    value = ITEMS[item](process)
    return [] if item == "registered_name" and value == [] else (atom(item), value)

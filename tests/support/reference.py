"""Writes `runtime/REFERENCE.md` from the docstrings: ``python -m tests.support.reference``.

A test compares the page with what this would write, so that it never falls behind the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import runtime
import runtime.application
import runtime.cores
import runtime.erpc
import runtime.ets
import runtime.peer
import runtime.pg
import runtime.proc_lib
import runtime.spans
import runtime.sys
import runtime.timer
from tests.support.examples import examples

PAGE = Path(__file__).parents[2] / "runtime" / "REFERENCE.md"

SECTIONS = {
    "Nodes": "run now use_clock MockClock about About",
    "Other nodes": (
        "start_distribution stop_distribution node nodes connect_node disconnect_node ping monitor_node monitor_nodes "
        "set_cookie get_cookie "
        "NodeUp NodeDown Atom"
    ),
    "Processes": (
        "spawn spawn_link spawn_monitor self_ exit link unlink monitor demonitor flag dictionary alive processes "
        "process_info await_exit set_label get_label suspend resume sleep Pid Ref Exit Down Crash StackFrame"
    ),
    "Messages": (
        "send send_nosuspend receive flush ANY alias unalias send_after start_timer read_timer cancel_timer TimerRef"
    ),
    "Names": "register unregister whereis registered Registry",
    "Servers": (
        "GenServer call cast multi_call reply stop From Reply NOREPLY IGNORE Stop Continue Timeout send_request "
        "receive_response wait_response check_response reqids_new reqids_add reqids_size reqids_to_list "
        "RequestIds Agent"
    ),
    "State machines": (
        "GenStatem Next Keep Repeat Postpone NextEvent StateTimeout EventTimeout NamedTimeout ChangeCallbackModule "
        "PushCallbackModule PopCallbackModule"
    ),
    "Supervisors": (
        "Supervisor SupervisorSpec ChildSpec child_spec ChildInfo check_childspecs which_children count_children "
        "start_child terminate_child restart_child delete_child get_childspec get_callback_module "
        "DynamicSupervisor DynamicSupervisorSpec PartitionSupervisor"
    ),
    "Tasks": (
        "Task spawn_task await_ await_many yield_ yield_many shutdown_task ignore_task async_stream TaskSupervisor"
    ),
    "Applications": "Application",
    "Hooks": "Instrument install_instrument remove_instrument Report",
    "Errors": (
        "RuntimeFault NoProcessError NotInProcessError AlreadyRegisteredError ReceiveTimeout ProcessExit ProcessKilled "
        "Unsuccessful CallError StartError SupervisorError SpecError ApplicationError DistributionError ErpcError"
    ),
}
"""The headings of the page, and the public names below each. A test holds them against `runtime.__all__`."""

MODULES: dict[str, ModuleType] = {
    module.__name__: module
    for module in (
        *(runtime.sys, runtime.timer, runtime.application, runtime.proc_lib, runtime.pg, runtime.ets, runtime.erpc),
        *(runtime.peer, runtime.cores, runtime.spans),
    )
}
"""Public modules whose functions have a section of their own."""


FOR_THE_RUNTIME = ("initial_call",)
"""What servers have for observers: a program neither calls nor overrides it."""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [
        "# Reference",
        "Every public name, made from the docstrings. Import all of them from `runtime`, and the functions of the last "
        "sections from the module that the heading names. Times are seconds. *(OTP: name)* says which function of "
        "Erlang or Elixir a name behaves like. Examples run in a process; `# ->` is what a line gives.",
    ]
    shown = Examples()
    for heading, names in SECTIONS.items():
        parts.append(f"## {heading}")
        for name in names.split():
            parts += [*_entry(name, getattr(runtime, name)), *shown.below(name)]
    for heading, module in MODULES.items():
        parts.append(f"## `{heading}`")
        for name, value in _functions(module):
            parts += [*_entry(name, value), *shown.below(f"{heading.removeprefix('runtime.')}.{name}")]
    return "\n\n".join(parts) + "\n"


class Examples:
    """The examples that are not on the page yet: each stands below the first of its names."""

    def __init__(self) -> None:
        self._of = {name: example for example in examples() for name in example.names}
        self._printed: dict[str, str] = {}

    def below(self, name: str) -> list[str]:
        """Return the paragraphs of the example of a name, or where it stands already."""
        example = self._of.get(name)
        if example is None:
            return []
        if example.code in self._printed:
            return [f"Example: below `{self._printed[example.code]}`."]
        self._printed[example.code] = name
        return [f"Example:\n\n```python\n{example.code.rstrip()}\n```"]


def _functions(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield the public functions that a module defines, in the order of its source, or what a package lists."""
    if hasattr(module, "__path__") and hasattr(module, "__all__"):
        yield from ((name, getattr(module, name)) for name in module.__all__)
        return
    own = [
        (name, value)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and not name.startswith("_") and value.__module__ == module.__name__
    ]
    yield from sorted(own, key=lambda item: item[1].__code__.co_firstlineno)


def _entry(name: str, value: object) -> list[str]:
    """Return the paragraphs of one name: its heading with the signature, its docstring, its methods."""
    if inspect.isclass(value):
        return [f"### {name}", *_text(value), *_methods(value)]
    if inspect.isroutine(value):
        return [f"### {name}", f"```python\n{_call(name, value)}\n```", *_text(value)]
    return [f"### {name}", *_text(type(value))]


def _methods(cls: type) -> Iterator[str]:
    """Yield a paragraph for each public method and property that a class of the runtime defines."""
    if issubclass(cls, BaseException) or cls.__doc__ is None:
        return
    seen: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] == "runtime":
            seen |= {k: v for k, v in vars(base).items() if not k.startswith("_") and inspect.getdoc(v)}
    own = FOR_THE_RUNTIME if "handle_call" in seen else ()
    for name, raw in seen.items():
        if name in own:
            continue
        value = getattr(cls, name)
        if isinstance(raw, property):
            yield f"`{cls.__name__}.{name}`: {_inline(inspect.getdoc(raw))}"
        elif inspect.isroutine(value):
            yield f"`{cls.__name__}.{_call(name, value)}`: {_inline(inspect.getdoc(value))}"


def _call(name: str, value: object) -> str:
    """Return how a function is called: its name and its signature."""
    try:
        text = str(inspect.signature(value, eval_str=False))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"{name}(...)"
    text = re.sub(r"<[^<>]* object at 0x[0-9a-f]+>|<[\w.]+_Nothing[^<>]*>", "...", text)
    return f"{name}{text}".replace("'", "")


def _text(value: object) -> list[str]:
    """Return the paragraphs of a docstring."""
    return [part.rstrip() for part in (inspect.getdoc(value) or "").replace("::\n", ":\n").split("\n\n")]


def _inline(text: str | None) -> str:
    """Return a docstring as one paragraph."""
    return " ".join((text or "").split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""Child specifications: checked values that say what a supervisor starts, and when it starts it again.

Everything is checked when a value is made, so that the mistake is reported where it stands. The terms in
`SpecError.reason` are those of OTP's supervisor:check_childspecs/2.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from types import MethodType
from typing import Any, Literal, NamedTuple

from runtime.terms.errors import StartError, name_as_public
from runtime.terms.isolation import isolate
from runtime.terms.static_lookup import where_defined
from runtime.terms.term import Term
from runtime.terms.text import render

Restart = Literal["permanent", "transient", "temporary"]
"""When a child that ended is started again: always, after an abnormal exit only, never."""

Shutdown = float | Literal["brutal_kill", "infinity"] | None
"""How a child is ended: the seconds it has after the exit signal ``"shutdown"`` before it is killed.

``"brutal_kill"`` kills it at once; ``"infinity"``, or None, lets it take as long as it takes.
"""

AutoShutdown = Literal["never", "any_significant", "all_significant"]
"""When a supervisor ends itself because significant children have."""

RESTARTS = ("permanent", "transient", "temporary")
TYPES = ("worker", "supervisor")
SHUTDOWNS = ("seconds >= 0", "'brutal_kill'", "'infinity'", None)
AUTO_SHUTDOWNS = ("never", "any_significant", "all_significant")

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
"""Stands in a `ChildSpec` call for a field that must be given."""


class SpecError(StartError, ValueError):
    """A child spec or a supervisor's flags are wrong. The message says what is allowed.

    `reason` is OTP's term for it, e.g. ``("invalid_shutdown", -1)``. `start_reason` is the reason that a supervisor's
    start fails with: the same under ``"start_spec"``, ``"supervisor_data"`` or ``"bad_start_spec"``.
    """

    def __init__(self, reason: Term, sentence: str, about: str = "start_spec") -> None:
        super().__init__(reason)
        self.args = (sentence,)
        self.start_reason = (about, reason)

    def of_start(self) -> SpecError:
        """Return the same error as the start of a supervisor reports it: `reason` is `start_reason`."""
        about, _ = self.start_reason
        error = SpecError(self.start_reason, str(self), about)
        error.start_reason = self.start_reason
        return error


name_as_public(SpecError)


class _Common(NamedTuple):
    """What the specs of many children have in common: those that do share one record of it."""

    restart: Any = "permanent"
    shutdown: Any = MISSING
    type: Any = "worker"
    significant: Any = False
    modules: Any = MISSING


class _Slots:
    """The memory of a spec, of which there may be a million: what it has alone, and what it shares."""

    __slots__ = ("_common", "_id", "_start")

    _common: _Common


@dataclass(frozen=True, init=False)
class ChildSpec(_Slots):
    """How to start, end and restart one child.

    `id` names the child in its supervisor. `start` is a tuple of a callable and its arguments; the callable starts a
    linked process and returns its Pid, ``(Pid, extra)``, or None for "ignore", or raises StartError. `shutdown` is in
    seconds and defaults to 5.0 for a worker, ``"infinity"`` for a supervisor. `modules` defaults to the class that
    `start` belongs to. Raises SpecError, a ValueError, for a value that is not allowed. See OTP's supervisor(3).
    """

    __slots__ = ()

    id: Hashable = MISSING
    start: tuple[Term, ...] = MISSING
    restart: Restart = "permanent"
    shutdown: Shutdown = MISSING
    type: Literal["worker", "supervisor"] = "worker"
    significant: bool = False
    modules: list[object] | tuple[object, ...] | Literal["dynamic"] = MISSING

    # Written out, since the one that `dataclass` makes sets each field by its name, in twice the time.
    def __init__(
        self,
        id: Hashable = MISSING,
        start: tuple[Term, ...] = MISSING,
        restart: Restart = "permanent",
        shutdown: Shutdown = MISSING,
        type: Literal["worker", "supervisor"] = "worker",
        significant: bool = False,
        modules: list[object] | tuple[object, ...] | Literal["dynamic"] = MISSING,
    ) -> None:
        if id is MISSING:
            raise SpecError("missing_id", "a child spec needs an id: it names the child in its supervisor")
        if start is MISSING:
            raise SpecError("missing_start", f"child {render(id)} needs start=(callable, argument, ...)")
        _check_start(id, start)
        if restart not in RESTARTS:
            raise _not_allowed("invalid_restart_type", id, "restart", restart, RESTARTS)
        if type not in TYPES:
            raise _not_allowed("invalid_child_type", id, "type", type, TYPES)
        if shutdown is MISSING:
            shutdown = 5.0 if type == "worker" else "infinity"
        elif shutdown is None:
            shutdown = "infinity"
        elif not _is_shutdown(shutdown):
            raise _not_allowed("invalid_shutdown", id, "shutdown", shutdown, SHUTDOWNS)
        if significant not in (True, False):
            raise _not_allowed("invalid_significant", id, "significant", significant, (True, False))
        if modules is not MISSING and modules != "dynamic":
            if not isinstance(modules, (list, tuple)):
                raise _not_allowed("invalid_modules", id, "modules", modules, ("a list of classes", "dynamic"))
            modules = _plain(modules)
        _set_id(self, id)
        _set_start(self, _sharing(start))
        _set_common(self, _sharing_common(restart, shutdown, type, significant, modules))

    def __getstate__(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]

    def __setstate__(self, state: list[Any]) -> None:
        for field, value in zip(fields(self), state, strict=True):
            object.__setattr__(self, field.name, value)

    def __post_init__(self) -> None:
        """Check a spec of a subclass that is a dataclass too: `dataclass` makes another `__init__` for it."""
        modules = _get_modules(self)
        ChildSpec.__init__(self, self.id, self.start, self.restart, self.shutdown, self.type, self.significant, modules)

    def __deepcopy__(self, memo: object) -> ChildSpec:
        start = isolate(self.start)  # all that can be mutable in a spec
        return self if start is self.start else changed_spec(self, start=start)


# The slots themselves: a frozen class refuses assignment, and `object.__setattr__` looks each one up by its name.
_common, _id, _start = (vars(_Slots)[name] for name in _Slots.__slots__)
_get_common, _set_common, _set_id, _set_start = _common.__get__, _common.__set__, _id.__set__, _start.__set__


def _get_modules(spec: ChildSpec) -> Any:
    """Return the modules that were given, else `MISSING`."""
    return _get_common(spec).modules


def _modules(spec: ChildSpec) -> Any:
    """Return the modules that were given, else a list of the class that the start function belongs to.

    That list is made when it is asked for, so that a million specs do not hold one each.
    """
    modules = _get_modules(spec)
    return _modules_of(spec.start[0]) if modules is MISSING else modules


def _field(name: str, read: Callable[[ChildSpec], Any]) -> property:
    """Return the property for a field of the common record; specs of a subclass, and those of a pickle, set it."""

    def change(spec: ChildSpec, value: Any) -> None:
        common = getattr(spec, "_common", _USUAL)
        _set_common(spec, common._replace(**{name: value}))

    return property(read, change, doc=f"The `{name}` of the child, see the class.")


ChildSpec.id, ChildSpec.start = _id, _start
for _name in _Common._fields:
    setattr(ChildSpec, _name, _field(_name, _modules if _name == "modules" else attrgetter(f"_common.{_name}")))
# so that a subclass that is a dataclass with slots makes none of these anew
ChildSpec.__slots__ = tuple(field.name for field in fields(ChildSpec))  # type: ignore[assignment]

_USUAL = _last_common = _Common()
"""What the last spec has in common with those like it."""


def _sharing_common(restart: Any, shutdown: Any, type: Any, significant: Any, modules: Any) -> _Common:
    """Return the common record of the last spec if it holds these very values, else another one."""
    global _last_common
    last = _last_common  # read once: another thread may set it meanwhile
    if (
        last[0] is restart
        and last[1] is shutdown
        and last[2] is type
        and last[3] is significant
        and last[4] is modules is MISSING  # a list can change
    ):
        return last
    common = _Common(restart, shutdown, type, significant, modules)
    if modules is MISSING:
        _last_common = common
    return common


_last: tuple[Term, ...] = (None,)
"""The start of the last spec whose start function is a method of a class, without the arguments."""


def _sharing(start: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return `start`, with the method of the last spec in it if that is the same one.

    Python makes a method anew each time it is asked for, and a supervisor may have a million children of one class.
    """
    global _last
    last = _last  # read once: another thread may set it meanwhile
    function, shared = start[0], last[0]
    if type(function) is not MethodType or type(start) is not tuple:
        return start
    if function != shared:
        if isinstance(function.__self__, type):  # another object would be kept
            _last = start[:1]
        return start
    return last if len(start) == 1 else (shared, *start[1:])


def changed_spec(spec: ChildSpec, **changes: Any) -> ChildSpec:
    """Return a spec with some fields changed; modules that were not given are those of its start function again."""
    return replace(spec, **{"modules": _get_modules(spec), **changes})


def child_spec(child: object, /, **changes: Any) -> ChildSpec:
    """Return a ChildSpec for anything that stands for one, with the fields in `changes` changed.

    `child` is a ChildSpec, a mapping with its fields, a class (or object) with a `child_spec` method, or a tuple of
    one and the arguments for that method: ``child_spec((Counter, 0), id="b", restart="transient")``. Raises SpecError.
    See Elixir's Supervisor.child_spec/2.
    """
    spec = _spec_of(child)
    if unknown := changes.keys() - FIELDS:
        raise SpecError(("invalid_child_spec", changes), f"a child spec has no {_names(unknown)}; {_KNOWN_FIELDS}")
    return changed_spec(spec, **changes) if changes else spec


def _spec_of(child: object) -> ChildSpec:
    if isinstance(child, ChildSpec):
        return child
    if isinstance(child, Mapping):
        if unknown := child.keys() - FIELDS:
            raise SpecError(("invalid_child_spec", child), f"a child spec has no {_names(unknown)}; {_KNOWN_FIELDS}")
        return ChildSpec(**child)
    module, *arguments = child if isinstance(child, tuple) and child else (child,)
    make: Callable[..., ChildSpec] | None = getattr(module, "child_spec", None)
    spec = make(*arguments) if callable(make) else None
    if not isinstance(spec, ChildSpec):
        raise SpecError(
            ("invalid_child_spec", child),
            f"{render(child)} is no child spec; write ChildSpec(id=..., start=(callable, ...)), a class with "
            "child_spec() such as a GenServer, or a tuple of one and its arguments",
        )
    return spec


def check_childspecs(children: Iterable[object], auto_shutdown: AutoShutdown | None = None) -> None:
    """Raise SpecError for the first of `children` that a supervisor would refuse (OTP: check_childspecs/2).

    Without `auto_shutdown`, it is not checked whether significant children fit the supervisor.
    """
    if auto_shutdown is not None and auto_shutdown not in AUTO_SHUTDOWNS:
        raise SpecError(
            ("badarg", auto_shutdown), f"auto_shutdown is {render(auto_shutdown)}; {_allowed(AUTO_SHUTDOWNS)}"
        )
    child_specs(children, auto_shutdown)


def child_specs(children: Iterable[object], auto_shutdown: AutoShutdown | None) -> tuple[ChildSpec, ...]:
    """Return the ChildSpecs of `children`, checked together: no id twice, significant ones where they may be."""
    specs: dict[Hashable, ChildSpec] = {}
    for child in children:
        spec = child_spec(child)
        check_significant(spec, auto_shutdown)
        if spec.id in specs:
            raise SpecError(
                ("duplicate_child_name", spec.id),
                f"two children have the id {render(spec.id)}; give each an id of its own: "
                f'child_spec(({_class_name(spec)}, ...), id="another_id")',
            )
        specs[spec.id] = spec
    return tuple(specs.values())


def check_significant(spec: ChildSpec, auto_shutdown: AutoShutdown | None) -> None:
    """Raise SpecError when `spec` is significant and its supervisor or its restart type does not allow that."""
    if not spec.significant:
        return
    if auto_shutdown == "never":
        raise SpecError(
            ("bad_combination", [("auto_shutdown", "never"), ("significant", True)]),
            f"child {render(spec.id)} is significant, which needs a supervisor with auto_shutdown 'any_significant' or "
            "'all_significant'",
        )
    if spec.restart == "permanent":
        raise SpecError(
            ("bad_combination", [("restart", "permanent"), ("significant", True)]),
            f"child {render(spec.id)} is permanent and so cannot be significant; make it transient or temporary",
        )


def _check_start(id: object, start: object) -> None:
    try:
        hash(id)
    except TypeError:
        raise SpecError(
            ("invalid_id", id), f"the id {render(id)} is not hashable; use a string, a number or a tuple"
        ) from None
    if not isinstance(start, tuple) or not start or not callable(start[0]):
        raise SpecError(
            ("invalid_mfa", start),
            f"child {render(id)} has start={render(start)}; write a tuple (callable, argument, ...)",
        )


def _class_name(spec: ChildSpec) -> str:
    """Return the name of the class that a child is of, for a message."""
    module = spec.modules[0] if len(spec.modules) == 1 and spec.modules != "dynamic" else None
    return module.__name__ if isinstance(module, type) else "TheClass"


def _is_shutdown(value: object) -> bool:
    if isinstance(value, str):
        return value in ("brutal_kill", "infinity")
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def read_shutdown(value: Shutdown) -> Shutdown:
    """Return how a child is to be ended, ``"infinity"`` for None. Raises ValueError for what is not allowed."""
    if value is None:
        return "infinity"
    if not _is_shutdown(value):
        raise ValueError(f"shutdown is {render(value)}; {_allowed(SHUTDOWNS)}")
    return value


def id_from_name(name: object, otherwise: Hashable) -> Hashable:
    """Return the id of a child that is started with a name: that name, so that two of a class can be siblings.

    A name in a registry is the id without the value that is registered with it. Without a name it is `otherwise`.
    """
    if isinstance(name, str):
        return name
    if type(name) is tuple and len(name) in (3, 4) and name[0] == "via":
        return name[:3]
    return otherwise


def _not_allowed(tag: str, id: object, field: str, value: object, allowed: tuple[object, ...]) -> SpecError:
    return SpecError((tag, value), f"child {render(id)} has {field}={render(value)}; {_allowed(allowed)}")


def _allowed(values: tuple[object, ...]) -> str:
    return f"allowed are {', '.join(map(str, values))}"


def _names(names: Iterable[object]) -> str:
    return ", ".join(sorted(map(repr, names)))


def _plain(modules: list[object] | tuple[object, ...]) -> list[object] | tuple[object, ...]:
    """Return a list of what is in one of the program's own class, whose code would run in the supervisor."""
    return modules if type(modules) in (list, tuple) else [*modules]


class StartOfClass:
    """A start function that `GenServer.child_spec` makes for keyword arguments: `cls` is the class that it starts."""

    __slots__ = ("cls",)

    cls: Any


def _modules_of(start: Callable[..., object]) -> list[object]:
    """Return the class that a start function belongs to, else its module.

    Supervisors ask it, so it runs no code of the program's, as a look at an attribute would.
    """
    if type(start) is MethodType and issubclass(type(start.__self__), type):
        return [start.__self__]
    if issubclass(type(start), StartOfClass):
        return [start.cls]  # type: ignore[attr-defined]
    return [where_defined(start)[0]]


FIELDS = frozenset(field.name for field in fields(ChildSpec))
"""The names of the fields of a child spec."""
_KNOWN_FIELDS = _allowed(tuple(field.name for field in fields(ChildSpec)))

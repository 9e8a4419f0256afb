"""What the `init` of a supervisor returns: its children and its flags, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from runtime.otp.child_spec import AUTO_SHUTDOWNS, AutoShutdown, ChildSpec, SpecError, child_specs
from runtime.terms.term import Term
from runtime.terms.text import render

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one"]
"""Which children are restarted with one that failed: no other, all, those after it, no other (they are of one kind)."""

STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one")


@dataclass(frozen=True, slots=True)
class SupervisorSpec:
    """The children a supervisor starts, in order, and how it restarts them.

    More than `max_restarts` restarts within `max_seconds` end the supervisor. `auto_shutdown` says whether it ends
    when a significant child ends (``"any_significant"``), when the last of them ends (``"all_significant"``), or on
    neither (``"never"``). With ``simple_one_for_one`` there is one child, the template of those that `start_child`
    adds. Raises SpecError, a ValueError, for a value that is not allowed. The defaults are Elixir's; see OTP's
    supervisor(3).
    """

    children: Iterable[Term] = ()
    strategy: Strategy = "one_for_one"
    max_restarts: int = 3
    max_seconds: float = 5.0
    auto_shutdown: AutoShutdown = "never"
    specs: tuple[ChildSpec, ...] = field(init=False, repr=False)
    """`children` as checked child specs."""

    def __post_init__(self) -> None:
        check_flags(self.strategy, STRATEGIES, self.max_restarts, self.max_seconds)
        if self.auto_shutdown not in AUTO_SHUTDOWNS:
            raise _wrong("invalid_auto_shutdown", "auto_shutdown", self.auto_shutdown, ", ".join(AUTO_SHUTDOWNS))
        if isinstance(self.children, (str, bytes)) or not isinstance(self.children, Iterable):
            raise SpecError(
                ("invalid_child_spec", self.children), f"the children are {render(self.children)}; give a list of them"
            )
        children = list(self.children)
        if self.strategy == "simple_one_for_one" and len(children) != 1:
            raise SpecError(
                children,
                f"simple_one_for_one takes one child spec, the template of all children; here are {len(children)}",
                about="bad_start_spec",
            )
        object.__setattr__(self, "children", children)
        object.__setattr__(self, "specs", child_specs(children, self.auto_shutdown))


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicSupervisorSpec:
    """What the `init` of a DynamicSupervisor returns: its flags.

    At most `max_children` run at a time (None, ``"infinity"``: no limit). `extra_arguments` come before the arguments
    of every child's start function. Raises SpecError, a ValueError, for a value that is not allowed. See Elixir's
    DynamicSupervisor.init/1.
    """

    strategy: Literal["one_for_one"] = "one_for_one"
    max_children: int | Literal["infinity"] | None = None
    max_restarts: int = 3
    max_seconds: float = 5.0
    extra_arguments: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        check_flags(self.strategy, ("one_for_one",), self.max_restarts, self.max_seconds)
        limit = self.max_children
        if limit == "infinity":
            limit = None
            object.__setattr__(self, "max_children", None)
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
            allowed = "a whole number >= 0, None or 'infinity' for no limit"
            raise _wrong("invalid_max_children", "max_children", limit, allowed)
        extra = self.extra_arguments
        if not isinstance(extra, (list, tuple)):
            raise _wrong("invalid_extra_arguments", "extra_arguments", extra, "a list of arguments")
        object.__setattr__(self, "extra_arguments", tuple(extra))


def check_flags(strategy: object, strategies: tuple[str, ...], max_restarts: object, max_seconds: object) -> None:
    """Raise SpecError when the strategy or the restart intensity is not allowed."""
    if strategy not in strategies:
        raise _wrong("invalid_strategy", "strategy", strategy, ", ".join(strategies))
    if not isinstance(max_restarts, int) or isinstance(max_restarts, bool) or max_restarts < 0:
        raise _wrong("invalid_intensity", "max_restarts", max_restarts, "a whole number >= 0")
    if not isinstance(max_seconds, (int, float)) or isinstance(max_seconds, bool) or not max_seconds > 0:
        raise _wrong("invalid_period", "max_seconds", max_seconds, "seconds > 0")


def _wrong(tag: str, field: str, value: object, allowed: str) -> SpecError:
    return SpecError((tag, value), f"{field} is {render(value)}; allowed: {allowed}", about="supervisor_data")

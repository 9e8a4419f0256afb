"""What the options of a node may be. A wrong one is told where it is given: what it is, and what is allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from runtime.distribution.net_kernel import Tls
from runtime.terms.term import Term
from runtime.terms.text import render

MOST_PORTS = 65_535

LONGEST_TICKTIME = 1_000_000
"""Seconds: eleven days. A clock of the operating system waits no longer than a few weeks."""


def check_options(
    *,
    listen: Term,
    port: Term,
    tls: Term,
    trust: Term,
    allow: Term,
    net_ticktime: Term,
    epmd: Term,
    binaries: Term,
    none: Term,
    **switches: Term,
) -> frozenset[str]:
    """Return `allow` as a set. Raises TypeError for a value of a wrong kind, ValueError for one that is not allowed."""
    if not isinstance(listen, str):
        raise TypeError(f"listen= takes an address or a host's name, not {render(listen)}")
    if isinstance(port, bool) or not isinstance(port, int):
        raise TypeError(f"port= takes a number from 0 to {MOST_PORTS}, and 0 chooses one; not {render(port)}")
    if not 0 <= port <= MOST_PORTS:
        raise ValueError(f"port= takes a number from 0 to {MOST_PORTS}, and 0 chooses one; not {port}")
    if tls is not None and not isinstance(tls, Tls):
        raise TypeError(f"tls= takes a runtime.distribution.net_kernel.Tls of two contexts, not {render(tls)}")
    if isinstance(net_ticktime, bool) or not isinstance(net_ticktime, int | float):
        raise TypeError(f"net_ticktime= takes a number of seconds, not {render(net_ticktime)}")
    if not 0 < net_ticktime <= LONGEST_TICKTIME:
        raise ValueError(
            f"net_ticktime= takes a number of seconds above 0, at most {LONGEST_TICKTIME}, not {render(net_ticktime)}"
        )
    for option, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"{option}= takes True or False, not {render(value)}")
    _check_choice("trust", trust, ("pickle", "terms"))
    _check_choice("epmd", epmd, ("auto", None))
    _check_choice("binaries", binaries, ("text", "bytes"))
    _check_choice("none", none, ("nil", "undefined"))
    return _functions(allow)


def _check_choice(option: str, value: Term, choices: Collection[str | None]) -> None:
    if (value is not None and not isinstance(value, str)) or value not in choices:
        raise ValueError(f"{option}= takes {' or '.join(map(repr, choices))}, not {render(value)}")


def _functions(allow: Term) -> frozenset[str]:
    if isinstance(allow, str) or not isinstance(allow, Iterable):
        raise TypeError(f"allow= takes a tuple of functions such as ('shop:prices',), not {render(allow)}")
    functions = [*allow]
    for each in functions:
        if not isinstance(each, str) or not all(each.partition(":")):
            raise ValueError(f"allow= takes functions as 'module:function', not {render(each)}")
    return frozenset(functions)

"""Options of a server's start: its priority, and what `runtime.sys` follows from its first message on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from runtime.kernel.process import Process
from runtime.kernel.processes import PRIORITIES
from runtime.otp.callbacks import Callbacks
from runtime.otp.loop_state import loop_of
from runtime.otp.system_messages import Debug
from runtime.terms.term import Term
from runtime.terms.text import render

DEBUG = "'trace', 'statistics', 'log', ('log', number), ('log_to_file', path), ('install', key, function, state)"


def take_options(init: Callable[..., Term], kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options among the keyword arguments of a start, and the others, which are for `init`.

    An argument that `init` takes itself is its own. Raises TypeError or ValueError for a wrong option.
    """
    given = {"priority", "debug"} & kwargs.keys()
    if not given:
        return {}, kwargs
    parameters = {} if init is Callbacks.init else signature(init).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return {}, kwargs
    options = {name: kwargs[name] for name in given - parameters.keys()}
    _check(options)
    return options, {name: value for name, value in kwargs.items() if name not in options}


def set_options(process: Process, options: dict[str, Any]) -> None:
    """Apply the options of a start to the server that is being started."""
    priority = options.get("priority", "normal")
    if priority != "normal":
        process.priority, process.wakes_slowly = priority, True
    if options.get("debug"):
        debug = loop_of(process).debug = Debug(process.known_as)
        for option in options["debug"]:
            match option:
                case "trace":
                    debug.trace = True
                case "statistics":
                    debug.begin_statistics(process.reductions)
                case "log":
                    debug.log = []
                case ("log", number):
                    debug.log, debug.max_log = [], number
                case ("log_to_file", path):
                    debug.begin_file(os.path.abspath(path))
                case ("install", key, function, state):
                    debug.functions[key] = (function, state)


def _check(options: dict[str, Any]) -> None:
    priority = options.get("priority", "normal")
    if priority not in PRIORITIES:
        raise ValueError(f"priority is one of {', '.join(PRIORITIES)}, not {render(priority)}")
    debug = options.get("debug", ())
    if isinstance(debug, str) or not isinstance(debug, Sequence):
        raise TypeError(f"debug is a list of {DEBUG}, not {render(debug)}")
    for option in debug:
        if not _is_debug_option(option):
            raise ValueError(f"debug has {render(option)}; allowed are {DEBUG}")


def _is_debug_option(option: object) -> bool:
    match option:
        case "trace" | "statistics" | "log":
            return True
        case ("log", number):
            return type(number) is int and number >= 1
        case ("log_to_file", path):
            return isinstance(path, (str, os.PathLike))
        case ("install", key, function, _):
            return callable(function) and getattr(key, "__hash__", None) is not None
    return False

"""Python runs this at its start in every process of a program under ``observer instrument``, or with ``OBSERVER=1``.

It waits for the hub of gevent to run in the main thread, and only then loads what answers observers. A process that
never runs a hub imports nothing for it. It must work in any Python that the program starts, so it imports nothing but
the standard library; and it must not fail, so whatever goes wrong is one line on standard error.

`sitecustomize` is the name that Python looks for, and the command puts its folder on Python's path. The program's own
module of that name runs after this one, as it would have run without it. With ``OBSERVER=1`` alone it is the ``.pth``
file of the installed package that runs this.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident  # the system's, which gevent replaces in the module later

TYPE_CHECKING = False  # what `typing` has, which is not imported here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))

HUB = "gevent.hub"

_main_thread = get_ident()
"""Python starts in its main thread, and the thread that forks is the main one of the child."""


class HubFinder:
    """Notices the import of gevent's hub, and is gone from ``sys.meta_path`` after it."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        """Find the hub's module as Python would have found it, and have `watch` called once it has run."""
        if name != HUB:
            return None
        if HubFinder in sys.meta_path:
            sys.meta_path.remove(HubFinder)
        found = (finder.find_spec(name, path, target) for finder in [*sys.meta_path] if hasattr(finder, "find_spec"))
        spec: Any = next((each for each in found if each is not None), None)
        if spec is None or spec.loader is None:
            return spec
        loader = spec.loader
        execute = loader.exec_module

        def exec_module(module: Any) -> None:
            del loader.exec_module  # what stands on the class serves again
            execute(module)
            _unless_it_fails(watch, module)

        try:
            loader.exec_module = exec_module
        except AttributeError as error:  # a loader of another kind takes no attributes
            warn(error)
        return spec


def watch(module: Any) -> None:
    """Have the hub of the main thread observed when it runs for the first time, here and in every fork."""
    original = module.Hub.run

    def run(hub: Any) -> Any:
        if get_ident() == _main_thread:
            unhook()
            _observe(hub)
        return original(hub)

    def hook() -> None:
        module.Hub.run = run

    def unhook() -> None:
        if vars(module.Hub).get("run") is run:
            module.Hub.run = original

    def after_fork() -> None:
        # A hub that has run in the parent runs on in the child, and never enters run() again.
        from gevent._hub_local import get_hub_if_exists

        if not _has_given_up:
            hook()
            hub = get_hub_if_exists()
            if hub is not None and hub.loop is not None and hub:
                hub.loop.run_callback(_observe_fork, hub, unhook)

    run.__name__, run.__qualname__, run.__doc__ = original.__name__, original.__qualname__, original.__doc__
    run.__wrapped__ = original  # type: ignore[attr-defined]  # what an idle hub is known by
    hook()
    os.register_at_fork(after_in_child=lambda: _unless_it_fails(after_fork))


def _observe_fork(hub: Any, unhook: Callable[[], None]) -> None:
    unhook()
    _observe(hub)


def _note_main_thread() -> None:
    global _main_thread
    _main_thread = get_ident()


def _unless_it_fails(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception as error:
        warn(error)


def _observe(hub: Any) -> None:
    """Load what answers observers and start it. In the hub, before anything that waits in it goes on."""

    def run(step: Callable[[], None]) -> None:
        if _has_given_up:
            return
        try:
            step()
        except BaseException as error:
            raised = _raised_by_handler(error)
            if raised is None and isinstance(error, Exception):
                warn(error)
                return
            # Ctrl-C, for one. It is the program's: the main greenlet gets it, as at any other time in the hub, and may
            # go on after it.
            hub.loop.run_callback(run, begin)
            _forget_context(error)
            hub.handle_error(None, type(error), error.with_traceback(raised), raised)

    def begin() -> None:
        if not _is_installed():
            warn(f"process-observer is not installed for {sys.executable}")
            return
        from runtime.introspection.instrument.stages import Loading

        Loading(hub, run, start_observing).begin()

    def start_observing() -> None:
        from runtime.introspection.instrument.start import observe

        if not observe():
            give_up()

    run(begin)


def _raised_by_handler(error: BaseException) -> Any:
    """Return the part of a traceback that begins in the program's handler of a signal, None without such a handler.

    The frames before it were interrupted by the signal, and are not the program's.
    """
    import signal

    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {code for each in handlers if (code := getattr(each, "__code__", None)) is not None}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code not in codes:
        trace = trace.tb_next
    return trace


def _forget_context(error: BaseException) -> None:
    """Drop what was going on when the signal struck, and keep what the handler itself has met before it raised."""
    context = error.__context__
    while context is not None and _raised_by_handler(context) is not None:
        error, context = context, context.__context__
    error.__context__ = None


def _is_installed() -> bool:
    """Return whether `runtime` is this project's. A program may have a package of that name."""
    import importlib.util

    spec = importlib.util.find_spec("runtime")
    folders = () if spec is None else spec.submodule_search_locations or ()
    return any(os.path.exists(os.path.join(folder, "introspection", "instrument")) for folder in folders)


_has_given_up = False


def give_up() -> None:
    """Leave this process and its forks alone."""
    global _has_given_up
    _has_given_up = True


def warn(why: object) -> None:
    """Say in one line why this process is not observed. Its forks are not either, and do not say so again."""
    give_up()
    try:  # noqa: SIM105  # contextlib is not imported for this; and there may be no standard error
        sys.stderr.write(f"observer: process {os.getpid()} is not observed: {why}\n")
    except Exception:
        pass


def start() -> None:
    """Begin to wait for a hub."""
    os.register_at_fork(after_in_child=_note_main_thread)
    if HUB in sys.modules:
        watch(sys.modules[HUB])
    else:
        sys.meta_path.insert(0, HubFinder)


def run_the_next() -> None:
    """Run the `sitecustomize` that Python would have run without this one.

    Raises ImportError without one, as Python expects.
    """
    import importlib.machinery
    import importlib.util

    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != FOLDER]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None or spec.origin == __file__:
        raise ImportError("No module named 'sitecustomize'", name="sitecustomize")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def is_wanted() -> bool:
    """Return whether ``OBSERVER=1`` alone has to begin it here.

    Under the command, Python finds the `sitecustomize` later. A folder of packages that has two names is read twice.
    """
    has_begun = any(getattr(each, "__name__", "") == HubFinder.__name__ for each in sys.meta_path)
    return not (has_begun or sys.flags.ignore_environment or FOLDER in map(os.path.abspath, sys.path))


if __name__ == "sitecustomize":
    _unless_it_fails(start)
    run_the_next()
elif __name__ == "observer_by_itself" and is_wanted():  # what the package's .pth file calls it
    _unless_it_fails(start)

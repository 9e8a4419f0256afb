"""Group A: applications."""

from collections.abc import Callable, Sequence
from typing import Any

from runtime import Application, Pid, StartError, application
from tests.conformance.actors import start_sup, worker
from tests.conformance.harness import Log, answer, crash, log, settle


def _application(name: str, id: str, needs: Sequence[str] = (), **env: Any) -> type[Application]:
    """An application whose tree is one worker, and which logs what happens to it."""

    class Lifecycle(Application):
        applications = needs

        def start(self, start_type: str, args: Any) -> Pid:
            log(self.name, "start", start_type)
            return start_sup(f"sup_{self.name}", [worker(id)], max_restarts=0, name=f"{self.name}_sup")

        def prep_stop(self, state: Any) -> Any:
            log("prep_stop")
            return state

        def stop(self, state: Any) -> None:
            log("stop_callback")

    Lifecycle.name, Lifecycle.env = name, env
    return Lifecycle


class Unlucky(Application):
    """An application that does not start."""

    name = "app_bad"

    def start(self, start_type: str, args: Any) -> Pid:
        log(self.name, "start", start_type)
        raise StartError("no_luck")


def ensured(name: str) -> Any:
    """What `ensure_all_started` comes to: `("ok", names)` or `("error", reason)`."""
    result = answer(application.ensure_all_started, name)
    return ("ok", result) if isinstance(result, list) else result


def a01_application_lifecycle(log: Log) -> None:
    app_a = _application("app_a", "wa", key="v")
    log("load", answer(application.load, app_a))
    log("load_again", _tag(application.load, app_a))
    application.load(_application("app_b", "wb", ["app_a"]))
    application.load(Unlucky)
    log("start_without_dep", answer(application.start, "app_b"))
    log("ensure_all_started", ensured("app_b"))
    log("start_again", answer(application.start, "app_a"))
    log("ensure_again", ensured("app_b"))
    log("which", sorted(application.which_applications()))
    get_env = application.get_env
    log("env", ("ok", get_env("app_a", "key")), get_env("app_a", "nothing"), get_env("app_a", "nothing", "dflt"))
    log("start_failing", answer(application.start, "app_bad"))
    log("start_unknown", answer(application.start, "app_unknown")[0])
    log("---", "stop_b")
    log("stop", answer(application.stop, "app_b"))
    log("stop_not_started", answer(application.stop, "app_b"))
    log("---", "temporary_app_crashes")
    crash("app_a_sup", "wa", "boom")
    settle()
    log("which", application.which_applications())
    log("restartable", answer(application.start, "app_a"))
    log("stop", answer(application.stop, "app_a"))


def _tag(function: Callable[..., Any], *args: Any) -> Any:
    """Like `answer`, with the tag of a reason alone."""
    error, reason = answer(function, *args)
    return error, reason[0]

"""Group A, our own: what the given transcript leaves open. The BEAM's side is `beam/applications.erl`."""

from collections.abc import Callable, Sequence
from typing import Any

from runtime import Application, Pid, application, cast, exit
from tests.conformance.actors import Sup, worker
from tests.conformance.captured import of_applications_during
from tests.conformance.gates import named
from tests.conformance.harness import Log, answer, log, settle
from tests.conformance.scenarios.applications import Unlucky, ensured


def _load(name: str, needs: Sequence[str], children: list[Any], flags: dict[str, Any] | None = None, **env: Any) -> Any:
    """Load an application that says what happens to it; gives what `load` comes to."""

    class Speaking(Application):
        applications = needs

        def start(self, start_type: str, args: Any) -> tuple[Pid | None, Any]:
            log(self.name, "start", start_type)
            return Sup.start_link((self.name, children, flags or {"max_restarts": 0})), ("state_of", self.name)

        def prep_stop(self, state: Any) -> Any:
            assert state == ("state_of", self.name)
            log(self.name, "prep_stop")
            return ("prepared", self.name)

        def stop(self, state: Any) -> None:
            assert state == ("prepared", self.name)
            log(self.name, "stop")

    Speaking.name, Speaking.env = name, env
    return answer(application.load, Speaking)


def _running(names: Sequence[str]) -> list[str]:
    return [name for name in names if name in application.which_applications()]


def _unload(names: Sequence[str]) -> None:
    for name in names:
        answer(application.stop, name)
        application.unload(name)


def a50_dependencies(log: Log) -> None:
    needs: dict[str, list[str]] = {"base": [], "left": ["base"], "right": ["base"], "top": ["left", "right"]}
    names = list(needs)
    for name in names:
        _load(name, needs[name], [worker(f"{name}_w", quiet=True)])
    log("start_top", answer(application.start, "top"))
    log("start_right", answer(application.start, "right"))
    log("ensure_all", ensured("top"))
    log("ensure_again", ensured("top"))
    log("running", _running(names))
    log("---", "stop_what_others_need")
    log("stop", answer(application.stop, "base"))
    log("running", _running(names))
    log("stop", answer(application.stop, "top"))
    log("start_top", answer(application.start, "top"))
    log("start_top", answer(application.start, "top"))
    log("ensure_all", ensured("left"))
    log("stop", answer(application.stop, "left"))
    log("ensure_left", ensured("left"))
    log("running", _running(names))
    _unload(names[::-1])


class Refusing(Unlucky):
    """An application that needs another, and does not start."""

    name = "refuses"
    applications = ("good",)


def a51_failed_starts(log: Log) -> None:
    names = ["good", "refuses", "rootless", "after_it"]
    _load("good", [], [worker("good_w", quiet=True)])
    application.load(Refusing)
    _load("rootless", ["good"], [worker("w"), worker("bad", then=("stop", "nope"))])
    _load("after_it", ["rootless"], [worker("never")])
    log("needs_good", answer(application.start, "refuses"))
    log("ensure_all", ensured("refuses"))
    log("rolled_back", _running(names[:2]))
    log("start_good", answer(application.start, "good"))
    log("refuses", answer(application.start, "refuses"))
    log("rootless", answer(application.start, "rootless"))
    log("ensure_all", ensured("after_it"))
    log("what_ran_before_stays", _running(names))
    log("stop", [answer(application.stop, name) for name in ("after_it", "rootless", "good", "good")])
    _unload(names[::-1])


def a52_settings(log: Log) -> None:
    def setting(key: str) -> Any:
        value = application.get_env("app", key)
        return None if value is None else ("ok", value)

    log("not_loaded", setting("key"))
    log("load", _load("app", [], [worker("w")], key=1, other=["a", "b"]))
    log("load_again", _load("app", [], [])[1][0])
    log("get_env", setting("key"), setting("nothing"), application.get_env("app", "nothing", 7))
    log("all", application.get_all_env("app"))
    application.put_env("app", "key", 2)
    application.put_env("app", "new", 3)
    application.delete_env("app", "other")
    log("all", application.get_all_env("app"))
    log("start", answer(application.start, "app"))
    log("unload_running", answer(application.unload, "app"))
    log("stop", answer(application.stop, "app"))
    log("settings_stay", application.get_all_env("app"))
    log("unload", answer(application.unload, "app"), answer(application.unload, "app"))
    log("gone", setting("key"), list(application.get_all_env("app")))
    log("load", _load("app", [], [], key=1))
    log("as_at_first", setting("key"))
    _unload(["app"])


def a53_trees_that_end_by_themselves(log: Log) -> None:
    names = ["finishes", "killed", "bystander"]
    significant = {"auto_shutdown": "any_significant"}
    _load("finishes", [], [worker("w"), worker("done", restart="transient", significant=True)], significant)
    _load("killed", [], [worker("k", quiet=True)])
    _load("bystander", [], [worker("b")])
    application.ensure_all_started("bystander")
    ends: list[tuple[str, Callable[[], Any]]] = [
        ("finishes", lambda: cast(named("done#1"), ("stop", "normal"))),
        ("killed", lambda: exit(named("killed#1"), "kill")),
        ("killed", lambda: cast(named("k#2"), ("stop", "boom"))),
        ("finishes", lambda: cast(named("w#2"), ("stop", "boom"))),
    ]
    for name, end in ends:
        log("---", name)
        log("start", answer(application.start, name))
        log("start_again", answer(application.start, name))
        end()
        settle()
        log("running", _running(names))
    for name in ("finishes", "bystander"):
        log("stop", answer(application.stop, name))
    _unload(names)


def a54_what_is_reported_of_applications(log: Log) -> None:
    _load("calm", [], [worker("c")])
    application.load(type("Refuses", (Unlucky,), {"name": "refuses"}))
    done = worker("done", restart="transient", significant=True)
    _load("finishes", [], [done], {"auto_shutdown": "any_significant"})

    def reported(cause: Callable[[], Any]) -> None:
        log("reported", of_applications_during(cause))

    reported(lambda: answer(application.start, "calm"))
    reported(lambda: answer(application.start, "calm"))
    reported(lambda: answer(application.start, "refuses"))
    reported(lambda: answer(application.start, "finishes", "transient"))
    reported(lambda: cast(named("c#1"), ("stop", "boom")))
    reported(lambda: answer(application.stop, "finishes"))
    _unload(["calm", "refuses", "finishes"])


def a55_failures_of_many(log: Log) -> None:
    names = ["base", "refuses", "needy", "orphan"]
    _load("base", [], [worker("b")])
    application.load(type("Refuses", (Unlucky,), {"name": "refuses", "applications": ("base",)}))
    _load("needy", ["base", "refuses"], [worker("n")])
    _load("orphan", ["base", "missing"], [worker("o")])
    for name in ("refuses", "needy", "orphan", "missing"):
        outcome, (failed, _) = ensured(name)
        assert outcome == "error"
        log(name, "failed_at", failed, _running(names))
    _unload(names[::-1])

"""Group A, our own: start phases of applications. The BEAM's side is `beam/phases.erl`."""

from typing import Any

from runtime import Application, Crash, StartError, Stop, application, exit
from tests.conformance.actors import Fault, start_sup
from tests.conformance.harness import Log, log

CASES: dict[str, list[tuple[str, Any]]] = {
    "both": [("first", 1), ("second", 2)],
    "none": [],
    "stops": [("first", 1), ("fails", "x"), ("second", 2)],
    "raises": [("raises", "x")],
    "exits": [("exits", "x")],
    "strange": [("strange", "x")],
}


class Phased(Application):
    def start(self, start_type: str, args: Any) -> Any:
        log("start", self.name)
        return start_sup(self.name, [])

    def start_phase(self, phase: str, start_type: str, args: Any) -> Any:
        match phase:
            case "fails":
                return Stop("why")
            case "raises":
                raise Fault("oops")
            case "exits":
                exit("gone")
            case "strange":
                return "strange"
        log("phase", phase, start_type, args)
        return None

    def stop(self, state: Any) -> None:
        log("stop")


def _said(reason: Any) -> Any:
    match reason:
        case ("bad_return_value", ((_, function, arguments), ("EXIT", why))):
            return ["bad", function, arguments, why.message if isinstance(why, Crash) else why]
        case ("bad_return_value", ((_, function, arguments), value)):
            return ["bad", function, arguments, value]
        case (why, (_, function, arguments)):
            return ["error", why, function, arguments]
    return reason


def a56_start_phases(log: Log) -> None:
    for name, phases in CASES.items():
        kind = type(name, (Phased,), {"name": name, "start_phases": phases})
        try:
            application.start(kind)
            log(name, "ok")
        except StartError as error:
            log(name, _said(error.reason))
        runs = name in application.which_applications()
        log("runs", runs)
        if runs:
            application.stop(name)
        application.unload(name)

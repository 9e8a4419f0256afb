"""Servers for supervisors' children, which write down what happens to them."""

from typing import Any

from runtime import IGNORE, ChildSpec, GenServer, Pid, Stop, Supervisor, cast, flag, sleep, which_children
from runtime.otp.child_spec import child_spec


class Member(GenServer):
    """A server called `id` that notes its starts and ends in `diary`.

    `plan` says what each start does, the last entry for all further ones: ``"ok"``, ``"ignore"``, or a reason to fail
    with. `slow` is how many seconds its `terminate` takes.
    """

    diary: list[tuple[Any, ...]] = []
    starts: dict[str, int] = {}

    def init(self, id: str, plan: tuple[str, ...] = ("ok",), trap: bool = True, slow: float = 0.0) -> Any:
        flag(trap_exit=trap)
        self.id, self.slow = id, slow
        number = self.starts[id] = self.starts.get(id, 0) + 1
        step = plan[min(number, len(plan)) - 1]
        self.diary.append((step if step != "ok" else "start", id))
        if step == "ignore":
            return IGNORE
        return None if step == "ok" else Stop(step)

    def handle_call(self, request: Any, caller: Any) -> Any:
        return self.id

    def handle_cast(self, message: Any) -> Any:
        return Stop(message)

    def terminate(self, reason: Any) -> None:
        sleep(self.slow)
        self.diary.append(("end", self.id, reason))


def member(id: str, *plan: str, trap: bool = True, slow: float = 0.0, **fields: Any) -> ChildSpec:
    """The spec of a Member; `fields` are the spec's."""
    return child_spec((Member, id, plan or ("ok",), trap, slow), **{"id": id, **fields})


def diary() -> list[tuple[Any, ...]]:
    """Return what was written since this was last asked, and tear the pages out."""
    pages = [*Member.diary]
    Member.diary.clear()
    return pages


def new_diary() -> None:
    """Forget everything, for the next test."""
    Member.diary.clear()
    Member.starts.clear()


def member_pid(supervisor: Any, id: Any) -> Pid:
    """The process of a running child."""
    (pid,) = (info.pid for info in which_children(supervisor) if info.id == id)
    assert isinstance(pid, Pid)
    return pid


def crash(supervisor: Any, id: Any, reason: Any = "boom") -> None:
    """Have a child stop with a reason, and let what follows happen."""
    cast(member_pid(supervisor, id), reason)
    sleep(0.01)


def places(supervisor: Any) -> dict[Any, Any]:
    """Where each child is, in start order: ``"up"``, None or ``"restarting"``."""
    return {info.id: "up" if isinstance(info.pid, Pid) else info.pid for info in reversed(which_children(supervisor))}


def started(children: list[Any], **flags: Any) -> Pid:
    """Start a supervisor of which the caller hears when it ends."""
    flag(trap_exit=True)
    pid = Supervisor.start_link(children, **flags)
    assert pid is not None
    diary()
    return pid

"""Applications that write down what happens to them."""

from typing import Any

from runtime import (
    Application,
    Supervisor,
)
from tests.support.recording_server import member


class Base(Application):
    """An application of one worker, which writes down what happens to it."""

    name = "base"
    env = {"port": 4000, "hosts": ["a"]}
    args = ("some", "args")

    def start(self, start_type: str, args: Any) -> Any:
        pid = Supervisor.start_link([member(f"{self.name}_worker")], max_restarts=0, name=f"{self.name}_sup")
        return pid, (start_type, args)

    def prep_stop(self, state: Any) -> Any:
        diary_page = ("prep_stop", self.name, state)
        member_diary.append(diary_page)
        return "prepared"

    def stop(self, state: Any) -> None:
        member_diary.append(("stop", self.name, state))


class Top(Base):
    """An application that needs another."""

    name = "top"
    applications = (Base,)


member_diary: list[Any] = []

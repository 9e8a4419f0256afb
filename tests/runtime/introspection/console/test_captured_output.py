"""What a console's processes print goes to the console, and all else where it went before."""

from __future__ import annotations

import sys

from runtime import self_, sleep, spawn
from runtime.introspection.console.captured_output import CapturedOutput
from runtime.introspection.console.transcript import Transcript
from runtime.kernel.process import Pid, Process
from tests.support.in_node import in_node


class Reader:
    """Owns what one process prints."""

    def __init__(self, pid: Pid | None = None) -> None:
        self.pid = pid
        self.transcript = Transcript()
        self.kept: list[str] = []
        self.transcript.write = self.keep  # type: ignore[method-assign]

    def keep(self, kind: str, text: str) -> None:
        self.kept.append(text)

    def owns(self, process: Process | None) -> bool:
        return process is not None and process.pid == self.pid


@in_node
def test_each_process_prints_to_its_own_reader() -> None:
    before, captured = sys.stdout, CapturedOutput()
    mine, other = Reader(self_()), Reader()
    captured.add(mine)
    captured.add(other)
    print("hello")
    other.pid = spawn(lambda: print("from the other"))
    sleep(0)
    sys.stdout.writelines(["a", "b"])
    assert "".join(mine.kept) == "hello\nab"
    assert "".join(other.kept) == "from the other\n"
    captured.remove(mine)
    assert sys.stdout is not before
    captured.remove(mine)  # a second time changes nothing
    captured.remove(other)
    assert sys.stdout is before


@in_node
def test_an_output_that_the_program_has_put_there_meanwhile_stays() -> None:
    before, captured, reader = sys.stdout, CapturedOutput(), Reader(self_())
    captured.add(reader)
    try:
        sys.stdout = own = open("/dev/null", "w")  # noqa: SIM115
        captured.remove(reader)
        assert sys.stdout is own
        own.close()
    finally:
        sys.stdout = before

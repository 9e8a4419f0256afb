"""Python programs that begin as copies of an interpreter which has imported what they need.

Most of what a short program costs is its imports. Where neither they nor the start itself are tested, an interpreter
does them once, and forks for each program. Everything else is as usual: the program has a process, a folder, an
environment and streams of its own, and ends as any interpreter does.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

PATIENCE = 300.0
"""Seconds after which a program counts as one that does not end."""

ORIGINAL = """
import gc, importlib, json, os, runpy, sys

def wait_to_be_a_copy(requests, answers, *modules):
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    with open(requests, "rb") as asked, open(answers, "w") as told:
        for request in asked:
            if not (child := os.fork()):
                return json.loads(request)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print(status, file=told, flush=True)
    sys.exit()

program = wait_to_be_a_copy(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
for number, name in enumerate(program["streams"], 1):
    stream = os.open(name, os.O_WRONLY)
    os.dup2(stream, number)
    os.close(stream)
os.chdir(program["folder"])
os.environ.clear()
os.environ.update(program["environment"])
sys.path[0] = os.getcwd()
sys.argv[1:] = program["arguments"]
runpy.run_module(program["module"], run_name="__main__", alter_sys=True)
"""


class Original:
    """An interpreter that has imported modules, and whose copies run programs, one after the other."""

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self, module: str, *arguments: str, environment: Mapping[str, str] = os.environ
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m MODULE ARGUMENTS`` in this folder; return how it has ended, and what it has printed.

        Raises subprocess.TimeoutExpired.
        """
        if self._process is None:
            self._start()
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            program = {
                "module": module,
                "arguments": arguments,
                "folder": os.getcwd(),
                "environment": dict(environment),
                "streams": [out.name, err.name],
            }
            os.write(self._requests, json.dumps(program).encode() + b"\n")
            if not select.select([self._answers], [], [], PATIENCE)[0]:
                self.close()
                raise subprocess.TimeoutExpired([module, *arguments], PATIENCE, out.read(), err.read())
            status = os.read(self._answers, 100)
            assert status, "the interpreter that is copied has ended"
            return subprocess.CompletedProcess(
                [module, *arguments], int(status), out.read().decode(), err.read().decode()
            )

    def _start(self) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", ORIGINAL, str(requests), str(answers), *self._modules],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("OBSERVER")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(requests, answers),
            start_new_session=True,
        )
        os.close(requests)
        os.close(answers)
        atexit.register(self.close)

    def close(self) -> None:
        """End the interpreter, and its copy."""
        atexit.unregister(self.close)
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            os.close(self._requests)
            os.close(self._answers)
            self._process = None


OBSERVER = Original(
    *("observer.cli.commands", "observer.cli.lookup", "observer.cli.cluster_tree", "observer.cli.aftermath"),
    *("observer.output.records", "observer.output.tables", "observer.output.node_records", "observer.output.cluster"),
    *("observer.node.cluster.client", "observer.node.recorded.node", "observer.node.programs", "observer.chaos.run"),
    *("rich.console", "typer.rich_utils", "pydantic.fields", "pydantic.networks", "psutil"),
)
"""The command ``observer``."""

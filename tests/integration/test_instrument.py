"""`observer instrument`: any command runs as it is, and each Python process in it that runs a hub is a node."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from runtime.introspection import program
from tests.support.instrumented import (
    INSTRUMENT,
    OBSERVED,
    PYTHON,
    as_a_child,
    end_of,
    environment,
    instrumented,
    live,
    plain,
    running,
    welcome,
)
from tests.support.nodes import RawClient, eventually

FORKED = """
import gevent, os, signal
from runtime import introspection
child = os.fork()
if child == 0:
    service = introspection.serve("child")
    print(service.watchdog.interruption.is_possible, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_a_fork_can_have_a_process_interrupted_that_holds_its_hub(folder: Path) -> None:
    assert plain(folder, FORKED) == (0, "True\n", "")


def test_input_and_arguments_are_the_commands_own(folder: Path) -> None:
    code = "import sys, gevent; gevent.sleep(0); print(sys.argv, sys.stdin.read())"
    command = [*INSTRUMENT, "--name", "mine", "--", PYTHON, "-c", code, "--name", "-x", "--"]
    assert end_of(command, folder, stdin="hello") == (0, "['-c', '--name', '-x', '--'] hello\n", "")


def test_a_process_without_a_hub_gets_nothing_of_gevent_and_looks_as_before(folder: Path) -> None:
    code = (
        "import sys\nprint(sys.path, 'sitecustomize' in sys.modules, sys.flags)\n"
        "print([m for m in sys.modules if m.partition('.')[0] in ('gevent', 'greenlet', 'runtime', 'observer')])"
    )
    assert instrumented(folder, code) == plain(folder, code)


def test_the_finder_is_gone_once_gevent_is_there(folder: Path) -> None:
    code = "import sys, gevent.hub\nprint(len(sys.meta_path), gevent.hub.__loader__.exec_module.__qualname__)"
    assert instrumented(folder, code) == plain(folder, code)


def test_a_process_whose_hub_runs_is_a_node_named_after_the_program(folder: Path) -> None:
    code = "import gevent; gevent.sleep(60)"
    with running(folder, "--name", "shop", "--", PYTHON, "-c", code) as process:
        (name,) = eventually(lambda: live(folder))
        assert name == f"shop-{process.pid}"
        said = welcome(folder, name)
        assert (said.program, said.os_pid, said.uses_gevent) == ("shop", process.pid, True)
        assert program.root_of(said.run) == process.pid


def test_a_hub_of_another_thread_makes_no_node(folder: Path) -> None:
    code = (
        "import threading, gevent, os\nt = threading.Thread(target=gevent.sleep, args=(0.2,)); t.start(); t.join()\n"
        "print(os.listdir(os.environ['OBSERVER_DIR']))"
    )
    assert instrumented(folder, code) == (0, "[]\n", "")


FORKS = {
    "before the hub runs": "import os, gevent\nif os.fork() == 0: pass\ngevent.sleep(60)",
    "after the hub has run": "import gevent, gevent.os\ngevent.sleep(0)\ngevent.os.fork()\ngevent.sleep(60)",
    "in a patched program": (
        "from gevent import monkey; monkey.patch_all()\nimport os, time\ntime.sleep(0.01)\nos.fork()\ntime.sleep(60)"
    ),
    "by multiprocessing": (
        "import multiprocessing, gevent\ngevent.sleep(0)\n"
        "multiprocessing.get_context('fork').Process(target=gevent.sleep, args=(60,)).start()\ngevent.sleep(60)"
    ),
    "by multiprocessing, spawned": (
        "import multiprocessing, gevent\n"
        "if __name__ == '__main__':\n gevent.sleep(0)\n"
        " multiprocessing.get_context('spawn').Process(target=gevent.sleep, args=(60,)).start()\n gevent.sleep(60)"
    ),
    "as a command": (
        "import subprocess, sys, gevent\ngevent.sleep(0)\n"
        "subprocess.Popen([sys.executable, '-c', 'import gevent; gevent.sleep(60)'])\ngevent.sleep(60)"
    ),
}


@pytest.mark.parametrize("code", FORKS.values(), ids=FORKS.keys())
def test_every_process_of_the_program_is_a_node(folder: Path, code: str) -> None:
    script = folder / "app.py"
    script.write_text(code)
    with running(folder, "--", PYTHON, str(script)) as process:
        names = eventually(lambda: (found := live(folder)) and len(found) == 2 and found)
        assert f"app-{process.pid}" in names
        assert {welcome(folder, name).run for name in names} == {welcome(folder, names[0]).run}
        (child,) = (name for name in names if name != f"app-{process.pid}")
        assert welcome(folder, child).os_pid != process.pid
        with RawClient(folder / f"{child}.sock") as client:
            eventually(lambda: client.stats().hub_busy_with is None)  # a busy machine may hold it up at its start


def test_the_parents_name_is_free_when_its_fork_lives_on(folder: Path) -> None:
    code = f"{OBSERVED}import gevent.os, time\nif gevent.os.fork() == 0: time.sleep(60)\n"
    code += "print('forked', flush=True)\ngevent.sleep(60)"
    with running(folder, "--", PYTHON, "-c", code) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert live(folder) == [f"python-{process.pid}"]
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: live(folder) == [])


def test_the_programs_own_sitecustomize_runs(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("MINE = 1\nprint('mine', __name__)\n")
    code = "import sys, sitecustomize; print(sitecustomize.MINE, sitecustomize.__file__, sys.path)"
    assert as_a_child(folder, code, PYTHONPATH=str(folder)) == plain(folder, code, PYTHONPATH=str(folder))


def test_a_sitecustomize_that_fails_fails_as_before(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("raise ValueError('mine')\n")
    code = "print('the program')"
    seen = as_a_child(folder, code, PYTHONPATH=str(folder))
    assert seen == plain(folder, code, PYTHONPATH=str(folder))
    assert "ValueError: mine" in seen[2]


def test_a_program_that_cannot_be_observed_runs_all_the_same_and_says_so_once(folder: Path) -> None:
    folder.chmod(0o755)
    code = f"{OBSERVED}import gevent.os\n"
    code += "child = gevent.os.fork()\ngevent.sleep(0)\nif child: gevent.os.waitpid(child, 0)\nprint('end')"
    status, output, errors = instrumented(folder, code)
    assert (status, output) == (0, "end\nend\n")
    assert len(errors.splitlines()) == 1
    assert "is open to other users" in errors


def test_a_package_of_the_programs_own_called_runtime_is_left_alone(folder: Path) -> None:
    (folder / "runtime").mkdir()
    (folder / "runtime" / "__init__.py").write_text("MINE = 1\n")
    script = folder / "app.py"
    script.write_text("import gevent; gevent.sleep(0); import runtime; print(runtime.MINE)")
    status, output, errors = end_of([*INSTRUMENT, PYTHON, str(script)], folder)
    assert (status, output) == (0, "1\n")
    assert errors.count("process-observer is not installed") == len(errors.splitlines()) == 1


def test_options_under_which_python_cannot_be_observed_are_said(folder: Path) -> None:
    status, output, errors = end_of([*INSTRUMENT, "--", PYTHON, "-I", "-c", "print('ran')"], folder)
    assert (status, output) == (0, "ran\n")
    assert errors == "observer: Python with -I ignores PYTHONPATH: this process will not be observed.\n"


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        (["no-such-command"], 127, "There is no command no-such-command."),
        (["./app.py"], 126, "./app.py is not executable. Say 'python ./app.py'."),
        (["/"], 126, "/ cannot be run: Permission denied."),
    ],
)
def test_a_command_that_cannot_be_run_is_said_in_a_sentence(
    folder: Path, command: list[str], status: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(os.getcwd())
    (folder / "app.py").write_text("print(1)\n")
    done = subprocess.run(
        [*INSTRUMENT, "--", *command],
        cwd=folder,
        env=environment(folder, PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", f"observer: {sentence}\n")


def test_the_command_is_the_process_that_was_started(folder: Path) -> None:
    process = subprocess.Popen(
        [*INSTRUMENT, "--", PYTHON, "-c", "import os; print(os.getpid(), os.getppid())"],
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    output, _ = process.communicate(timeout=300)
    assert output == f"{process.pid} {os.getpid()}\n"


HELD_UP = f"""
{OBSERVED}
def fail(): raise LookupError("nothing there")
def compute():
    while True: pass
gevent.spawn(fail)
gevent.sleep(0.5)
compute()
"""


def test_the_last_events_of_a_process_that_was_killed_can_be_read(folder: Path) -> None:
    with running(folder, "--name", "shop", "--", PYTHON, "-c", HELD_UP) as process:
        name = f"shop-{process.pid}"
        file = folder / f"{name}@{process.pid}.events"
        eventually(lambda: file.exists() and b"in compute" in file.read_bytes())
        assert file.stat().st_mode & 0o777 == 0o600
        process.kill()
        process.wait()
    for which in (name, f"{name}@{process.pid}"):
        status, output, errors = end_of([PYTHON, "-m", "observer", "events", which, "--json"], folder)
        events = json.loads(output)
        assert status == 0
        assert f"{name} (process {process.pid}) has ended" in errors
        assert [each["reason"] for each in events if each["kind"] == "exit"] == ["LookupError: nothing there"]
        assert "held the hub" in events[-1]["message"]
    listed = end_of([PYTHON, "-m", "observer", "nodes"], folder)[1]
    assert f"Ended: {name}@{process.pid}" in listed
    status, output, errors = end_of([PYTHON, "-m", "observer", "events", name, "--follow"], folder)
    assert (status, output) == (2, "")
    assert "leave --follow out" in errors


WORKERS = """
import gevent, os, sys
while True:
    if os.fork() == 0:
        while "runtime.introspection.instrument.start" not in sys.modules: gevent.sleep(0.01)
        gevent.spawn(lambda: {}["x"])
        gevent.sleep(60)
    os.wait()
"""


def test_events_are_followed_on_with_the_process_that_replaces_another(folder: Path) -> None:
    with running(folder, "--name", "shop", "--", PYTHON, "-c", WORKERS):
        (first,) = eventually(lambda: live(folder))
        follower = subprocess.Popen(
            [PYTHON, "-m", "tests.support.patient", "events", "shop", "--follow", "--json"],
            env=environment(folder, PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert follower.stdout is not None
        reasons = (json.loads(line)["reason"] for line in follower.stdout)  # a busy machine makes stalls of its own
        assert "KeyError: 'x'" in reasons
        os.kill(welcome(folder, first).os_pid, signal.SIGKILL)
        assert "KeyError: 'x'" in reasons
        follower.send_signal(signal.SIGINT)
        _, errors = follower.communicate(timeout=300)
        assert f"{first} has ended; going on with shop-" in errors


def test_a_fork_leaves_the_events_of_its_parent_alone(folder: Path) -> None:
    code = (
        f"{OBSERVED}import gevent.os, os\ngevent.spawn(lambda: {{}}['x'])\ngevent.sleep(1)\n"
        "child = gevent.os.fork()\nif child == 0: sys.exit()\ngevent.os.waitpid(child, 0)\ngevent.sleep(60)"
    )
    with running(folder, "--", PYTHON, "-c", code) as process:
        file = folder / f"python-{process.pid}@{process.pid}.events"
        eventually(lambda: file.exists() and live(folder))
        assert [path.name for path in folder.glob("*.events")] == [file.name]

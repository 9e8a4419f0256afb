"""Peers: nodes that belong to a process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from runtime import (
    ANY,
    Down,
    Exit,
    Pid,
    StartError,
    Supervisor,
    connect_node,
    cores,
    erpc,
    exit,
    flag,
    monitor,
    nodes,
    peer,
    receive,
    run,
    self_,
    send,
    spawn,
    spawn_link,
    start_distribution,
    which_children,
)
from runtime.distribution.cluster import local_node
from runtime.kernel.node import this_node
from runtime.peer.process import _programs
from tests.support.nodes import eventually
from tests.support.other_nodes import echo, new_name

DEADLINE = 60.0


def test_a_peer_runs_what_it_is_told_and_its_death_is_an_exit_signal() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pid, name = peer.start_link(env={"SAID": "hello"})
        assert nodes() == [name] == [peer.name_of(pid)]
        assert erpc.call(name, os.getenv, "SAID") == "hello"
        os_pid = peer.os_pid(pid)
        assert erpc.call(name, os.getpid) == os_pid != os.getpid()
        worker = spawn_link(echo, node=name)
        os.kill(os_pid, signal.SIGKILL)
        gone = {receive(Exit, timeout=DEADLINE) for _ in range(2)}
        assert gone == {Exit(worker, "noconnection"), Exit(pid, ("nodedown", name))}
        with pytest.raises(ProcessLookupError):
            os.kill(os_pid, 0)
        assert nodes() == []

    run(main)


def test_a_peer_whose_waiting_process_is_killed_ends_as_well() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pid, name = peer.start_link()
        os_pid = peer.os_pid(pid)
        assert pid.process is not None
        exit(vars(pid.process.body)["reader"], "kill")
        assert receive(Exit, timeout=DEADLINE) == Exit(pid, ("nodedown", name))
        with pytest.raises(ProcessLookupError):
            os.kill(os_pid, 0)

    run(main)


def tick_time() -> float:
    """Return the time after which this node takes a silent one for gone."""
    local = local_node(this_node())
    assert local is not None
    return local.net_kernel.net_ticktime


def test_a_peer_has_the_net_ticktime_of_its_owner_unless_it_is_given_one() -> None:
    def main() -> None:
        start_distribution(new_name("owner"), "of-a-test", net_ticktime=33.5)
        _, name = peer.start_link()
        assert erpc.call(name, tick_time) == tick_time() == 33.5
        _, other = peer.start_link(net_ticktime=44.0)
        assert erpc.call(other, tick_time) == 44.0

    run(main)


def test_a_supervisor_starts_a_peer_again_and_stops_it_in_order() -> None:
    def main() -> None:
        name = new_name("again")
        supervisor = Supervisor.start_link([peer.child_spec(name)])
        assert supervisor is not None
        (child,) = which_children(supervisor)
        assert child.pid is not None
        os.kill(peer.os_pid(child.pid), signal.SIGKILL)
        ref = monitor(child.pid)
        assert receive(timeout=DEADLINE)[0] == ref
        (again,) = which_children(supervisor)
        assert again.pid != child.pid
        assert again.pid is not None
        os_pid = peer.os_pid(again.pid)
        assert connect_node(name)
        flag(trap_exit=True)
        exit(supervisor, "shutdown")
        assert receive(Exit, timeout=DEADLINE) == Exit(supervisor, "shutdown")
        with pytest.raises(ProcessLookupError):
            os.kill(os_pid, 0)

    run(main)


def ignore_shutdown(owner: Pid) -> None:
    """Say that this runs, and let its node wait for it in vain when it stops."""
    flag(trap_exit=True)
    send(owner, "ignores")
    while True:
        receive()


def test_a_peer_that_is_started_again_waits_for_the_one_whose_owner_was_killed() -> None:
    def main() -> None:
        name = new_name("again")
        Supervisor.start_link([peer.child_spec(name)], name="top")
        (child,) = which_children("top")
        before = peer.os_pid(child.pid)
        spawn(ignore_shutdown, self_(), node=name)
        assert receive("ignores", timeout=DEADLINE) == "ignores"
        ref = monitor(child.pid)
        exit(child.pid, "kill")
        receive(Down(ref, ANY, "killed"), timeout=DEADLINE)
        (again,) = which_children("top")  # answers once the child is back
        assert peer.name_of(again.pid) == name
        assert peer.os_pid(again.pid) != before
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)

    run(main)
    assert _programs == {}


def fork_a_child() -> int:
    """Fork a child that waits to be killed; return its number."""
    child = os.fork()
    if not child:
        signal.pause()
    return child


def test_a_forked_child_of_a_peer_does_not_hide_its_death() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pid, name = peer.start_link()
        child = erpc.call(name, fork_a_child)
        try:
            os.kill(peer.os_pid(pid), signal.SIGKILL)
            assert receive(Exit, timeout=DEADLINE) == Exit(pid, ("nodedown", name))
        finally:
            os.kill(child, signal.SIGKILL)

    run(main)


def test_one_that_found_the_name_taken_does_not_keep_the_next_from_waiting() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pid, name = peer.start_link(new_name("taken"))
        before = peer.os_pid(pid)
        spawn(ignore_shutdown, self_(), node=name)
        assert receive("ignores", timeout=DEADLINE) == "ignores"
        with pytest.raises(StartError, match="peer_did_not_start"):
            peer.start_link(name)
        exit(pid, "kill")
        assert receive(Exit(pid, ANY), timeout=DEADLINE).reason == "killed"
        assert peer.os_pid(peer.start_link(name)[0]) != before
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)

    run(main)


def test_a_peer_that_does_not_start_says_why() -> None:
    def main() -> None:
        flag(trap_exit=True)
        with pytest.raises(StartError, match="no name of a node"):
            peer.start_link("not a name")
        with pytest.raises(StartError, match="the program ended; what it wrote says why"):
            peer.start_link(env={"PYTHONHOME": "/no/such/folder"})
        with pytest.raises(TypeError, match="a peer is sent its options as JSON"):
            peer.start_link(tls=self_())
        with pytest.raises(StartError, match=r"no node within 0.01 s; timeout= .* gives it longer"):
            peer.start_link(timeout=0.01)
        with pytest.raises(StartError, match=r"no node within 0.02 s; .* start_timeout= of a pool, gives it longer"):
            cores.Pool.start_link(1, start_timeout=0.02)

    run(main)


ORPHANS = """
import os, signal, sys
from runtime import peer, run

def main():
    print(peer.os_pid(peer.start_link()[0]), flush=True)
    child = os.fork()
    if not child:
        signal.pause()
    print(child, flush=True)
    os.kill(os.getpid(), 9)

if __name__ == "__main__":
    run(main)
"""

GOES = """
import os, sys
from runtime import erpc, peer, run

def where():
    return os.stat(".").st_ino

def main():
    exec(sys.argv[1])
    _, name = peer.start_link()
    print(erpc.call(name, where) == where())

if __name__ == "__main__":
    run(main)
"""


@pytest.mark.parametrize(
    "goes",
    [
        "os.mkdir('runtime'); open('runtime/__init__.py', 'w').close(); open('json.py', 'w').close()",
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')",
        "os.mkdir(b'not-utf8-\\xff'); os.chdir(b'not-utf8-\\xff'); sys.path.append(os.getcwd())",
        "sys.path.append(sys)",
    ],
)
def test_a_peer_starts_wherever_its_owner_has_gone(goes: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    script = tmp_path / "script.py"
    script.write_text(GOES, "utf-8")
    command = [sys.executable, str(script), goes]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == "True\n", done.stderr


def test_a_program_of_the_standard_input_has_peers_that_import_no_main_module() -> None:
    lines = (
        "import os\nfrom runtime import erpc, peer, run\nrun(lambda: print(erpc.call(peer.start_link()[1], os.getcwd)))"
    )
    done = subprocess.run([sys.executable, "-"], input=lines, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout == f"{os.getcwd()}\n", done.stderr


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("run(peer.start_link)", "(peer_did_not_start, "),
        (
            "if __name__ == '__main__': run(peer.start_link)\nelse: {}['key']",
            "imported in the peer: \"KeyError: 'key'\"; ",
        ),
        (
            "if __name__ == '__main__': run(peer.start_link)\nelse: raise SystemExit(3)",
            "the main module ended with 3; ",
        ),
    ],
)
def test_a_main_module_that_peers_cannot_import_is_told_in_one_sentence(
    line: str, problem: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"from runtime import peer, run\n{line}\n", "utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    first, *_, last = done.stderr.splitlines()
    cure = "each peer imports the program's main module, so call run() there below `if __name__ == '__main__':`"
    assert f"{problem}{cure}" in last
    assert "did not start: " in first
    assert cure in first


def is_gone(os_pid: int) -> bool:
    """Return whether an operating-system process has ended."""
    try:
        return psutil.Process(os_pid).status() == psutil.STATUS_ZOMBIE  # who inherits it has not looked yet
    except psutil.NoSuchProcess:
        return True


def test_a_peer_dies_with_an_owner_that_is_killed_and_has_forked(tmp_path: Path) -> None:
    with open(tmp_path / "written", "w+", encoding="utf-8") as file:  # no pipe, which the forked child would hold open
        subprocess.run([sys.executable, "-c", ORPHANS], stdout=file, timeout=300, check=False)
        file.seek(0)
        os_pid, child = map(int, file.read().split())
    try:
        eventually(lambda: is_gone(os_pid))
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_peer_that_is_killed_while_it_starts_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def die(self: peer.Peer, wanted: bytes) -> str:
        started.append((self.program, self.socket))
        exit(self_(), "kill")
        return ""

    def main() -> None:
        monkeypatch.setattr(peer.Peer, "_answer_to", die)
        with pytest.raises(StartError, match="killed"):
            peer.start()
        ((program, connection),) = started
        assert program.returncode == -signal.SIGKILL
        assert connection.fileno() == -1

    run(main)

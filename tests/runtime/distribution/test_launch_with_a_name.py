"""Programs that the observer starts with a name for other nodes, and what it shows of those."""

import subprocess
import sys
from pathlib import Path

from runtime import link, node, process_info, run, self_, spawn
from runtime.introspection.answers.process_details import _relate
from tests.support.other_nodes import Other, echo, named, new_name

SAYS_ITS_NAME = "from runtime import node, run\nrun(lambda: print(node()))\n"


def test_the_option_node_gives_a_program_a_name(tmp_path: Path) -> None:
    script, cookie, name = tmp_path / "script.py", tmp_path / "cookie", new_name("launched")
    script.write_text(SAYS_ITS_NAME, encoding="utf-8")
    cookie.write_text("secret", encoding="utf-8")
    cookie.chmod(0o600)
    command = [sys.executable, "-m", "runtime.introspection.launch", "--node", name, "--cookie-file", str(cookie)]
    done = subprocess.run([*command, str(script)], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (name, "")
    wrong = subprocess.run(
        [*command[:-3], "no name", *command[-2:], str(script)], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert "The program was not started, because its node could not be given a name" in wrong.stderr


def test_a_program_that_names_its_node_itself_may_be_started_with_the_same_name(tmp_path: Path) -> None:
    script, cookie, name = tmp_path / "script.py", tmp_path / "cookie", new_name("both")
    cookie.write_text("secret", encoding="utf-8")
    cookie.chmod(0o600)
    command = [sys.executable, "-m", "runtime.introspection.launch", "--node", name, "--cookie-file", str(cookie)]

    def started(own: str) -> subprocess.CompletedProcess[str]:
        script.write_text(f"from runtime import node, run\nrun(lambda: print(node()), {own})\n", encoding="utf-8")
        return subprocess.run([*command, str(script)], capture_output=True, text=True, check=False)

    for own in (f"node={name!r}", f"node={name!r}, cookie='secret'"):
        done = started(own)
        assert (done.stdout.strip(), done.stderr) == (name, "")
    for own in ("node='another'", f"node={name!r}, cookie='another'"):
        done = started(own)
        assert done.returncode == 1
        assert f"this node is called {name} already, by --node or start_distribution()" in done.stderr


@named
def test_a_name_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"from runtime import run\nrun(print, node={node()!r}, cookie='secret')\n", encoding="utf-8")
    short = node().partition("@")[0]
    told = f"a node named '{short}' runs on this host already; choose another name, or stop that node"
    launch = ["-m", "runtime.introspection.launch"]
    for arguments, ending in ([*launch, str(script)], f"{script} ended: {told}\n"), ([str(script)], f"Error: {told}\n"):
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.endswith(ending)
        assert "epmd.py" not in done.stderr  # where it was found out
        assert (done.stderr == ending) is (arguments[0] == "-m")


def test_a_cookie_without_a_name_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "observer", "run", "--cookie-file", "x", __file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "give --node, too" in done.stderr


@named
def test_observers_see_on_which_node_a_linked_process_is(other: Other) -> None:
    other.connect()
    pid = spawn(echo, node=other.name)
    link(pid)
    assert process_info(self_(), "links") == {"links": [pid]}
    assert pid.process is not None
    related = _relate(pid.process)
    assert (related.pid, related.name) == (str(pid), f"on {other.name}")


def test_a_program_may_ask_for_a_name_itself() -> None:
    name = new_name("asked")
    assert run(_own_name, node=name, cookie="secret") == name


def _own_name() -> str:
    from runtime import node

    return node()

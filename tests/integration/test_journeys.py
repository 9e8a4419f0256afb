"""The main journeys through the dashboard, in a real terminal, on real demos.

Each begins at the home view and takes the steps that the guide gives, whose sections name the test.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.terminal import WAIT
from tests.support.tmux import WITHOUT_TMUX, Screen

pytestmark = WITHOUT_TMUX


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for sockets and settings, whose name is short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="j-", dir="/tmp"))
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_killed_process_is_seen_to_come_back_and_quitting_leaves_nothing(folder: Path) -> None:
    with Screen(folder, "demo", "chat") as screen:
        screen.shows("● live")
        screen.select("Ada")
        old = screen.shows(r"^▌.*Ada +(<[\d.]+>)")[1]
        screen.keys("x")
        screen.shows("kills 1, restarts 1: one_for_one")
        screen.keys("Enter")
        new = screen.shows(rf"Ada restarted {old} → (<[\d.]+>)")[1]
        screen.shows(rf"^▌.*Ada .*{new}")
        screen.shows(r"^▌.*Bob|[─▾▸] Bob +<")
        children = screen.children()
        assert len(children) >= 2
        screen.keys("q")
        screen.shows(r"^left with 0$")
        screen.shows(r"^as before$")
        assert not screen.whole_application()
        assert psutil.wait_procs(children, WAIT)[1] == []


def test_escalation_an_exhausted_budget_is_followed_up_the_tree(folder: Path) -> None:
    with Screen(folder, "demo", "strategies") as screen:
        screen.select("glass")
        screen.keys("x")
        screen.shows("one more")
        screen.keys("Enter")
        screen.shows(r"shelf.* !(1 of 1, \d+s left|\d+s 1/1)")
        screen.shows(r"glass restarted <[\d.]+> → ")
        old = screen.shows(r"shelf .*?(<[\d.]+>)")[1]
        screen.select("glass")
        for _ in range(20):  # the budget lasts for ten seconds, which a busy machine may take for a few keys
            glass = screen.shows(r"^▌.*glass .*?(<[\d.]+>)")[1]
            screen.keys("X")
            if "gives up" in screen.shows(rf"⚑ gives up +shelf|glass restarted {glass} → ")[0]:
                break
        screen.keys("Enter")
        screen.shows(rf"shelf {old} gave up")
        screen.keys("4")
        screen.shows("⚑ shelf .*gave up")
        screen.keys("f")
        screen.shows("crashes and trouble")
        screen.shows("Cause and effect")
        screen.shows(r"\+0ms .*† glass .*was sent kill")
        screen.shows(r"└▸ ✗ glass .*exited: killed")
        screen.shows(r"└▸ ⚑ shelf .*gave up")


def test_crash_loop_the_message_that_a_server_dies_of_is_found(folder: Path) -> None:
    with Screen(folder, "demo", "crash_loop") as screen:
        screen.shows(r"^ ✗ orders fails again and again \(KeyError: 'no such dish'\): ")
        screen.keys("4")
        screen.shows("Events: all but spawns")
        screen.keys("f")
        screen.shows("Events: crashes and trouble")
        screen.shows(r"✗ orders exited: KeyError: 'no such")
        screen.shows(r"crash_loop\.py:\d+ +price")
        screen.shows(r"return PRICES\[order\]")
        screen.shows("Last message")
        screen.shows("cast: 'no such dish'")
        screen.keys("o")
        screen.shows(r"State .*restarted")
        screen.open_beside("metrics", "crash_loop")
        screen.shows(r'^runtime_supervisor_child_restarts{node="crash_loop",supervisor="restaurant(/kitchen)?"} [1-9]')
        screen.shows(r"^left with 0$")


def test_overload_the_consumer_that_cannot_keep_up_is_found(folder: Path) -> None:
    with Screen(folder, "demo", "overload") as screen:
        screen.shows(r"^ ! The mailbox of consumer <[\d.]+> only grows: it holds \d+ messages")
        screen.keys("5")
        screen.shows(r"call, not cast")
        screen.keys("Enter")
        screen.shows("cast: 'work'")
        screen.keys("1")
        screen.select("producer")
        screen.keys("S")
        screen.shows(r"producer .*‖ susp")
        screen.shows("^ Nothing looks wrong")


def test_leak_the_process_that_only_grows_is_found(folder: Path) -> None:
    with Screen(folder, "demo", "leak") as screen:
        screen.shows(r"^ ! The memory of cache <[\d.]+> only grows: by [\d.]+ MB")
        screen.shows(r" cache ! memory_grows .* \+\d\.\dM")
        screen.keys("f")
        screen.shows(r"^▌.*cache ! memory_grows")
        screen.keys("Enter")
        screen.shows("Advice +memory_grows: It keeps what it should")
        screen.shows("Memory .*estimated")
        screen.shows("'pages': {1:")
        screen.shows(r"\+[\d.]+[KM] and|and \+\d+ items|items since|began to watch")  # the line is folded anywhere
        screen.open_beside("memory", "leak", "cache", "--for", "1")
        screen.shows(r"^<[\d.]+> holds about [\d.]+M: \+")
        screen.shows(r"^pages +dict +\d+ +\+\d+ +[\d.]+M +\+")
        screen.shows(r"^bytes +\d+ +\+\d+")
        screen.shows(r"^left with 0$")


def test_hog_the_line_that_holds_everybody_up_is_found(folder: Path) -> None:
    with Screen(folder, "demo", "hog") as screen:
        screen.shows(r"HUB STUCK for .*: held by <[\d.]+> in hog\.py:\d+ in compute")
        screen.shows("hog ! hog")
        screen.select("hog")
        screen.keys("X")
        screen.shows(r"hog restarted <[\d.]+> → ")


def test_deadlock_the_two_that_wait_for_each_other_are_found(folder: Path) -> None:
    with Screen(folder, "demo", "deadlock", columns=80, lines=24) as screen:
        screen.shows(r"^ ✗ Deadlock: savings <[\d.]+> waits for cheque <[\d.]+> waits for savings")
        screen.keys("f")
        screen.shows(r"Waits for +⧗ cheque")
        screen.open_beside("waits", "deadlock", "savings")
        screen.shows(r"^savings +<[\d.]+> +a reply of cheque, which waits")
        screen.shows(r"\bcycle\b")
        screen.shows(r"^left with 1$")
        screen.close_beside()
        screen.keys("X")
        screen.shows(r"savings restarted <[\d.]+> → ")
        screen.shows(r"^ ✗ .*kill.* in the last 30 s, (both )?restarted")


def test_chaos_everything_that_is_killed_comes_back(folder: Path) -> None:
    with Screen(folder, "demo", "swarm", "--processes", "200") as screen:
        screen.shows(r"[─▾▸] swarm\b")
        screen.keys("c")
        screen.shows("Nothing has been killed")
        screen.keys("Tab", "C-a", "C-k", "2s", "Enter")
        screen.shows(r"kills +\d+")
        screen.shows("✓ everything came back")
        assert int(screen.shows(r"kills +(\d+)")[1]) == int(screen.shows(r"recovered +(\d+)")[1]) > 0
        screen.shows(r"time to recovery +p50 \S+ +p99 \S+ +worst \S+")
        screen.keys("Escape")
        screen.shows(r"^▌.*swarm\b")


def test_greenlets_a_program_without_a_process_is_watched(folder: Path) -> None:
    with Screen(folder, "demo", "plain") as screen:
        screen.shows(r"^ greenlets 5 ")
        screen.select("waiter")
        screen.keys("Enter")
        screen.shows(r"waiter +.*plain\.py:\d+")
        screen.keys("Escape")
        screen.shows(r"✗ waiter exited: .*SpoiledOrder")
        screen.keys("4")
        screen.shows(r"raise SpoiledOrder")
        screen.keys("1")
        screen.select("waiter")
        pid = screen.shows(r"^▌.*waiter +(g\d) ")[1]
        screen.keys("X")
        screen.shows("nothing brings it back")
        screen.keys("Enter")
        screen.shows(rf"waiter exited: killed +{pid}")


def test_cluster_a_node_that_is_killed_comes_back_and_can_be_gone_to(folder: Path) -> None:
    with Screen(folder, "demo", "cluster") as screen:
        screen.shows("7 Cluster")
        screen.keys("7")
        screen.shows(r"● right-\d+@127\.0\.0\.1 +up")
        screen.shows(r"● left-\d+@127\.0\.0\.1 +up")
        screen.keys("x")
        screen.shows(r"SIGKILL.*here")
        screen.shows(r"comes back +left")
        screen.keys("Enter")
        screen.shows(r"■ left-\d+@127\.0\.0\.1 +down")
        screen.shows(r"connected again")
        screen.keys("Enter")
        screen.shows(r"^ left-\d+ +1 Tree")
        screen.shows(r"__main__\.survey")
        screen.keys("Escape")
        screen.shows(r"^ cluster +1 Tree")
        screen.shows(r"● left-\d+@127\.0\.0\.1 +up")
        screen.keys("a")
        screen.shows(r"^ all nodes of cluster +1 Tree")
        screen.shows(r"3 nodes")
        screen.shows(r"▾ left-\d+@127\.0\.0\.1 \(\d")
        screen.shows(r"partner +<\d+\.\d+\.0>")
        screen.keys("2", "/", "partner", "Enter")
        screen.shows(r"partner @left-\d+")
        screen.shows(r"partner @right-\d+")
        screen.keys("Escape")
        screen.shows(r"net_kernel @left-\d+")
        screen.keys("Escape")
        screen.shows(r"^ cluster +1 Tree")
        screen.keys("c")
        screen.shows(r"Nothing was done yet")
        screen.shows(r"plan +ends \d process(es)? of (left|right)-\d+@127\.0\.0\.1 at once")
        screen.keys("Enter")
        screen.shows(r"happened +. (left|right)-\d+@127\.0\.0\.1 .*was killed")


def test_spans_are_switched_on_in_a_program_that_runs(folder: Path) -> None:
    with Screen(folder, "demo", "web_shop") as screen:
        screen.shows("● live")
        screen.keys("8")
        screen.shows(r"web_shop\(1\)>\s*$")
        lines = typed_in_the_guide()
        asked = ["Counter(each.name for each in seen.get_finished_spans()).most_common(5)"] * 50
        for number, line in enumerate([*lines, *asked], 2):  # asked until a customer has come
            screen.types(line)
            screen.shows(rf"web_shop\({number}\)>\s*$")
            if re.search(r"transact', \d", screen.text()):
                break
        screen.shows(r"transact', \d")
        screen.types("spans.stop()")
        screen.shows(r"spans\.stop\(\)\s*│?$")
        screen.keys("Escape")
        screen.shows("Kill now")
        screen.keys("q")
        screen.shows(r"^left with 0$")


def typed_in_the_guide() -> list[str]:
    """Return the lines that the guide has its reader type."""
    guide = (Path(__file__).parents[2] / "observer" / "GUIDE.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^   ```python\n(.*?)^   ```$", guide, re.MULTILINE | re.DOTALL)
    return [line.strip() for line in block.splitlines() if line.strip()]

"""A real BEAM node on the other side: pings, echoes, terms of all sizes, a wrong cookie, a busy hub."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.distribution.connection import Connection
from runtime.distribution.net_kernel import NetKernel
from runtime.kernel.threads import sleep as block
from runtime.terms.atom import Atom
from tests.runtime.distribution.conftest import StartKernel
from tests.runtime.distribution.test_net_kernel import TLS, contexts
from tests.support.erl import beam_node, needs_erl
from tests.support.kernels import COOKIE, NOTHING, REG_SEND, Diary, EchoDiary, pid_at, wait_until

pytestmark = needs_erl

ECHO = """
    register(echo, self()),
    io:format("ready~n"),
    Serve = fun Serve() ->
        receive
            {From, run, Text} ->
                {ok, Tokens, _} = erl_scan:string(binary_to_list(Text)),
                {ok, Exprs} = erl_parse:parse_exprs(Tokens),
                {value, Value, _} = erl_eval:exprs(Exprs, []),
                From ! {ran, Value};
            {From, Message} -> From ! Message
        end,
        Serve()
    end,
    Serve().
"""


@pytest.fixture(scope="module")
def beam(epmd_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    with beam_node("beam@127.0.0.1", COOKIE, ECHO, epmd_port, tmp_path_factory.mktemp("home")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def meet(kernel: NetKernel, diary: Diary, name: str = "beam@127.0.0.1") -> Connection:
    """Connect to a BEAM node, which may still be starting."""

    def is_up() -> bool:
        if diary.entries and diary.entries[-1][0] == "failed":
            diary.entries.clear()
            block(0.05)
        if not diary.entries:
            kernel.connect(name)
        return name in kernel.connections

    wait_until(is_up, 60)
    return kernel.connections[name]


def run_there(connection: Connection, kernel: NetKernel, diary: Diary, code: str) -> object:
    """Return what the BEAM node gives for some code, or None when the connection ends before it does."""
    diary.messages.clear()
    connection.send((REG_SEND, pid_at(kernel), NOTHING, Atom("echo")), (pid_at(kernel), Atom("run"), code))
    wait_until(
        lambda: (
            connection.is_over
            or (diary.messages and isinstance(diary.messages[-1], tuple) and diary.messages[-1][0] == "ran")
        )
    )
    return diary.messages[-1][1] if diary.messages else None


def test_messages_go_there_and_back_in_order(kernels: StartKernel, beam: object) -> None:
    diary = Diary()
    kernel = kernels("py@127.0.0.1", diary)
    there = meet(kernel, diary)
    assert (there.is_python, there.pickles, there.hidden) == (False, False, False)
    control, me = (REG_SEND, pid_at(kernel), NOTHING, Atom("echo")), pid_at(kernel)
    sent = [*range(10_000), "x" * 1_000_000, b"\xff" * 50_000_000, {"a": [Atom("b"), 1.5, None]}]
    for message in sent:
        there.send(control, (me, message))
    wait_until(lambda: len(diary.messages) == len(sent), 60)
    assert diary.messages == sent


def test_a_beam_node_pings_sends_and_gets_its_messages_back_in_order(kernels: StartKernel, beam: object) -> None:
    diary = EchoDiary()
    kernel = kernels("py@127.0.0.1", diary)
    there = meet(kernel, diary)
    code = """
        pong = net_adm:ping('py@127.0.0.1'),
        true = lists:member('py@127.0.0.1', nodes(hidden)),
        [{echo, 'py@127.0.0.1'} ! N || N <- lists:seq(1, 10000)],
        [receive N -> ok end || N <- lists:seq(1, 10000)],
        Big = binary:copy(<<200>>, 5000000),
        {echo, 'py@127.0.0.1'} ! Big,
        receive Big -> fine end.
    """
    assert run_there(there, kernel, diary, code) == "fine"


def test_a_beam_node_connects_by_itself_and_parts(kernels: StartKernel, beam: object) -> None:
    diary = EchoDiary()
    kernel = kernels("py@127.0.0.1", diary)
    there = meet(kernel, diary)
    parting = "erlang:disconnect_node('py@127.0.0.1'), net_kernel:connect_node('py@127.0.0.1')"
    spawned = f"spawn(fun() -> {parting} end)."
    there.send((REG_SEND, pid_at(kernel), NOTHING, Atom("echo")), (pid_at(kernel), Atom("run"), spawned))
    wait_until(lambda: len(diary.entries) == 3)
    assert diary.entries == [
        ("up", "beam@127.0.0.1"),
        ("down", "beam@127.0.0.1", "connection_closed"),
        ("up", "beam@127.0.0.1"),
    ]


def is_kept(kernel: NetKernel, diary: Diary) -> bool:
    """Return whether a BEAM node stays connected for a while with a hub that is busy, and one that is idle."""
    there = meet(kernel, diary)
    run_there(there, kernel, diary, "net_kernel:set_net_ticktime(1, 0).")
    block(2.5)  # the hub, and with it this whole thread
    kept = run_there(there, kernel, diary, "nodes(hidden).") == [kernel.name]
    ends = time.monotonic() + 2.0
    wait_until(lambda: not kept or time.monotonic() > ends)
    kept = kept and diary.entries == [("up", "beam@127.0.0.1")]
    if not kept:
        diary.entries.clear()  # so that it is connected to anew
    run_there(meet(kernel, diary), kernel, diary, "net_kernel:set_net_ticktime(60, 0).")
    return kept


def test_a_busy_hub_loses_no_beam_node_and_an_idle_one_neither(kernels: StartKernel, beam: object) -> None:
    """A machine that does not run this process for a second loses the node, too: then it is tried again."""
    diaries = [Diary() for _ in range(5)]
    assert any(
        is_kept(kernels(f"py{number}@127.0.0.1", diary, net_ticktime=1.0), diary)
        for number, diary in enumerate(diaries)
    ), [diary.entries for diary in diaries]


def test_a_wrong_cookie_is_refused_by_a_beam_node(kernels: StartKernel, beam: object) -> None:
    first = Diary()
    meet(kernels("first@127.0.0.1", first), first)
    diary = Diary()
    kernels("py@127.0.0.1", diary, cookie="OTHER").connect("beam@127.0.0.1")
    wait_until(lambda: diary.entries)
    (entry,) = diary.entries
    assert entry[0] == "failed"
    assert "refused the cookie" in entry[2]


def test_a_beam_node_with_a_wrong_cookie_is_refused(
    kernels: StartKernel, beam: object, caplog: pytest.LogCaptureFixture
) -> None:
    diary = EchoDiary()
    kernel = kernels("py@127.0.0.1", diary)
    there = meet(kernel, diary)
    code = """
        erlang:set_cookie('other@127.0.0.1', 'WRONG'),
        Result = net_adm:ping('other@127.0.0.1'),
        Result.
    """
    other = Diary()
    kernels("other@127.0.0.1", other)
    assert run_there(there, kernel, diary, code) == "pang"
    assert other.entries == []
    assert "beam@127.0.0.1 has another cookie" in caplog.text


def test_a_beam_node_that_is_killed_is_down(kernels: StartKernel, epmd_port: int, tmp_path: Path) -> None:
    diary = Diary()
    kernel = kernels("py@127.0.0.1", diary)
    code = "register(echo, self()), receive stop -> ok end."
    with beam_node("mortal@127.0.0.1", COOKIE, code, epmd_port, tmp_path) as process:
        meet(kernel, diary, "mortal@127.0.0.1")
        process.kill()
        wait_until(lambda: len(diary.entries) == 2)
    assert diary.entries[1] == ("down", "mortal@127.0.0.1", "connection_closed")


def test_a_beam_node_talks_by_tls(kernels: StartKernel, epmd_port: int, tmp_path: Path) -> None:
    diary = EchoDiary()
    kernel = kernels("tls@localhost", diary, tls=contexts())
    flags = ["-proto_dist", "inet_tls"]
    for side in ("server", "client"):
        flags += ["-ssl_dist_opt", f"{side}_certfile", str(TLS / "node.pem"), f"{side}_verify", "verify_peer"]
        flags += ["-ssl_dist_opt", f"{side}_cacertfile", str(TLS / "authority.pem")]
    code = """
        register(back, self()),
        pong = net_adm:ping('tls@localhost'),
        {echo, 'tls@localhost'} ! hello,
        receive hello -> io:format("fine~n") end,
        receive stop -> ok end.
    """
    with beam_node("encrypted@localhost", COOKIE, code, epmd_port, tmp_path, flags) as process:
        wait_until(lambda: "hello" in diary.messages, 60)
        assert process.stdout is not None
        assert process.stdout.readline() == "fine\n"
        kernel.connections["encrypted@localhost"].close()
        wait_until(lambda: not kernel.connections)
        kernel.connect("encrypted@localhost")
        wait_until(lambda: kernel.connections)

"""Two nodes of this package: how they meet, what travels, how they part."""

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import gevent
import pytest

from runtime.distribution.connection import Connection
from runtime.distribution.errors import DistributionError
from runtime.distribution.handshake import REQUIRED, Peer, _check_flags, connect
from runtime.distribution.net_kernel import NetKernel, Tls, full_name, start
from runtime.distribution.outgoing import BUSY
from runtime.distribution.transport import Transport
from runtime.distribution.unreadable import UNREADABLE, Unknown
from runtime.terms.atom import Atom
from tests.runtime.distribution.conftest import StartKernel
from tests.support.kernels import COOKIE, SEND, Diary, EchoDiary, PlainConversion, pid_at, wait_until
from tests.support.ports import free_port

TLS = Path(__file__).parent / "tls"


class Thing:
    """An object that only Python knows."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and other.value == self.value


class OnlyThere:
    """An object that can be pickled and not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def meet(left: NetKernel, right: NetKernel) -> tuple[Connection, Connection]:
    left.connect(right.name)
    wait_until(lambda: right.name in left.connections and left.name in right.connections)
    return left.connections[right.name], right.connections[left.name]


def test_two_nodes_know_each_other_for_nodes_of_this_package(kernels: StartKernel) -> None:
    mine, theirs = Diary(), Diary()
    left, right = kernels("a@127.0.0.1", mine), kernels("b@127.0.0.1", theirs, hidden=False)
    there, here = meet(left, right)
    assert (there.is_python, there.pickles, there.hidden, there.creation) == (True, True, False, right.creation)
    assert (here.is_python, here.pickles, here.hidden, here.creation) == (True, True, True, left.creation)
    assert mine.entries == [("up", "b@127.0.0.1")]
    assert theirs.entries == [("up", "a@127.0.0.1")]
    assert theirs.controls == []


def test_any_object_travels_and_order_holds(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    there, _ = meet(left, right)
    sent: list[Any] = [1, "text", b"bytes", None, ("t", (1.5, Atom("a"))), {"k": [1]}, {1, 2}, Thing([1])]
    sent += [pid_at(left), 2j, "x" * 300_000, *range(10_000)]
    control = (SEND, Atom(""), pid_at(right))
    for message in sent:
        assert there.send(control, message)
    wait_until(lambda: len(theirs.messages) == len(sent))
    assert theirs.messages == sent
    assert set(theirs.controls) == {control}
    assert isinstance(theirs.messages[4][1][1], Atom)


def test_a_message_is_what_it_was_when_it_was_sent(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    there, _ = meet(left, right)
    message: dict[str, list[int]] = {"list": []}
    for number in range(3):
        message["list"].append(number)
        there.send((SEND, Atom(""), pid_at(right)), message)
    wait_until(lambda: len(theirs.messages) == 3)
    assert theirs.messages == [{"list": [0]}, {"list": [0, 1]}, {"list": [0, 1, 2]}]


def test_what_cannot_be_pickled_is_refused_at_the_send(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    there, _ = meet(left, right)
    control = (SEND, Atom(""), pid_at(right))
    with pytest.raises(TypeError, match=r"lambda.*cannot be pickled"):
        there.send(control, [lambda: 1])
    there.send(control, "next")
    wait_until(lambda: theirs.messages)
    assert theirs.messages == ["next"]


def test_what_cannot_be_unpickled_comes_as_its_outline_and_no_signal_is_lost(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    there, _ = meet(left, right)
    control = (SEND, Atom(""), pid_at(right))
    there.send(control, ("tag", OnlyThere(), pid_at(left)))
    there.send((3, pid_at(left), pid_at(right), OnlyThere()))
    there.send(control, "next")
    wait_until(lambda: len(theirs.messages) == 2)
    (tag, unknown, pid), last = theirs.messages
    assert (tag, type(unknown), pid, last) == ("tag", Unknown, pid_at(left), "next")
    assert theirs.controls[0][:2] == (UNREADABLE, control)
    assert theirs.controls[0][2].startswith("ValueError: invalid literal for int()")
    assert theirs.controls[1][3].startswith("a value that cannot be unpickled here: ValueError")


@pytest.mark.parametrize("trusting", ["a", "b", ""])
def test_a_node_that_trusts_terms_alone_gets_terms_alone(kernels: StartKernel, trusting: str) -> None:
    theirs = Diary()
    left = kernels("a@127.0.0.1", Diary(), trust="pickle" if trusting == "a" else "terms")
    right = kernels("b@127.0.0.1", theirs, trust="pickle" if trusting == "b" else "terms")
    there, here = meet(left, right)
    assert (there.is_python, there.pickles, here.pickles) == (True, False, False)
    control = (SEND, Atom(""), pid_at(right))
    with pytest.raises(TypeError, match="no counterpart"):
        there.send(control, {1, 2})
    there.send(control, {"a": [1, 2.5]})
    wait_until(lambda: theirs.messages)
    assert theirs.messages == [{"a": [1, 2.5]}]


def test_a_pickle_that_nobody_agreed_on_ends_the_connection(
    kernels: StartKernel, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs, trust="terms")
    there, _ = meet(left, right)
    there.pickles = True
    there.send((SEND, Atom(""), pid_at(right)), "attack")
    wait_until(lambda: len(theirs.entries) == 2)
    assert theirs.entries[1] == ("down", "a@127.0.0.1", "connection_closed")
    assert theirs.messages == []
    assert "sent what is no message" in caplog.text


def test_two_nodes_that_connect_to_each_other_at_once_end_with_one_connection(kernels: StartKernel) -> None:
    mine, theirs = Diary(), Diary()
    left, right = kernels("a@127.0.0.1", mine), kernels("b@127.0.0.1", theirs)
    for _ in range(20):
        left.connect(right.name)
        right.connect(left.name)
        wait_until(lambda: right.name in left.connections and left.name in right.connections)
        there = left.connections[right.name]
        there.send((SEND, Atom(""), pid_at(right)), "over the one that stays")
        wait_until(lambda: theirs.messages)
        assert mine.entries == [("up", right.name)]
        assert theirs.entries == [("up", left.name)]
        there.close()
        wait_until(lambda: len(mine.entries) == 2 and len(theirs.entries) == 2)
        assert mine.entries[1] == ("down", right.name, "disconnect")
        assert theirs.entries[1] == ("down", left.name, "connection_closed")
        mine.entries.clear()
        theirs.entries.clear()
        theirs.messages.clear()
        wait_until(lambda: not left._all and not right._all)  # an attempt that came too late may still end


def test_a_node_connects_itself_when_the_attempt_of_the_other_one_that_it_waits_for_ends(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    sock = socket.create_connection(("127.0.0.1", right.port))
    transport = Transport(sock)
    connect(transport, left._own, right.name, lambda: False)
    wait_until(lambda: right._opening)
    right.connect(left.name)
    transport.close()
    wait_until(lambda: theirs.entries)
    assert theirs.entries == [("up", left.name)]


def test_a_connection_that_is_over_sends_nothing(kernels: StartKernel) -> None:
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", Diary())
    there, here = meet(left, right)
    there.close()
    wait_until(lambda: not here.is_up)
    assert there.send((SEND, Atom(""), pid_at(right)), 1) is False
    assert here.send((SEND, Atom(""), pid_at(left)), 1) is False


def test_what_was_sent_before_the_end_arrives_before_it(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    there, _ = meet(left, right)
    for number in range(3_000):
        there.send((SEND, Atom(""), pid_at(right)), number)
    left.close()
    wait_until(lambda: len(theirs.entries) == 2)
    assert theirs.messages == [*range(3_000)]


def test_a_wrong_cookie_is_one_sentence_on_each_side(kernels: StartKernel, caplog: pytest.LogCaptureFixture) -> None:
    mine, theirs = Diary(), Diary()
    left, right = kernels("a@127.0.0.1", mine, cookie="OTHER"), kernels("b@127.0.0.1", theirs)
    with caplog.at_level(logging.DEBUG):
        left.connect(right.name)
        wait_until(lambda: mine.entries)
    (entry,) = mine.entries
    assert entry[0] == "failed"
    assert entry[2].startswith("b@127.0.0.1 refused the cookie; give both nodes the same one")
    assert theirs.entries == []
    there, here = sorted(record.getMessage() for record in caplog.records)[::-1]
    assert there.startswith("refused a node that connected from 127.0.0.1:")
    assert there.endswith("a@127.0.0.1 has another cookie; give both nodes the same one")
    assert here == f"no connection to b@127.0.0.1: {entry[2]}"


def test_why_a_node_is_not_reached_is_logged_once_until_it_changes(
    kernels: StartKernel, caplog: pytest.LogCaptureFixture
) -> None:
    mine = Diary()
    left = kernels("a@127.0.0.1", mine)
    for _ in range(3):
        mine.entries.clear()
        left.connect("absent@127.0.0.1")
        wait_until(lambda: mine.entries)
    assert caplog.text.count("no connection to absent@127.0.0.1: no node 'absent' runs") == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent@127.0.0.1", "no node 'absent' runs on 127.0.0.1"),
        ("absent@nowhere.invalid", "the host 'nowhere.invalid' is not found"),
        ("absent", "is no name of a node; one looks like shop@127.0.0.1"),
        ("a@127.0.0.1", "a node does not connect to itself"),
        ("x" * 255 + "@h", "at most 255 bytes"),
    ],
)
def test_a_node_that_cannot_be_reached_is_explained(kernels: StartKernel, name: str, reason: str) -> None:
    mine = Diary()
    kernels("a@127.0.0.1", mine).connect(name)
    wait_until(lambda: mine.entries)
    (entry,) = mine.entries
    assert entry[:2] == ("failed", name)
    assert reason in entry[2]


def test_a_name_that_is_taken_is_explained(kernels: StartKernel) -> None:
    kernels("a@127.0.0.1", Diary())
    with pytest.raises(DistributionError, match="'a' runs on this host already"):
        kernels("a@127.0.0.1", Diary())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "no name"}, "is no name of a node"),
        ({"cookie": ""}, "must be 1 to 255"),
        ({"listen": "0.0.0.0"}, "give tls=, or insecure=True"),
        ({"listen": "203.0.113.7", "insecure": True}, "cannot listen on 203.0.113.7"),
        ({"epmd": None}, "give port="),
    ],
)
def test_a_start_that_cannot_be_is_explained(options: dict[str, Any], reason: str) -> None:
    chosen: dict[str, Any] = {"name": "a@127.0.0.1", "cookie": COOKIE, **options}
    with pytest.raises(DistributionError, match=reason):
        start(chosen.pop("name"), chosen.pop("cookie"), conversion=PlainConversion(), handler=Diary(), **chosen)


def test_a_short_name_gets_the_name_of_the_host() -> None:
    name, _, host = full_name("shop").partition("@")
    assert name == "shop"
    assert host


def test_a_node_that_comes_again_replaces_its_old_connection(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary()), kernels("b@127.0.0.1", theirs)
    meet(left, right)
    left.connections.clear()  # it has forgotten
    left._attempts.note_down(right.name)
    left.connect(right.name)
    wait_until(lambda: len(theirs.entries) == 3)
    assert [entry[0] for entry in theirs.entries] == ["up", "down", "up"]


def test_a_peer_that_reads_slowly_makes_the_connection_busy_and_no_more(kernels: StartKernel) -> None:
    mine, theirs = Diary(), Diary()
    left, right = kernels("a@127.0.0.1", mine), kernels("b@127.0.0.1", theirs)
    there, here = meet(left, right)
    idle: list[Connection] = []
    there.on_idle = idle.append
    here._reader.stop()
    sent = 0
    while not there.is_busy():
        there.send((SEND, Atom(""), pid_at(right)), b"x" * 10_000)
        sent += 1
        if sent % 20 == 0:
            gevent.sleep(0)
        assert sent < 10_000
    assert BUSY < there.queued < BUSY + 500_000
    assert idle == []
    here._reader.start(here._readable)
    wait_until(lambda: len(theirs.messages) == sent)
    wait_until(lambda: idle)
    assert idle == [there]
    assert there.queued == 0


def test_nodes_without_epmd_are_found_by_their_port(kernels: StartKernel) -> None:
    mine, theirs = EchoDiary(), EchoDiary()
    left = kernels("a@127.0.0.1", mine)
    right = kernels("b@127.0.0.1", theirs, epmd=None, port=free_port())
    left._static_port = right.port
    meet(left, right)


# -- TLS ------------------------------------------------------------------------------------------------------------


def contexts(verified: bool = True) -> Tls:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(TLS / "node.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(TLS / "authority.pem")
    client.load_verify_locations(TLS / "authority.pem")
    if verified:
        client.load_cert_chain(TLS / "node.pem")
    return Tls(server, client)


def test_nodes_talk_by_tls(kernels: StartKernel) -> None:
    theirs = Diary()
    left, right = kernels("a@127.0.0.1", Diary(), tls=contexts()), kernels("b@127.0.0.1", theirs, tls=contexts())
    there, _ = meet(left, right)
    sent = [*range(2_000), b"x" * 3_000_000, "last"]
    for message in sent:
        there.send((SEND, Atom(""), pid_at(right)), message)
    wait_until(lambda: len(theirs.messages) == len(sent))
    assert theirs.messages == sent
    there.close()
    wait_until(lambda: len(theirs.entries) == 2)


def test_a_node_without_a_certificate_is_refused(kernels: StartKernel, caplog: pytest.LogCaptureFixture) -> None:
    mine, theirs = Diary(), Diary()
    left = kernels("a@127.0.0.1", mine, tls=contexts(verified=False))
    right = kernels("b@127.0.0.1", theirs, tls=contexts())
    left.connect(right.name)
    wait_until(lambda: mine.entries)
    assert mine.entries[0][0] == "failed"
    assert "it may have refused this node's certificate" in str(mine.entries[0])
    wait_until(lambda: "TLS refused it: it has no certificate; give its client context one" in caplog.text)
    assert theirs.entries == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("encrypted", "here", "there"),
    [
        (True, "where it does without TLS, give both nodes tls=", "it speaks TLS, and this node does not"),
        (False, "it may want TLS: give both nodes tls=, or neither", "it does not speak TLS, and this node does"),
    ],
)
def test_a_node_with_tls_and_one_without_do_not_meet_and_both_say_why(
    kernels: StartKernel, caplog: pytest.LogCaptureFixture, encrypted: bool, here: str, there: str
) -> None:
    mine = Diary()
    left = kernels("a@127.0.0.1", mine, tls=contexts() if encrypted else None)
    right = kernels("b@127.0.0.1", Diary(), tls=None if encrypted else contexts())
    left.connect(right.name)
    wait_until(lambda: mine.entries)
    assert mine.entries[0][0] == "failed"
    assert here in str(mine.entries[0])
    wait_until(lambda: there in caplog.text)
    assert len(caplog.records) == 2  # one sentence on each side
    assert "Traceback" not in caplog.text


def test_a_certificate_of_a_stranger_is_refused_and_both_say_why(
    kernels: StartKernel, caplog: pytest.LogCaptureFixture
) -> None:
    mine, trusting = Diary(), contexts()
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts no authority
    left = kernels("a@127.0.0.1", mine, tls=Tls(trusting.server, stranger))
    right = kernels("b@127.0.0.1", Diary(), tls=contexts())
    left.connect(right.name)
    wait_until(lambda: mine.entries)
    assert "TLS refused its certificate: " in str(mine.entries[0])
    assert "load_verify_locations" in str(mine.entries[0])
    wait_until(lambda: "it refused this node's certificate (unknown ca)" in caplog.text)
    assert len(caplog.records) == 2


def test_the_handshake_names_what_an_old_node_lacks() -> None:
    with pytest.raises(DistributionError, match="a@h is too old: it does not offer MAP_TAG, BIG_CREATION; OTP 25 does"):
        _check_flags(Peer("a@h", 1, sum(REQUIRED.values()) & ~(1 << 17 | 1 << 18)))

"""What messages to a node of the BEAM look like on their way: each has its own destination and its own sender."""

from typing import Any

from runtime import disconnect_node, receive, self_, send, sleep, spawn
from runtime.distribution.cluster import local_node
from runtime.distribution.connection import Connection
from runtime.distribution.frames import FrameBuffer
from runtime.distribution.remote_node import REG_SEND, SEND
from runtime.kernel.node import this_node
from tests.support.other_nodes import Other, named, python_node

DEADLINE = 60.0


def connection_to(other: Other) -> Connection:
    local = local_node(this_node())
    assert local is not None
    connection = local.remotes[other.name].connection
    assert connection is not None
    return connection


def record(connection: Connection) -> list[bytes]:
    """Return a list of what is handed to the socket from now on."""
    sent: list[bytes] = []
    frames: Any = connection._frames
    move = frames.move

    def move_and_record(out: Any) -> None:
        sent.extend(frames._parts)
        move(out)

    frames.move = move_and_record
    return sent


def messages(connection: Connection, sent: list[bytes]) -> list[tuple[Any, ...]]:
    """Return the control messages and the contents of frames."""
    codec, buffer, found = connection._terms.codec, FrameBuffer([*sent]), []
    while (frame := buffer.next()) is not None:
        control, end = codec.decode_control(frame, 1)
        found.append((*control, codec.decode_first(frame, end)[0]))
        buffer.frame = None
    return found


@named
def test_each_message_goes_where_it_is_sent_from_who_sends_it() -> None:
    with python_node("terms") as other:
        other.connect()
        connection, me = connection_to(other), self_()
        one, two = ("counter", other.name), ("nobody", other.name)
        send(one, (me, 0))  # the way to a name is known from the second message on
        send(two, (me, 0))
        sleep(0)
        sent = record(connection)

        def send_as_well() -> None:
            send(one, (me, 4))
            send(me, "sent")

        for number, dest in enumerate((one, one, two), 1):
            send(dest, (me, number))
        another = spawn(send_as_well)
        receive("sent", timeout=DEADLINE)
        send(one, (me, 5))
        sleep(0)
        assert messages(connection, sent) == [
            (REG_SEND, me, "", "counter", (me, 1)),
            (REG_SEND, me, "", "counter", (me, 2)),
            (REG_SEND, me, "", "nobody", (me, 3)),
            (REG_SEND, another, "", "counter", (me, 4)),
            (REG_SEND, me, "", "counter", (me, 5)),
        ]


@named
def test_a_message_goes_by_the_connection_that_is_up() -> None:
    with python_node("terms") as other:
        other.connect()
        before, me = connection_to(other), self_()
        dest = ("counter", other.name)
        for number in range(3):
            send(dest, (me, number))
        disconnect_node(other.name)
        other.connect()
        connection = connection_to(other)
        assert connection is not before
        sent = record(connection)
        send(dest, (me, 3))
        sleep(0)
        assert messages(connection, sent) == [(REG_SEND, me, "", "counter", (me, 3))]


@named
def test_a_message_to_a_pid_names_no_sender() -> None:
    with python_node("terms") as other:
        other.connect()
        connection = connection_to(other)
        local = local_node(this_node())
        assert local is not None
        one, two = (local._foreign_pid(local.number_of(other.name, connection.creation), n, 0) for n in (3, 4))
        sent = record(connection)
        for dest in (one, one, two):
            send(dest, 1)
        sleep(0)
        assert messages(connection, sent)[-3:] == [(SEND, "", one, 1), (SEND, "", one, 1), (SEND, "", two, 1)]

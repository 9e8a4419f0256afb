from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.server import StreamServer
from gevent.socket import create_connection, socketpair

from runtime import GenServer, Pid, call, receive, self_, send, spawn
from runtime.introspection import wire
from runtime.introspection.measuring.socket_holders import SocketHolders
from runtime.kernel.node import this_node
from tests.support.in_node import in_node
from tests.support.trees import Observer


class Keeper(GenServer):
    """Keeps a socket in its state."""

    def init(self) -> None:
        """Make the socket."""
        self.ends = {"mine": socketpair()}

    def handle_call(self, request: object, caller: object) -> list[int]:
        """Yield the descriptors, and close them at the end."""
        ends = self.ends["mine"]
        numbers = [end.fileno() for end in ends]
        if request == "close":
            for end in ends:
                end.close()
        return numbers


_nobodys: list[gevent.socket.socket] = []


def _open_and_hand_on(parent: Pid, reader: Callable[..., None]) -> None:
    ours, theirs = socketpair()
    with ours:
        send(parent, (ours.fileno(), theirs.fileno(), spawn(reader, theirs)))
        receive()


def _read(connection: gevent.socket.socket) -> None:
    with connection:
        connection.recv(1)


def _found(*fds: int) -> dict[int, Pid]:
    """Search until something was found for each of the descriptors."""
    holders = SocketHolders(this_node(), Observer().node.greenlets)
    holders.keep_going()
    while not all(map(holders.holder, fds)):
        gevent.sleep(0.01)
    found = {fd: holder.pid for fd in fds if (holder := holders.holder(fd)) is not None}
    holders.close()
    return found


@in_node
def test_a_socket_that_two_know_is_of_the_one_that_waits_for_it() -> None:
    first = spawn(_open_and_hand_on, self_(), _read)
    ours, theirs, second = receive((int, int, Pid))
    assert _found(ours, theirs) == {ours: first, theirs: second}


@in_node
def test_a_socket_in_the_state_of_a_server_without_work_is_the_servers() -> None:
    keeper = Keeper.start()
    assert keeper is not None
    fds = call(keeper, "which")
    assert _found(*fds) == dict.fromkeys(fds, keeper)
    call(keeper, "close")


@in_node
def test_sockets_are_listed_by_process_and_those_of_nobody_last() -> None:
    keeper = Keeper.start(name="keeper")
    assert keeper is not None
    fds = call(keeper, "which")
    _nobodys.extend(socketpair())
    observer = Observer()
    holders = observer.node.socket_holders
    holders.keep_going()
    while not all(map(holders.holder, fds)):
        gevent.sleep(0.01)
    listed = observer.ask(wire.GetNames()).sockets
    assert [(entry.fd, entry.pid, entry.name) for entry in listed[:2]] == [(fd, str(keeper), "keeper") for fd in fds]
    nobodys = {end.fileno() for end in _nobodys}
    assert [entry.pid for entry in listed if entry.fd in nobodys] == [None, None]
    call(keeper, "close")
    assert not {entry.fd for entry in observer.ask(wire.GetNames()).sockets} & {*fds}
    for end in _nobodys:
        end.close()


@in_node
def test_the_sockets_of_a_server_of_gevents_belong_to_the_greenlets_that_serve_and_answer() -> None:
    observer = Observer()
    observer.greenlets.switch_on()
    listening: AsyncResult[Any] = AsyncResult()
    answering: AsyncResult[Any] = AsyncResult()
    greenlets: list[Any] = []

    def serve() -> None:
        def answer(connection: gevent.socket.socket, address: object) -> None:
            greenlets.append(gevent.getcurrent())
            answering.set(connection.fileno())
            gevent.sleep(60)
            assert server  # what answers knows the server too

        server = StreamServer(("127.0.0.1", 0), answer)
        server.start()
        listening.set((server.server_port, server.socket.fileno()))
        try:
            gevent.sleep(60)
        finally:
            server.stop(0)

    greenlets.append(gevent.spawn(serve))
    listens = listening.get()
    assert listens is not None
    port, listener = listens
    with create_connection(("127.0.0.1", port)):
        holders = observer.node.socket_holders
        holders.keep_going()
        fds = [listener, answering.get()]
        while not all(map(holders.holder, fds)):
            gevent.sleep(0.01)
        held = {entry.fd: entry.name.rpartition(".")[2] for entry in observer.ask(wire.GetNames()).sockets}
        assert [held[fd] for fd in fds] == ["serve", "answer"]
    gevent.killall(greenlets)  # the server does not end what answers
    observer.greenlets.switch_off()

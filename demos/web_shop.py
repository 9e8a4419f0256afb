"""A web shop whose requests are answered by supervised servers, and go on while these are killed.

Alone, ``python -m demos.web_shop`` has one customer buy tea while the cart, the catalogue, the database and the web
server are killed. ``--load 60 --kill-every 1`` has eight customers buy for a minute, from another program, while a
process dies each second; then it checks that every request was answered, that no order was lost or doubled, and that
the stock was not oversold. In the observer customers come by themselves, and ``curl localhost:PORT`` is a request:

- Press ``x`` on ``catalogue``: requests for it are answered with 503 until it is back, which takes milliseconds.
- Press ``x`` on a connection of ``database``: what waited for it asks another one. A transaction that had begun is
  finished or undone, never half of it.
- Press ``x`` on a cart: the next one of that name finds in the database what was in it.
- Press ``x`` on the row ``http://...``: requests under way are answered all the same. New ones wait at the port, which
  is open throughout, until the next web server takes them.
- The requests themselves are greenlets of gevent's, in a group of their own, that call the servers as a process would.

SQLite blocks whoever waits for the disk or for another writer, and would stop every process with it. So a connection
works in a thread of gevent's pool, and its process, which waits for that thread, is all that a kill can end.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import gevent
from gevent import socket
from gevent.pywsgi import WSGIServer

from demos import _shop_database as database
from demos._shop_customers import ask, customer_process
from demos._shop_database import Database, cart_lines, find_order, place_order, put, transact
from demos._shop_load import load
from demos._stage import kill, named, play
from runtime import (
    CallError,
    ChildSpec,
    DynamicSupervisor,
    Exit,
    GenServer,
    NoProcessError,
    PartitionSupervisor,
    Pid,
    Registry,
    Reply,
    StartError,
    Stop,
    Supervisor,
    Timeout,
    call,
    child_spec,
    exit,
    flag,
    receive,
    run,
    self_,
    send_after,
    set_label,
    sleep,
    spawn_link,
    start_child,
    whereis,
    which_children,
)

TIMEOUT = 2.0
"""Seconds after which a request is answered with 503, whatever it waits for."""

CONNECTIONS = 4
REFRESH = 0.5
"""Seconds that the catalogue's stock may be old."""

IDLE = 5.0
"""Seconds after which a cart that no request comes for is put away. The database keeps what is in it."""

RESTARTS = 100
"""Restarts that each supervisor allows in five seconds: there are killers about."""

LONGEST_BODY = 10_000

Answer = tuple[int, Any]
"""The status of a response, and its body."""


class Connection(GenServer):
    """A connection to the database: does one transaction after another, each in a thread of gevent's pool."""

    def init(self, path: str) -> None:
        """Open the database."""
        self.database: Database = in_thread(database.connect, path)

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Do a transaction. When it fails, this connection ends, and its supervisor opens another one."""
        match request:
            case ("transact", work, args):
                return in_thread(transact, self.database, work, *args)
            case _:
                return super().handle_call(request, caller)


def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function that blocks in a thread, while this process waits and the others go on."""
    return gevent.get_hub().threadpool.apply(function, args)


def query(work: Callable[..., Any], *args: Any) -> Any:
    """Have a connection do a transaction, and another one when that fails: a repetition does no harm here."""
    first = random.randrange(CONNECTIONS)
    try:
        return call(("via", "database", first), ("transact", work, args), TIMEOUT / 2)
    except CallError:
        return call(("via", "database", first + 1), ("transact", work, args), TIMEOUT / 2)


class Catalogue(GenServer):
    """Knows the products, their prices, and about how many are left."""

    def init(self) -> None:
        """Look at the database for the first time."""
        self.refresh()

    def refresh(self) -> None:
        """Look at the database now, and again after a while."""
        self.products = query(database.products)
        send_after(self_(), "refresh", REFRESH)

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Return all products."""
        match request:
            case "products":
                return self.products
            case _:
                return super().handle_call(request, caller)

    def handle_info(self, message: object) -> None:
        """Look again."""
        match message:
            case "refresh":
                self.refresh()
            case _:
                super().handle_info(message)


class Cart(GenServer, restart="transient"):
    """The cart of one customer. The database keeps its lines, so that it can die at any time."""

    def init(self, id: str) -> Timeout:
        """Take up what an earlier process left."""
        self.id = id
        set_label(f"cart of {id}")
        self.lines = query(cart_lines, id)
        return Timeout(IDLE)

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Show the lines, change one, or buy them all: then the cart is done with."""
        match request:
            case "lines":
                return Reply(self.lines, Timeout(IDLE))
            case ("put", product, number):
                if not query(put, self.id, product, number):
                    return Reply(None, Timeout(IDLE))
                self.lines[product] = number
                return Reply(self.lines, Timeout(IDLE))
            case "order":
                order = query(place_order, self.id)
                return Stop("normal", reply=order) if isinstance(order, dict) else Reply(order, Timeout(IDLE))
            case _:
                return super().handle_call(request, caller)

    def handle_info(self, message: object) -> Stop | None:
        """Go, since no request has come for long."""
        match message:
            case "timeout":
                return Stop("normal")
            case _:
                super().handle_info(message)
                return None


def ask_cart(id: str, request: object) -> Any:
    """Call a cart, and start it when it is not there."""
    name = ("via", "customers", id)
    if whereis(name) is None:
        try:
            start_child("carts", child_spec(Cart.child_spec(id, name=name), id=id))
        except StartError as error:
            match error.reason:
                case ("already_started", _):  # another request was faster
                    pass
                case _:
                    raise
    return call(name, request, TIMEOUT)


def respond(method: str, path: list[str], body: Any) -> Answer:
    """Answer one request, by calling the servers it is for."""
    match method, path, body:
        case "GET", [""], _:
            return 200, ["GET /products", 'PUT /carts/ID/PRODUCT {"number": 1}', "GET /carts/ID", "PUT /orders/ID"]
        case "GET", ["products"], _:
            return 200, call("catalogue", "products", TIMEOUT)
        case "GET", ["carts", id], _:
            return 200, ask_cart(id, "lines")
        case "PUT", ["carts", id, product], {"number": int(number)} if 0 < number < 100:
            lines = ask_cart(id, ("put", product, number))
            return (404, f"there is no {product}") if lines is None else (200, lines)
        case "PUT", ["orders", id], _:  # the cart of that id becomes the order of that id, once
            match ask_cart(id, "order"):
                case ("sold out", product):
                    return 409, f"there is not enough {product} left"
                case order:
                    return (404, "the cart is empty") if order is None else (200, order)
        case "GET", ["orders", id], _:
            order = query(find_order, id)
            return (404, "there is no such order") if order is None else (200, order)
    return 400, "unknown request; GET / lists those that are known"


STATUS = {200: "OK", 400: "Bad Request", 404: "Not Found", 409: "Conflict", 503: "Service Unavailable"}


class TooLate(Exception):
    """Ends the work for a request whose time is over."""


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer a request of the web (WSGI), in a plain greenlet: it always has an answer, and in time."""
    status, answer = 503, "try again"
    with gevent.Timeout(TIMEOUT, TooLate), suppress(TooLate, CallError, StartError, NoProcessError):
        try:
            text = environ["wsgi.input"].read(LONGEST_BODY)
            body = json.loads(text) if text else None
        except ValueError:
            status, answer = 400, "the body is no JSON"
        else:
            path = environ["PATH_INFO"].strip("/").split("/")
            status, answer = respond(environ["REQUEST_METHOD"], path, body)
    text = json.dumps(answer).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    start_response(f"{status} {STATUS[status]}", headers)
    return [text]


def web(listener: socket.socket) -> None:
    """Take requests at a port that is open already, each in a greenlet of its own, until told to stop.

    However this process ends, the greenlets of requests finish them. The port is not closed with it either: it listens
    on a copy, so that what comes meanwhile waits for the next web server.
    """
    flag(trap_exit=True)
    server = WSGIServer(listener.dup(), application, log=None)
    try:
        server.start()
        match receive(Exit):
            case Exit(_, reason):
                server.stop(timeout=TIMEOUT)
                exit(reason)
    finally:
        server.close()


def start_web(listener: socket.socket) -> Pid:
    """Start the web server."""
    return spawn_link(web, listener, label=f"http://localhost:{port_of(listener)}")


def port_of(listener: socket.socket) -> int:
    """Return the port at which a socket listens."""
    return int(listener.getsockname()[1])


def open_port(port: int = 0) -> socket.socket:
    """Listen at a port of this machine; at any that is free when it is 0 or taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # for what is accepted: pywsgi sends in two parts
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    return listener


def tree(path: str, listener: socket.socket, *others: ChildSpec) -> Pid | None:
    """Start the shop on a database and an open port. Servers know each other by name, so that each restarts alone."""
    flags: dict[str, Any] = {"max_restarts": RESTARTS}
    shopping = [
        Registry.child_spec(name="customers"),
        DynamicSupervisor.child_spec(name="carts", max_children=1000, **flags),
    ]
    return Supervisor.start_link(
        [
            PartitionSupervisor.child_spec((Connection, path), partitions=CONNECTIONS, name="database", **flags),
            named(Catalogue, "catalogue"),
            Supervisor.child_spec(shopping, strategy="rest_for_one", name="shopping", **flags),
            ChildSpec(id="web", start=(start_web, listener), shutdown=2 * TIMEOUT),
            *others,
        ],
        name="shop",
        **flags,
    )


def session(path: str, listener: socket.socket) -> None:
    """Buy tea while one part of the shop after another is killed."""
    tree(path, listener)
    visit = partial(in_thread, ask, port_of(listener))

    def show(method: str, path: str, body: object = None) -> None:
        while (response := visit(method, path, body))[0] == 503:
            sleep(0.01)
        print(method, path, "->", *response)

    show("PUT", "/carts/ada/tea", {"number": 2})
    kill_and_tell("cart", ("via", "customers", "ada"))
    kill_and_tell("catalogue", "catalogue")
    show("GET", "/carts/ada")
    for number in range(CONNECTIONS):
        kill_and_tell(f"connection {number}", ("via", "database", number))
    show("PUT", "/orders/ada")
    kill_and_tell("web", child_of("shop", "web"))
    show("PUT", "/orders/ada")
    kill_and_tell("database", "database")
    kill_and_tell("shopping", "shopping")
    show("GET", "/orders/ada")


def child_of(supervisor: str, id: str) -> Pid:
    """Return the process that a supervisor's child is at the moment."""
    return next(child.pid for child in which_children(supervisor) if child.id == id and isinstance(child.pid, Pid))


def kill_and_tell(what: str, name: Any) -> None:
    """Kill a process by name, and print that."""
    kill(name)
    print(f"kill {what}")


def customer_program(listener: socket.socket) -> ChildSpec:
    """Describe a process that keeps customers coming, who buy without hurry."""
    return ChildSpec(id="visitors", start=(start_visitors, port_of(listener)))


def start_visitors(port: int) -> Pid:
    """Start the process that owns the program of the customers."""
    return spawn_link(visit_for_ever, port, label="customers, in another program")


def visit_for_ever(port: int) -> None:
    """Run the program of the customers, and end it with this process."""
    with customer_process(port):
        receive(Exit)


def under_load(path: str, listener: socket.socket, options: argparse.Namespace) -> int:
    """Open the shop, let customers come and processes die, and print what came of it. Returns the exit status."""
    tree(path, listener)
    outcome = load(port_of(listener), path, options.load, options.customers, options.kill_every, options.seed)
    print(outcome.report())
    return 1 if outcome.problems else 0


def number_above_zero(text: str) -> float:
    """Read a number of seconds."""
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def main() -> None:
    """Read the arguments, and open the shop."""
    parser = argparse.ArgumentParser(prog="python -m demos.web_shop", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=8080, help="where to listen; any free port when it is taken")
    parser.add_argument("--database", metavar="FILE", help="keep the orders in this file, rather than until the end")
    parser.add_argument("--load", type=number_above_zero, metavar="SECONDS", help="let customers come for so long")
    parser.add_argument(
        "--customers", type=int, default=8, metavar="N", help="how many of them at a time (%(default)s)"
    )
    parser.add_argument("--kill-every", type=number_above_zero, metavar="SECONDS", help="kill a process so often")
    parser.add_argument("--seed", type=int, default=0, help="which processes are killed (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_port(options.port) as listener:
        path = options.database or f"{folder}/shop.db"
        if options.load is None:
            play(partial(session, path, listener), partial(tree, path, listener, customer_program(listener)))
            return
        logging.getLogger("runtime").setLevel(logging.CRITICAL + 1)
        try:
            sys.exit(run(under_load, path, listener, options))
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()

"""Customers of the web shop: a program of its own that buys over HTTP, and notes how each request was answered.

``python -m demos._shop_customers PORT`` goes on until its input ends, which it does with the program that started it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread
from typing import Any

from gevent import subprocess

PATIENCE = 10.0
"""Seconds after which a request counts as unanswered: much more than the shop allows itself."""

UNANSWERED = 0
"""Stands for the status of a request that got no answer."""

NAMES = ("ada", "bob", "charles", "dora", "emil", "fay")
PRODUCTS = ("tea", "cup", "pot", "kettle", "samovar")


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Make one request, and return the status and what the body holds."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        return _ask(connection, method, path, body)
    finally:
        connection.close()


def _ask(connection: HTTPConnection, method: str, path: str, body: object) -> tuple[int, Any]:
    connection.request(method, path, None if body is None else json.dumps(body))
    response = connection.getresponse()
    return response.status, json.loads(response.read())


class Customer(Thread):
    """Buys, again and again: looks around, fills a cart, orders it."""

    def __init__(self, port: int, pause: float, is_over: Event) -> None:
        super().__init__(daemon=True)
        self.connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.pause = pause
        self.is_over = is_over
        self.answers: list[tuple[int, float]] = []
        """The status of each answer, and the seconds it took."""
        self.failures: list[str] = []
        """Why requests were not answered."""
        self.orders: dict[str, dict[str, int]] = {}
        """What the shop said was bought."""

    def run(self) -> None:
        """Buy until all is over."""
        while not self.is_over.wait(self.pause):
            self.buy(f"{random.choice(NAMES)}-{secrets.token_hex(4)}")

    def buy(self, cart: str) -> None:
        """Buy what chance has it."""
        self.visit("GET", "/products")
        for product in random.sample(PRODUCTS, random.randint(1, 3)):
            self.visit("PUT", f"/carts/{cart}/{product}", {"number": random.randint(1, 3)})
        status, order = self.visit("PUT", f"/orders/{cart}")
        if status == 200:
            self.orders[cart] = order["lines"]

    def visit(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Make a request, again and again while the shop asks for that."""
        while True:
            began = time.monotonic()
            try:
                status, answer = _ask(self.connection, method, path, body)
            except (OSError, HTTPException, ValueError) as error:
                self.connection.close()  # the next request opens it again
                self.failures.append(f"{method} {path}: {type(error).__name__}: {error}")
                status, answer = UNANSWERED, None
            self.answers.append((status, time.monotonic() - began))
            if status not in (503, UNANSWERED) or self.is_over.wait(max(self.pause, 0.02)):
                return status, answer


@contextmanager
def customer_process(port: int, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Start this module as a program, and end it at the end."""
    environment = {key: value for key, value in os.environ.items() if key != "OBSERVER"}
    command = [sys.executable, "-m", __name__, str(port), *map(str, options)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as child:
        try:
            yield child
        finally:
            with suppress(ProcessLookupError):
                child.kill()


def end_with_input(is_over: Event) -> None:
    """Wait for the end of the input."""
    while os.read(sys.stdin.fileno(), 1):  # not through `sys.stdin`, whose lock would be held at the end
        pass
    is_over.set()


def main() -> None:
    """Send customers, and print at the end how they fared."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name if __spec__ else __name__}")
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, help="how long; until the input ends if it is not given")
    parser.add_argument("--customers", type=int, default=3, help="how many at a time")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds from one purchase to the next")
    options = parser.parse_args()
    is_over = Event()
    customers = [Customer(options.port, options.pause, is_over) for _ in range(options.customers)]
    Thread(target=end_with_input, args=(is_over,), daemon=True).start()
    for customer in customers:
        customer.start()
    is_over.wait(options.seconds)
    is_over.set()
    for customer in customers:
        customer.join()
    told = {
        "answers": [answer for customer in customers for answer in customer.answers],
        "failures": [failure for customer in customers for failure in customer.failures],
        "orders": {id: lines for customer in customers for id, lines in customer.orders.items()},
    }
    try:
        print(json.dumps(told), flush=True)
    except BrokenPipeError:  # the shop has ended, and Python would complain once more when it flushes at the end
        os._exit(0)


if __name__ == "__main__":
    main()

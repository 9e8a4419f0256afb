"""The web shop: its servers with the plugin that the runtime brings for such tests, and the whole of it under load."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import get_hub

from demos import _shop_database, web_shop
from demos._shop_customers import ask
from demos._shop_load import Load, check
from demos.web_shop import ask_cart, open_port, port_of, query, respond, tree
from runtime import ChildSpec, Pid, resume, sleep, suspend, whereis, which_children
from runtime.testing import assert_restarted, chaos, crash, start_supervised

pytest_plugins = ["runtime.testing"]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Open a shop and its port."""
    with open_port() as listener:
        spec = ChildSpec(id="shop", start=(tree, str(tmp_path / "shop.db"), listener), type="supervisor")
        start_supervised(spec)
        yield port_of(listener)


def visit(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Make a request in a thread, so that the shop goes on meanwhile."""
    answer: tuple[int, Any] = get_hub().threadpool.apply(ask, (port, method, path, body))
    return answer


def web() -> Pid:
    """Return the pid of the web server."""
    return next(child.pid for child in which_children("shop") if child.id == "web" and isinstance(child.pid, Pid))


def test_a_cart_that_dies_comes_back_with_what_was_in_it(port: int) -> None:
    visit(port, "PUT", "/carts/ada/tea", {"number": 2})
    cart = whereis(("via", "customers", "ada"))
    assert cart is not None
    crash(cart)
    while (answer := visit(port, "GET", "/carts/ada"))[0] == 503:
        sleep(0.01)
    assert answer == (200, {"tea": 2})


def test_an_order_is_made_once_however_often_it_is_asked_for_and_outlives_every_process(port: int) -> None:
    visit(port, "PUT", "/carts/ada/tea", {"number": 2})
    order = {"id": "ada", "total": 900, "lines": {"tea": 2}}
    assert visit(port, "PUT", "/orders/ada") == visit(port, "PUT", "/orders/ada") == (200, order)
    for child in which_children("shop"):
        assert isinstance(child.pid, Pid)
        assert_restarted(crash(child.pid))
    assert visit(port, "GET", "/orders/ada") == (200, order)
    assert visit(port, "GET", "/products")[1]["tea"]["stock"] == _shop_database.PRODUCTS["tea"][1] - 2


def test_what_is_sold_out_is_refused_and_nothing_of_that_order_is_bought(port: int) -> None:
    number = _shop_database.PRODUCTS["samovar"][1]
    for cart, wanted in (("first", number), ("second", 1)):
        visit(port, "PUT", f"/carts/{cart}/samovar", {"number": wanted})
        visit(port, "PUT", f"/carts/{cart}/tea", {"number": 1})
    assert visit(port, "PUT", "/orders/first")[0] == 200
    assert visit(port, "PUT", "/orders/second") == (409, "there is not enough samovar left")
    assert visit(port, "GET", "/orders/second")[0] == 404
    left = query(_shop_database.products)
    assert (left["samovar"]["stock"], left["tea"]["stock"]) == (0, _shop_database.PRODUCTS["tea"][1] - 1)
    assert ask_cart("second", "lines") == {"samovar": 1, "tea": 1}


def test_a_request_that_waits_for_a_hung_server_is_answered_in_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_shop, "TIMEOUT", 0.05)
    catalogue = whereis("catalogue")
    assert catalogue is not None
    suspend(catalogue)
    assert visit(port, "GET", "/products") == (503, "try again")
    resume(catalogue)
    monkeypatch.undo()
    assert visit(port, "GET", "/products")[0] == 200


def test_a_request_under_way_is_answered_when_the_web_server_is_killed_and_the_next_one_waits_at_the_port(
    port: int,
) -> None:
    catalogue = whereis("catalogue")
    assert catalogue is not None
    suspend(catalogue)
    under_way = gevent.spawn(visit, port, "GET", "/products")
    while not process_waits(catalogue):
        sleep(0.001)
    killed = crash(web())
    resume(catalogue)
    assert visit(port, "GET", "/")[0] == 200
    assert under_way.get()[0] == 200
    assert_restarted(killed)


def process_waits(server: Pid) -> bool:
    """Return whether a request waits in the mailbox of a server."""
    assert server.process is not None
    return server.process.message_queue_len > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", ["nothing"], None, 400),
        ("PUT", ["carts", "ada", "gold"], {"number": 1}, 404),
        ("PUT", ["carts", "ada", "tea"], {"number": 0}, 400),
        ("PUT", ["carts", "ada", "tea"], None, 400),
        ("PUT", ["orders", "ada"], None, 404),
        ("GET", ["orders", "ada"], None, 404),
    ],
)
@pytest.mark.usefixtures("port")
def test_a_request_that_makes_no_sense_is_refused(method: str, path: list[str], body: Any, status: int) -> None:
    assert respond(method, path, body)[0] == status


@pytest.mark.usefixtures("port")
def test_every_worker_comes_back_from_chaos() -> None:
    assert chaos("shop", seconds=1.0, rate=20.0, seed=1)


def test_the_check_after_a_load_finds_lost_orders_and_a_wrong_stock(tmp_path: Path) -> None:
    path = str(tmp_path / "shop.db")
    shop = _shop_database.connect(path)
    _shop_database.put(shop, "ada", "tea", 1)
    _shop_database.place_order(shop, "ada")
    fine = Load(1.0)
    check(fine, path, {"ada": {"tea": 1}})
    assert (fine.problems, fine.orders) == ([], 1)
    shop.execute("UPDATE products SET stock = stock + 1 WHERE name = 'tea'")
    wrong = Load(1.0)
    check(wrong, path, {"ada": {"tea": 2}, "bob": {"cup": 1}})
    assert len(wrong.problems) == 3
    assert "PROBLEM: order bob was confirmed as {'cup': 1}, and is kept as None" in wrong.report()


def test_under_load_and_kills_every_request_is_answered_and_no_order_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demos.web_shop", "--load", "4", "--kill-every", "0.25", "--customers", "4"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    figures = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert figures["unanswered"] == "0"
    assert int(figures["200"].replace(",", "")) > 0  # a busy machine serves a few in four seconds
    assert int(figures["kills"]) > 5
    assert int(figures["restarts"]) > 5
    assert re.search(r"none twice.*nothing is oversold", done.stdout, re.S)


@pytest.mark.parametrize("arguments", [["--load", "0"], ["--load", "soon"], ["--kill-every", "-1"]])
def test_a_load_that_makes_no_sense_is_refused_with_a_sentence(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demos.web_shop", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr

"""What the web shop keeps in SQLite: products, carts and orders; each function here is one transaction.

All of them may be repeated: the second time changes nothing. So whoever got no answer asks again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

Lines = dict[str, int]
"""What is bought: how many of each product."""

PRODUCTS = {  # name: price in cents, stock
    "tea": (450, 100_000),
    "cup": (900, 100_000),
    "pot": (2_900, 300),
    "kettle": (4_900, 100),
    "samovar": (39_900, 20),
}

SCHEMA = """
    CREATE TABLE IF NOT EXISTS products (name TEXT PRIMARY KEY, price INTEGER, stock INTEGER CHECK (stock >= 0));
    CREATE TABLE IF NOT EXISTS cart_lines (cart TEXT, product TEXT, number INTEGER, PRIMARY KEY (cart, product));
    CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total INTEGER);
    CREATE TABLE IF NOT EXISTS order_lines ("order" TEXT, product TEXT, number INTEGER, PRIMARY KEY ("order", product));
"""

PATIENCE = 1.0
"""Seconds that a transaction waits for that of another connection: SQLite lets one write at a time."""


class Database(sqlite3.Connection):
    """A connection that closes itself when its process, and the thread that works for it, have released it."""

    def __del__(self) -> None:
        self.close()


class SoldOut(Exception):
    """Rolls a transaction back: there is less of a product than was ordered."""


def connect(path: str) -> Database:
    """Open the database, and make what is missing in it."""
    database: Database = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, factory=Database
    )
    database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {SCHEMA}")
    stock = [(name, *figures) for name, figures in PRODUCTS.items()]
    database.executemany("INSERT OR IGNORE INTO products VALUES (?, ?, ?)", stock)
    return database


def transact(database: Database, work: Callable[..., Any], *args: Any) -> Any:
    """Run ``work(database, *args)`` as one transaction: all of it is kept, or nothing."""
    try:
        with database:
            database.execute("BEGIN IMMEDIATE" if work in WRITES else "BEGIN")
            return work(database, *args)
    except SoldOut as error:
        return ("sold out", str(error))


def products(database: Database) -> dict[str, dict[str, int]]:
    """Return the price and the stock of each product."""
    rows = database.execute("SELECT name, price, stock FROM products ORDER BY price")
    return {name: {"price": price, "stock": stock} for name, price, stock in rows}


def cart_lines(database: Database, cart: str) -> Lines:
    """Return what is in a cart."""
    return dict(database.execute("SELECT product, number FROM cart_lines WHERE cart = ?", (cart,)))


def put(database: Database, cart: str, product: str, number: int) -> bool:
    """Have `number` of a product in the cart, however many there were. Returns False for an unknown product."""
    if not database.execute("SELECT 1 FROM products WHERE name = ?", (product,)).fetchone():
        return False
    database.execute("INSERT OR REPLACE INTO cart_lines VALUES (?, ?, ?)", (cart, product, number))
    return True


def find_order(database: Database, id: str) -> dict[str, Any] | None:
    """Return the order with that id, or None."""
    row = database.execute("SELECT total FROM orders WHERE id = ?", (id,)).fetchone()
    if row is None:
        return None
    lines = dict(database.execute('SELECT product, number FROM order_lines WHERE "order" = ?', (id,)))
    return {"id": id, "total": row[0], "lines": lines}


def place_order(database: Database, cart: str) -> dict[str, Any] | None:
    """Turn a cart into the order of the same id, and return it; None when the cart is empty.

    Raises SoldOut, with the product, when there is not enough of it: then nothing is bought and the cart stays.
    """
    order = find_order(database, cart)
    lines = cart_lines(database, cart)
    if order is not None or not lines:
        return order
    total = 0
    for product, number in lines.items():
        taken = database.execute(
            "UPDATE products SET stock = stock - ? WHERE name = ? AND stock >= ? RETURNING price",
            (number, product, number),
        ).fetchall()
        if not taken:
            raise SoldOut(product)
        total += number * taken[0][0]
    database.execute("INSERT INTO orders VALUES (?, ?)", (cart, total))
    database.executemany("INSERT INTO order_lines VALUES (?, ?, ?)", [(cart, *line) for line in lines.items()])
    database.execute("DELETE FROM cart_lines WHERE cart = ?", (cart,))
    return {"id": cart, "total": total, "lines": lines}


WRITES: frozenset[Callable[..., Any]] = frozenset((put, place_order))
"""Transactions that begin by taking the right to write, so that what they have read stays true."""

"""Nodes in memory that tests of the dashboard watch: a chat, a chat in trouble, a crowd."""

from __future__ import annotations

from runtime.introspection import wire
from tests.support.fake_node import FakeNode
from tests.support.fake_process import START, FakeProcess


def chat(**more: object) -> FakeNode:
    """Return a node like the chat demo: a supervisor with a server and a supervisor of clients, and a stray process."""
    root = FakeProcess("chat_sup", "chat_sup", "<0.10.0>", "supervisor", strategy="rest_for_one")
    root.add(
        "chat_server",
        "<0.11.0>",
        rate=120.0,
        memory=48_000,
        status="running",
        cpu=0.31,
        initial_call="demos.chat.server",
    )
    clients = root.add("clients", "<0.12.0>", kind="supervisor", strategy="dynamic", memory=9_000)
    for number, name in enumerate(("ada", "bob", "charles"), 13):
        clients.add(
            name,
            f"<0.{number}.0>",
            rate=40.0 - number,
            queue=(number - 13) * 7,
            memory=5_000 + 900 * number,
            at="client.py:31 talk",
        )
    root.add("listener", "<0.16.0>", memory=7_200, initial_call="demos.chat.accept", at="door.py:17 accept")
    stray = FakeProcess("strays", "no supervisor", None, "group")
    stray.add("main", "<0.1.0>", memory=3_000, initial_call="demos.chat.main")
    stray.children[0].key = "<0.1.0>"
    return FakeNode(root, stray, **more)  # type: ignore[arg-type]


def server() -> FakeNode:
    """Return a plain gevent program without a process: a server with some requests, and a ticker."""
    group = FakeProcess(wire.GREENLETS, "greenlets", None, "group", unfolded_at_first=False)

    def add(name: str, at: str, doing: str | None = None, age: float = 300.0, **more: object) -> None:
        pid = f"g{len(group.children) + 1}"
        started_at = START - age
        group.children.append(
            FakeProcess(pid, name, pid, "greenlet", parent=group, at=at, doing=doing, started_at=started_at, **more)  # type: ignore[arg-type]
        )

    add("ticker", "shop.py:23 tick", cpu=0.01)
    for number in range(4):
        add("WSGIServer.handle", "orders.py:5 find", "GET /orders", age=1.0 + number)
    add("WSGIServer.handle", "report.py:71 add_up", "POST /reports/2024", age=12.0, cpu=0.87, status="running")
    add("mailer", "mail.py:9 send")
    return FakeNode(group, name="shop")


def crowd(count: int, per_pool: int = 100) -> FakeNode:
    """Return a node of about `count` processes, in pools of workers. In a large one none may be added or killed."""
    root = FakeProcess("app", "app", "<0.1.0>", "supervisor", strategy="one_for_one")
    for pool_number in range(count // per_pool):
        pool = root.add(f"pool{pool_number}", f"<0.{2 + pool_number}.0>", kind="supervisor", strategy="one_for_one")
        for number in range(per_pool):
            pid = 10_000 + pool_number * per_pool + number
            pool.add(f"worker{number}", f"<0.{pid}.0>", rate=number % 10, memory=3_000 + pid, queue=pid % 17)
    return FakeNode(root, name="crowd", steady=count >= 10_000)


def crashing() -> FakeNode:
    """Return a chat where things go wrong: a long mailbox, a leak, a child that is not running, budgets used up."""
    node = chat()
    node.crash(node.find("bob"), "ValueError: 'bob' sent nonsense")
    node.crash(node.find("bob"), "ValueError: 'bob' sent nonsense")
    server = node.find("chat_server")
    server.queue, server.growth, server.lints, server.cpu = 4_812, 65_000.0, ("overload",), 0.93
    clients = node.find("clients")
    clients.add("dave", None)
    clients.restarts_used = 3
    node.log("gave_up", clients, restarts_used=4, max_restarts=3, max_seconds=5.0)
    node.log("stall", server, seconds=1.8, message="chat_server held the hub for 1.80 s at demos/chat.py:40 in busy")
    return node


def cluster() -> FakeNode:
    """Return a chat in a cluster: one node is up, one owes an answer, one is gone, one was never there."""
    node = chat()
    node.distributed_as = "chat@10.0.0.1"
    node.nodes = (
        wire.ClusterNode(
            name="left@10.0.0.2",
            kind="python",
            version="0.1.0",
            latency=0.00042,
            processes=1_234,
            messages_in=48_211,
            messages_out=120,
            bytes_in=3_400_000,
            bytes_out=9_000,
            linked=2,
            monitored=3,
            peer="<0.14.0>",
            state="up",
            since=START - 200.0,
            up_since=START - 200.0,
            hidden=True,
        ),
        wire.ClusterNode(
            name="night@10.0.0.3",
            state="down",
            kind="beam",
            version="OTP 25",
            reason="net_tick_timeout",
            since=START - 30.0,
            up_since=START - 290.0,
            latency=0.012,
            processes=61,
            messages_in=70,
            messages_out=9_000,
        ),
        wire.ClusterNode(
            name="slow@10.0.0.4",
            kind="python",
            version="0.1.0",
            latency=0.2,
            silent_for=7.5,
            processes=88,
            queued=1_200_000,
            suspended=4,
            state="up",
            since=START - 200.0,
            up_since=START - 200.0,
            hidden=True,
        ),
        wire.ClusterNode(
            name="unheard@10.0.0.5",
            state="unreachable",
            reason="no epmd answers on 10.0.0.5, port 4369",
            since=START - 12.0,
            waiting=17,
        ),
    )
    return node

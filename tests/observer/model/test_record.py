from __future__ import annotations

from observer.model.record import Record
from runtime.introspection.wire import NodeStats, Row, Welcome, Window

STATS = NodeStats(name="n", time=100.0, started_at=0.0, os_pid=1)


def welcome(started_at: float) -> Welcome:
    return Welcome(
        protocol=1,
        node="n",
        os_pid=1,
        started_at=started_at,
        runtime_version="0",
        python_version="3",
        gevent_version="25",
    )


def test_another_node_under_the_same_name_starts_the_record_anew() -> None:
    record = Record()
    record.met(welcome(1.0))
    record.take_window(Window(rows=(Row(key="a"),), offset=0, total=1, stats=STATS))
    record.met(welcome(1.0))
    assert len(record.rows) == 1
    record.met(welcome(2.0))
    assert len(record.rows) == 0
    assert record.stats is None

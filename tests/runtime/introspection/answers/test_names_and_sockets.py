from __future__ import annotations

from runtime import Registry, ets, receive, register, self_, send_after, spawn
from runtime.introspection import wire
from tests.support.in_node import in_node
from tests.support.trees import Observer


def _rest() -> None:
    receive()


def _asked(**query: object) -> wire.Names:
    names = Observer().ask(wire.GetNames(**query))  # type: ignore[arg-type]
    assert isinstance(names, wire.Names), names
    return names


@in_node
def test_names_come_in_order_and_those_in_registries_after_them() -> None:
    Registry.start_link(keys="unique", name="phones")
    Registry.register("phones", "reception", None)
    spawn(_rest, name="zoe")
    spawn(_rest, name="adam")
    names = _asked()
    assert [(entry.name, entry.registry) for entry in names.names] == [
        ("adam", ""),
        ("phones", ""),
        ("zoe", ""),
        ("'reception'", "phones"),
    ]
    assert names.names[-1].pid == str(self_())
    assert names.names_total == 4
    assert [entry.name for entry in _asked(limit=1).names] == ["adam"]
    assert _asked(limit=1).names_total == 4


@in_node
def test_a_filter_finds_names_registries_pids_and_messages() -> None:
    Registry.start_link(keys="unique", name="phones")
    Registry.register("phones", "reception", None)
    adam = spawn(_rest, name="adam")
    send_after(adam, "Wake Up", 60)
    send_after(self_(), "other", 50)
    assert [entry.name for entry in _asked(filter="RECEP").names] == ["'reception'"]
    assert [entry.name for entry in _asked(filter="phones").names] == ["phones", "'reception'"]
    assert [entry.name for entry in _asked(filter=str(adam)).names] == ["adam"]
    assert [entry.message for entry in _asked(filter="wake").timers] == ["'Wake Up'"]
    assert _asked(filter="wake").timers_total == 1
    assert [entry.name for entry in _asked(filter="adam").timers] == ["adam"]
    assert [entry.message for entry in _asked().timers] == ["'other'", "'Wake Up'"]


@in_node
def test_tables_come_with_their_sizes_memory_and_owners() -> None:
    heir = spawn(_rest)
    register("keeper", self_())
    hits = ets.new("hits", access="public", heir=heir)
    ets.insert(hits, [(number, "x" * 1_000) for number in range(1_000)])
    ets.new("empty", type="ordered_set", access="private")
    found = _asked()
    assert found.tables_total == 2
    assert [(table.name, table.size, table.type, table.access) for table in found.tables] == [
        ("hits", 1_000, "set", "public"),
        ("empty", 0, "ordered_set", "private"),
    ]
    assert 1_000_000 < found.tables[0].memory < 1_500_000
    assert [(table.pid, table.owner) for table in found.tables] == [(str(self_()), "keeper")] * 2
    assert [table.heir for table in found.tables] == [str(heir), ""]
    assert [table.name for table in _asked(filter="HIT").tables] == ["hits"]
    assert [table.name for table in _asked(filter="ordered").tables] == ["empty"]
    assert (len(_asked(limit=1).tables), _asked(limit=1).tables_total) == (1, 2)
    ets.delete(hits)
    assert [table.name for table in _asked().tables] == ["empty"]

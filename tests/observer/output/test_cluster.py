from __future__ import annotations

from observer.output import cluster
from runtime.introspection import wire
from tests.support import fake_nodes


def test_every_field_of_a_node_is_in_its_record() -> None:
    node = fake_nodes.cluster()
    found = cluster.of_cluster(wire.Cluster(name="chat@10.0.0.1", nodes=node.nodes, total=4))
    assert (found.name, found.total, len(found.nodes)) == ("chat@10.0.0.1", 4, 4)
    assert set(cluster.ClusterNodeRecord.__struct_fields__) == set(wire.ClusterNode.__struct_fields__)
    assert (found.nodes[3].kind, found.nodes[3].version, found.nodes[3].reason) == (
        None,
        None,
        "no epmd answers on 10.0.0.5, port 4369",
    )


def test_what_was_done_is_told_with_its_plan() -> None:
    plan = wire.Plan(sentence="ends it", kills=(wire.Related(pid="<0.4.0>", name="left"),))
    done = cluster.of_action("a@b", "kill", plan, "It was killed.", 7)
    assert done.plan is not None
    assert [each.pid for each in done.plan.kills] == ["<0.4.0>"]
    assert (done.happened, done.event) == ("It was killed.", 7)
    assert cluster.of_action("a@b", "connect", None).plan is None


def test_the_table_has_a_line_for_each_node() -> None:
    node = fake_nodes.cluster()
    table = cluster.table(wire.Cluster(name="chat@10.0.0.1", nodes=node.nodes), node.time)
    assert table.row_count == 4

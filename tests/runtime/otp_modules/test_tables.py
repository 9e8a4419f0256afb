"""What the table viewer of OTP's observer asks."""

from __future__ import annotations

from runtime import ets, receive, self_
from runtime.otp_modules.tables import CHUNK
from runtime.terms.atom import Atom
from tests.runtime.otp_modules.asked import DEADLINE, ask
from tests.support.other_nodes import beam_node, named

SHOWN = [(Atom("sys_hidden"), True), (Atom("unread_hidden"), True)]
ALL = [(Atom("sys_hidden"), True), (Atom("unread_hidden"), False)]


@named
def test_tables_are_listed_and_their_objects_come_in_chunks() -> None:
    with beam_node() as other:
        other.connect()
        ets.new("animals", named=True)
        rows = [(number, "cat", {1, 2} if number == 3 else 0.5) for number in range(CHUNK + 5)]
        for row in rows:
            ets.insert("animals", row)
        unnamed = ets.new("unnamed")
        ets.new("hidden", access="private", named=True)
        listed = [dict(line) for line in ask(other.name, "observer_backend", "get_table_list", Atom("ets"), SHOWN)]
        assert [(line["name"], line["size"]) for line in listed] == [("animals", CHUNK + 5), ("unnamed", 0)]
        assert (listed[0]["id"], listed[0]["owner"], listed[0]["keypos"]) == ("ignore", self_(), 1)
        assert listed[1]["id"] == unnamed.ref
        assert len(ask(other.name, "observer_backend", "get_table_list", Atom("ets"), ALL)) == 3
        assert ask(other.name, "observer_backend", "get_table_list", Atom("mnesia"), SHOWN)[0] == "error"
        assert ask(other.name, "ets", "info", unnamed.ref, Atom("size")) == 0
        assert ask(other.name, "ets", "info", Atom("gone"), Atom("size")) == "undefined"
        expected = [[row if row[0] != 3 else (3, "cat", "{1, 2}")] for row in rows]
        for table, objects in ((Atom("animals"), expected), (Atom("hidden"), []), (Atom("gone"), [])):
            sender = ask(other.name, "observer_backend", "get_table", self_(), table, Atom("ets"))
            came: list[object] = []
            while (chunk := receive((sender, object), timeout=DEADLINE)[1]) != "$end_of_table":
                came += chunk
            assert came == objects

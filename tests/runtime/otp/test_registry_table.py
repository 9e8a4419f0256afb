from hypothesis import given
from hypothesis import strategies as st

from runtime import Pid
from runtime.otp.registry_table import Entry, RegistryTable

PIDS = [Pid(number) for number in range(1, 4)]
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "forget"]), st.sampled_from(PIDS), st.sampled_from("kl")))


@given(STEPS)
def test_the_table_knows_what_a_plain_list_knows(steps: list[tuple[str, Pid, str]]) -> None:
    table, model = RegistryTable(), list[tuple[str, Entry]]()
    for value, (step, pid, key) in enumerate(steps):
        if step == "add":
            table.add(key, Entry(pid, value))
            model.append((key, Entry(pid, value)))
        elif step == "remove":
            had = any(k == key and entry.pid == pid for k, entry in model)
            assert table.remove(key, pid) == had
            model = [(k, entry) for k, entry in model if k != key or entry.pid != pid]
        else:
            table.remove_process(pid)
            model = [(k, entry) for k, entry in model if entry.pid != pid]
    assert sorted(table) == sorted(model)
    assert len(table) == len(model)
    for key in "kl":
        assert table.entries(key) == [entry for k, entry in model if k == key]
    for pid in PIDS:
        assert sorted(map(str, table.keys(pid))) == sorted(k for k, entry in model if entry.pid == pid)
        assert table.knows(pid) == any(entry.pid == pid for _, entry in model)


class Changing:
    """A key whose hash changes, or fails."""

    def __init__(self, number: int) -> None:
        self.number: int | None = number

    def __hash__(self) -> int:
        if self.number is None:
            raise ValueError("no hash")
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changing) and other.number == self.number


def test_nothing_is_left_of_a_key_that_has_changed_since() -> None:
    table, key = RegistryTable(), Changing(1)
    table.add("other", Entry(PIDS[1], "kept"))
    for number, pid in enumerate(PIDS[:2]):
        table.add(key, Entry(pid, number))
    key.number = 2
    table.remove_process(PIDS[0])
    assert [*table.items()] == [("other", [Entry(PIDS[1], "kept")]), (key, [Entry(PIDS[1], 1)])]
    assert table.entries(key) == [Entry(PIDS[1], 1)]
    key.number = 3
    table.remove_process(PIDS[1])
    assert [*table.items()] == []


def test_entries_of_others_stay_where_their_keys_have_no_hash_or_have_become_the_same() -> None:
    for number in (None, 2):
        table, keys = RegistryTable(), [Changing(each) for each in range(3)]
        for key, pid in zip(keys, PIDS, strict=True):
            table.add(key, Entry(pid, key))
        keys[0].number, keys[1].number = 5, number
        table.remove_process(PIDS[0])
        assert [*table] == [(key, Entry(pid, key)) for key, pid in zip(keys[1:], PIDS[1:], strict=True)]
        table.remove_process(PIDS[1])
        assert [*table] == [(keys[2], Entry(PIDS[2], keys[2]))]

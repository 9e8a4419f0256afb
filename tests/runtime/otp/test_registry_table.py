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

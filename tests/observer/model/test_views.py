"""Views are values: which question they ask, and which answers are theirs."""

from __future__ import annotations

from observer.model.views import ProcessesView, TreeView
from runtime.introspection.wire import GetProcesses, GetStats, GetTree


def test_figures_start_with_the_largest_and_names_with_the_first_and_a_second_choice_turns_it_round() -> None:
    view = TreeView()
    assert not view.sorted_by("name").descending
    assert view.sorted_by("name").sorted_by("name").descending
    assert view.sorted_by("memory").descending
    assert not view.sorted_by("memory").sorted_by("memory").descending
    assert not view.sorted_by("memory").sorted_by("name").descending


def test_a_branch_is_folded_or_unfolded_and_never_both() -> None:
    view = TreeView().fold("app", True)
    assert (set(view.folded), set(view.unfolded)) == ({"app"}, set())
    view = view.fold("app", False)
    assert (set(view.folded), set(view.unfolded)) == (set(), {"app"})


def test_whatever_stands_above_a_row_is_unfolded_to_reveal_it() -> None:
    view = TreeView(folded=frozenset({"app", "app/pool", "other"})).reveal("app/pool/w", "~free")
    assert view.folded == {"other"}
    assert view.unfolded == {"app", "app/pool", "~free"}
    assert TreeView().reveal("<0.1.0>", None).unfolded == frozenset()


def test_a_tree_asks_for_what_it_shows_and_takes_no_earlier_answer() -> None:
    view = TreeView().fold("b", False).fold("a", False).isolate("app").filtered("w1").sorted_by("memory")
    question = view.question(10, 20, "app/w")
    assert question == GetTree(
        unfolded=("a", "b"),
        root="app",
        filter="w1",
        sort="memory",
        descending=True,
        offset=10,
        limit=20,
        anchor="app/w",
    )
    assert view.answers(question)
    assert view.answers(view.question(0, 5, None))
    assert not view.filtered("w2").answers(question)
    assert not view.answers(GetStats())
    assert not ProcessesView().answers(question)


def test_a_list_asks_for_what_it_shows_and_takes_no_earlier_answer() -> None:
    view = ProcessesView(delta=True, group_by="label")
    question = view.question(0, 20, None)
    assert question == GetProcesses(sort="memory", descending=True, delta=True, group_by="label", limit=20)
    assert view.answers(question)
    assert not ProcessesView(group_by="label").answers(question)
    assert not TreeView().answers(question)

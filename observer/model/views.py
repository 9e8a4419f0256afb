"""What is shown of a node's processes: which branches are open, which rows, in which order.

A view is a value: every change gives a new one, and an answer that belongs to an earlier one can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

from runtime.introspection.wire import GetProcesses, GetTree, GroupBy, Query, Sort

DESCENDING: frozenset[Sort] = frozenset(
    ("message_queue_len", "messages_in", "messages_out", "memory", "reductions", "cpu_time", "restarts")
)
"""The orders that start with the largest, because that is what one looks for; of these a gain can be told, too."""


class RowsView(Protocol):
    """What both kinds of view have in common."""

    @property
    def sort(self) -> Sort:
        """What rows are sorted by."""

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""

    @property
    def filter(self) -> str:
        """Which rows are shown, as the node understands it; empty for all."""

    def question(self, offset: int, limit: int, anchor: str | None) -> Query:
        """Return the question for a window of this view."""

    def answers(self, question: Query) -> bool:
        """Return whether the answer to that question is one about this view, and not about an earlier one."""

    def filtered(self, text: str) -> Self:
        """Return the view with another filter."""

    def sorted_by(self, sort: Sort) -> Self:
        """Return the view in another order; the order it has already is turned round."""


@dataclass(frozen=True)
class _Rows:
    sort: Sort
    descending: bool
    filter: str = ""

    def filtered(self, text: str) -> Self:
        """Return the view with another filter."""
        return replace(self, filter=text)

    def sorted_by(self, sort: Sort) -> Self:
        """Return the view in another order; the order it has already is turned round."""
        return replace(self, sort=sort, descending=not self.descending if sort == self.sort else sort in DESCENDING)


@dataclass(frozen=True)
class TreeView(_Rows):
    """A view of the tree. `root` is the key of the subtree that alone is shown."""

    sort: Sort = "tree"
    descending: bool = False
    unfolded: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    root: str | None = None

    def fold(self, key: str, folded: bool) -> TreeView:
        """Fold or unfold the row with that key."""
        if folded:
            return replace(self, folded=self.folded | {key}, unfolded=self.unfolded - {key})
        return replace(self, folded=self.folded - {key}, unfolded=self.unfolded | {key})

    def reveal(self, key: str, parent_key: str | None) -> TreeView:
        """Unfold whatever stands above the row with that key."""
        parts = key.split("/")
        above = {"/".join(parts[:depth]) for depth in range(1, len(parts))} | ({parent_key} if parent_key else set())
        return replace(self, folded=self.folded - above, unfolded=self.unfolded | above)

    def isolate(self, key: str | None) -> TreeView:
        """Show the subtree of that key alone; None shows everything."""
        return replace(self, root=key)

    def question(self, offset: int, limit: int, anchor: str | None) -> GetTree:
        """Return the question for a window of this view."""
        return GetTree(
            unfolded=tuple(sorted(self.unfolded)),
            folded=tuple(sorted(self.folded)),
            root=self.root,
            sort=self.sort,
            descending=self.descending,
            filter=self.filter,
            offset=offset,
            limit=limit,
            anchor=anchor,
        )

    def answers(self, question: Query) -> bool:
        """Return whether the answer to that question is one about this view, and not about an earlier one."""
        return (
            isinstance(question, GetTree)
            and self.question(question.offset, question.limit, question.anchor) == question
        )


@dataclass(frozen=True)
class ProcessesView(_Rows):
    """A view of the flat list. `delta` sorts counters by what they gained since the last look."""

    sort: Sort = "memory"
    descending: bool = True
    delta: bool = False
    group_by: GroupBy = ""

    def question(self, offset: int, limit: int, anchor: str | None) -> GetProcesses:
        """Return the question for a window of this view."""
        return GetProcesses(
            sort=self.sort,
            descending=self.descending,
            delta=self.delta,
            filter=self.filter,
            group_by=self.group_by,
            offset=offset,
            limit=limit,
            anchor=anchor,
        )

    def answers(self, question: Query) -> bool:
        """Return whether the answer to that question is one about this view, and not about an earlier one."""
        return (
            isinstance(question, GetProcesses)
            and self.question(question.offset, question.limit, question.anchor) == question
        )

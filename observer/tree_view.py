"""What is shown of a tree: which branches are open, in which order, which rows, which part."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.introspection.wire import GetTree, Sort


@dataclass(frozen=True)
class TreeView:
    """The choices that make up a view of the tree. Every change gives a new one."""

    unfolded: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()
    root: str | None = None
    sort: Sort = "tree"
    descending: bool = False
    filter: str = ""

    def fold(self, key: str, folded: bool) -> TreeView:
        """Fold or unfold the row with that key."""
        if folded:
            return replace(self, folded=self.folded | {key}, unfolded=self.unfolded - {key})
        return replace(self, folded=self.folded - {key}, unfolded=self.unfolded | {key})

    def question(self, offset: int, limit: int, anchor: str | None) -> GetTree:
        """Give the question for a window of this view."""
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

    def answers(self, question: GetTree) -> bool:
        """Say whether the answer to that question is one about this view, and not about an earlier one."""
        return self.question(question.offset, question.limit, question.anchor) == question

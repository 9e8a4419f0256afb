"""A node in memory that has a console: it says what it was given to evaluate, and works on it while it is told to."""

from __future__ import annotations

from runtime.introspection import wire
from tests.support.fake_node import FakeNode


class ConsoleNode(FakeNode):
    """Answers each program with its source as a value. `busy` programs go on until they are interrupted."""

    def __init__(self, *, refuses: str = "", name: str = "chat") -> None:
        super().__init__(name=name)
        self.refuses = refuses
        self.busy: set[str] = set()
        self.refuses_next = ""
        self.words: tuple[str, ...] = ()
        self.sources: list[str] = []
        self._texts: list[wire.ConsoleText] = []
        self._evaluating = False
        self._pid = 50

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Answer what is asked of a console, and all else as a `FakeNode` does."""
        match query:
            case wire.OpenConsole() if self.refuses:
                return wire.Failed(why=self.refuses, kind="read_only")
            case wire.OpenConsole():
                return self._state(len(self._texts))
            case wire.Evaluate() if self.refuses_next:
                why, self.refuses_next = self.refuses_next, ""
                return wire.Failed(why=why, kind="timeout")
            case wire.Evaluate(source=source):
                self.sources.append(source)
                self._evaluating = source in self.busy
                if not self._evaluating:
                    self.show("value", f"value of {source}\n")
                return self._state(len(self._texts) - (not self._evaluating))
            case wire.ReadConsole(after=after):
                return self._state(after)
            case wire.InterruptConsole():
                self._evaluating = False
                self._pid += 1
                self.show("error", "** (EXIT) killed\n")
                return self._state(len(self._texts))
            case wire.CompleteConsole(text=text):
                return wire.Completions(words=tuple(word for word in self.words if word.startswith(text)))
        return await super().ask(query)

    def show(self, kind: wire.ConsoleKind, text: str) -> None:
        """Show a text, as if a process had printed it."""
        self._texts.append(wire.ConsoleText(kind=kind, text=text))

    def _state(self, after: int) -> wire.ConsoleState:
        return wire.ConsoleState(
            pid=f"<0.{self._pid}.0>",
            evaluating=self._evaluating,
            evaluations=len(self.sources),
            last=len(self._texts),
            texts=tuple(self._texts[after:]),
        )

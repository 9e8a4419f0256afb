"""Help: the keys of where you are, and what each column, sign and figure means."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from observer.drawing import advice, columns, event_line
from observer.screens.dialog import Dialog
from observer.text import tones
from observer.widgets.scroll import Scroll

FIGURES = {
    "processes": "living processes of the node",
    "greenlets": "gevent's own greenlets, which are not processes",
    "run queue": "processes that wait for their turn; a long queue means that the node cannot keep up",
    "msg/s": "messages delivered a second, in the whole node",
    "memory": "resident memory of the whole operating-system process",
    "sorted 2 s ago": "a big node sorts its list only now and then, to save time; the figures in the rows are fresh",
    "cpu": "share of one core that the whole operating-system process takes",
    "restarts": "children that supervisors have started again since the node started",
    "up": "time since the node started",
    "read-only": "the node refuses everything that would change it",
    "dead still unwinding": "processes that are dead to all others while their last frames still run",
    "3 findings": "how many things look wrong; f in the tree goes to them, 5 explains them",
    "hub lag": "how late the hub answers; above 100 ms something holds it",
}


WIDTH = 96
"""Cells of the box, where there is room for it."""

LEFT = 15
"""Cells of the column of terms."""


class HelpScreen(Dialog[None]):
    """Everything one needs to know about the view in front."""

    BINDINGS = [Binding("question_mark", "cancel", "Close", id="close-help", key_display="?")]

    def __init__(self, view: str, keys: Iterable[tuple[str, str, str]]) -> None:
        super().__init__()
        self._view = view
        self._keys = list(keys)

    def compose(self) -> ComposeResult:
        """Lay out one long text that scrolls."""
        with Scroll(classes="box help") as box:
            box.border_title = f"Help: {self._view}"
            box.border_subtitle = "esc closes"
            yield Static(self._text())

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(Scroll).focus()

    def _text(self) -> Content:
        self._width = min(WIDTH, int(self.app.size.width * 0.96)) - 8
        lines = [_title("Keys")]
        lines += [self._entry(key, text) for key, text, _ in self._keys]
        lines += [Content(""), _title("Columns")]
        lines += [self._entry(column.title, column.meaning) for column in columns.ALL.values()]
        lines += [Content(""), _title("Signs in the tree")]
        lines += [
            self._entry(
                "▌", "the selected row; it stays with its process when rows move, and with its place in a restart"
            ),
            self._entry("↻", "the process in this row was just replaced by a new one"),
            self._entry("!", "something looks wrong here; the panel says what"),
            self._entry(
                "▾ ▸", "unfolded, folded; a name in the colour of trouble means that something failed there lately"
            ),
        ]
        lines += [Content(""), _title("Signs of events")]
        lines += [self._entry(sign, meaning) for sign, meaning in event_line.MEANINGS.items()]
        lines += [Content(""), _title("Findings, and what to do about them")]
        for kind, words in advice.ADVICE.items():
            lines += [Content.assemble((f"  {kind}", tones.KEY)), self._entry("", words)]
        lines += [Content(""), _title("Figures in the header")]
        lines += [self._entry(figure, meaning) for figure, meaning in FIGURES.items()]
        lines += [Content(""), _title("Names to give keys to, in the settings (observer config)")]
        lines += [self._entry(key, name) for key, _, name in self._keys]
        return Content("\n").join(lines)

    def _entry(self, left: str, right: str) -> Content:
        """Write a term and its meaning, which keeps to its own column when it takes several lines."""
        if len(left) + 3 > LEFT:  # a long term has a line of its own
            return Content("\n").join([Content.assemble((f"  {left}", tones.KEY)), self._entry("", right)])
        lines = wrap(right, max(20, self._width - LEFT)) or [""]
        text = ("\n" + " " * LEFT).join(lines)
        return Content.assemble((f"  {left}".ljust(LEFT), tones.KEY), (text, tones.TEXT))


def _title(text: str) -> Content:
    return Content.assemble((text, tones.NAME))

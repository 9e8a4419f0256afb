"""The time bar: which moment is shown, of all that can be gone to, and where something failed."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from observer.clock import of_day
from observer.model.observed_node import ObservedNode
from observer.model.rewinding import is_notable
from observer.node.recorded.node import told
from observer.node.recorded.replay import Replay
from observer.text import tones, units
from observer.text.safe_text import safe
from runtime.introspection.wire import Event

HERE, LINE, NOW = "◆", "─", "now"

MARKS = {"gave_up": ("⚑", tones.BAD), "stall": ("▬", tones.WARN), "kill": ("†", tones.WARN)}
"""How events are marked; a crash and anything else has a cross."""


class TimeBar(Widget):
    """A line from the first moment to the last. A click or a drag goes to a moment."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TimeBar { height: auto; background: $panel; padding: 0 1; display: none; }
    """

    class Wanted(Message):
        """A moment was pointed at."""

        def __init__(self, time: float) -> None:
            self.time = time
            super().__init__()

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__()
        self._observed = observed
        self.playing = False
        self._lines = 0

    def look(self, playing: bool) -> None:
        """Draw the moment that is shown now; nothing while that is the node's own now."""
        self.playing = playing
        replay = self._observed.replay
        self.display = replay is not None and not (replay.is_live and replay.shown is None)
        if self.display:
            self.keep_up()

    def keep_up(self) -> None:
        """Draw again: a node that runs goes on meanwhile."""
        if self.display:
            lines = self.get_content_height()
            self.refresh(layout=lines != self._lines)
            self._lines = lines

    def get_content_height(self, *_: object) -> int:
        """Return one line, one more for several moments, and one for what cannot be read."""
        replay = self._observed.replay
        if replay is None:
            return 1
        return 1 + bool(replay.recording.damage) + (len(replay.recording.times) > 1)

    def render(self) -> Content:
        """Draw what is shown, and below it the line."""
        replay = self._observed.replay
        if replay is None or replay.shown is None:
            return Content("")
        width = self.content_size.width
        lines = [self._told(replay, replay.shown, width)]
        if replay.recording.damage:
            damage = Content.styled(f"! {safe(replay.recording.damage)}", tones.WARN)
            lines.append(damage.truncate(max(1, width), ellipsis=True))
        if len(replay.recording.times) > 1:
            lines.append(self._line(replay, replay.shown, width))
        return Content("\n").join(lines)

    def _told(self, replay: Replay, shown: float, width: int) -> Content:
        recording = replay.recording
        parts: list[tuple[str, str]] = [(f"{'▶' if self.playing else '‖'} {of_day(shown)} ", tones.STRONG)]
        if replay.is_live:
            ago = units.duration(max(0.0, recording.times[-1] - shown)) if recording.times else "?"
            parts.append((f"{ago} ago", tones.WARN))
        else:
            parts.append((safe(told(recording)), tones.TEXT))
        keys = self._keys(replay) if len(recording.times) > 1 else Content("")
        left = Content.assemble(*parts).truncate(max(1, width - keys.cell_length), ellipsis=True)
        return Content.assemble(left, " " * max(0, width - left.cell_length - keys.cell_length), keys)

    @staticmethod
    def _keys(replay: Replay) -> Content:
        words = [("[ ]", "step"), ("{ }", "failures"), ("␣", "play"), ("|", "now" if replay.is_live else "end")]
        return Content("  ").join(Content.assemble((key, tones.KEY), (f" {word}", tones.MUTED)) for key, word in words)

    def _line(self, replay: Replay, shown: float, width: int) -> Content:
        times = replay.recording.times
        left, right = of_day(times[0]), NOW if replay.is_live else of_day(times[-1])
        cells = max(1, width - len(left) - len(right) - 2)
        marks: list[tuple[str, str]] = [(LINE, tones.LINE)] * cells
        for event in replay.recording.events:
            if is_notable(event) and times[0] <= event.time <= times[-1]:
                marks[self._cell(event.time, times, cells)] = _mark(event)
        marks[self._cell(shown, times, cells)] = (HERE, tones.STRONG)
        return Content.assemble((f"{left} ", tones.MUTED), *_joined(marks), (f" {right}", tones.MUTED))

    @staticmethod
    def _cell(time: float, times: list[float], cells: int) -> int:
        span = times[-1] - times[0]
        return 0 if span <= 0 else min(cells - 1, max(0, round((time - times[0]) / span * (cells - 1))))

    # -- Mouse ----------------------------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go to the moment that is pointed at, and follow the mouse."""
        self.capture_mouse()
        self._point(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Follow the mouse while its button is held."""
        if self.app.mouse_captured is self:
            self._point(event.x)

    def on_mouse_up(self) -> None:
        """Follow the mouse no more."""
        self.release_mouse()

    def _point(self, x: int) -> None:
        replay = self._observed.replay
        if replay is None or len(replay.recording.times) < 2:
            return
        times = replay.recording.times
        begin = self.styles.padding.left + len(of_day(times[0])) + 1
        end = self.size.width - self.styles.padding.right - len(NOW if replay.is_live else of_day(times[-1])) - 1
        share = (x - begin) / max(1, end - begin - 1)
        self.post_message(self.Wanted(times[0] + min(1.0, max(0.0, share)) * (times[-1] - times[0])))


def _mark(event: Event) -> tuple[str, str]:
    return MARKS.get(event.kind, ("✗", tones.BAD))


def _joined(marks: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the marks with equal ones that stand side by side in one piece."""
    text, tone = "", ""
    for mark, its_tone in marks:
        if its_tone != tone and text:
            yield text, tone
            text = ""
        text, tone = text + mark, its_tone
    if text:
        yield text, tone

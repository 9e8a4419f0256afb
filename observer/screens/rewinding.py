"""The keys that go through time: in a recording, and in what was seen of a node that is watched."""

from __future__ import annotations

from textual import on
from textual.app import App
from textual.binding import Binding
from textual.timer import Timer

from observer.model import rewinding
from observer.model.observed_node import ObservedNode
from observer.screens.view_screen import ViewScreen
from observer.widgets.key_bar import MORE
from observer.widgets.time_bar import TimeBar

TICK = 0.25
"""Seconds between two steps while a recording is played."""


class RewindingApp(App[None]):
    """An app that shows a node at any moment that is remembered of it."""

    BINDINGS = [
        Binding(
            "left_square_bracket",
            "step(-1)",
            "Step back",
            key_display="[",
            id="step-back",
            group=MORE,
            tooltip="Show the moment before",
        ),
        Binding(
            "right_square_bracket",
            "step(1)",
            "Step on",
            key_display="]",
            id="step-on",
            group=MORE,
            tooltip="Show the next moment",
        ),
        Binding(
            "left_curly_bracket",
            "jump(False)",
            "Failure before",
            key_display="{",
            id="failure-before",
            group=MORE,
            tooltip="Show the moment of the crash, kill or stall before",
        ),
        Binding(
            "right_curly_bracket",
            "jump(True)",
            "Next failure",
            key_display="}",
            id="next-failure",
            group=MORE,
            tooltip="Show the moment of the next crash, kill or stall",
        ),
        Binding(
            "vertical_line",
            "now",
            "Now",
            key_display="|",
            id="now",
            group=MORE,
            tooltip="Show the node as it is now, or the end of a recording",
        ),
    ]

    observed: ObservedNode
    _ticking: Timer | None = None
    _played_to = 0.0

    @property
    def playing(self) -> bool:
        """Whether time goes on by itself."""
        return self._ticking is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the keys that go through time only where something is remembered."""
        if action in ("step", "jump", "now"):
            return self.observed.replay is not None
        return super().check_action(action, parameters)

    def action_step(self, moments: int) -> None:
        """Show another moment."""
        if self.observed.replay is not None:
            self.pause()
            self._show(rewinding.step(self.observed.replay.recording, self.observed.shown, moments))

    def action_jump(self, forward: bool) -> None:
        """Show the moment of another failure."""
        replay = self.observed.replay
        if replay is None:
            return
        self.pause()
        found = rewinding.jump(replay.recording, replay.shown, forward)
        if found is None:
            self.notify(f"There is no {'later' if forward else 'earlier'} crash, kill or stall.", timeout=3)
        else:
            self._show(found)

    def action_now(self) -> None:
        """Show now, or the end."""
        self.pause()
        self._show(None)

    def play(self) -> None:
        """Let time go on, as fast as it did; from the beginning, when the end is shown."""
        replay = self.observed.replay
        if replay is None or len(replay.recording.times) < 2 or self.playing:
            return
        times = replay.recording.times
        if replay.shown is None or (replay.shown >= times[-1] and not replay.is_live):
            self._show(times[0])
        self._played_to = replay.shown or times[0]
        self._ticking = self.set_interval(TICK, self._tick)
        self._tell()

    def pause(self) -> None:
        """Let time stand still."""
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
            self._tell()

    def _tick(self) -> None:
        replay = self.observed.replay
        if replay is None:
            return
        self._played_to += TICK
        times = replay.recording.times
        index = replay.recording.index(self._played_to)
        if self._played_to > times[-1]:
            self._show(None)
            self.pause()
        elif times[index] != replay.shown:
            self._show(times[index])

    @on(TimeBar.Wanted)
    def _pointed_at(self, message: TimeBar.Wanted) -> None:
        self.pause()
        self._show(message.time)

    def _show(self, time: float | None) -> None:
        self.observed.show(time)
        self._tell()

    def _tell(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ViewScreen) and screen.is_mounted:
                screen.show_reachability()

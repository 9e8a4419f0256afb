"""Restart intensity: how many restarts a supervisor may make within a sliding window of time."""

from __future__ import annotations

from collections import deque


class RestartIntensity:
    """The budget of a supervisor: more than `max_restarts` restarts within `max_seconds` exceed it.

    `times` are the monotonic times of the restarts in the window, oldest first. See "Maximum Restart Intensity" in
    OTP's supervisor(3).
    """

    __slots__ = ("max_restarts", "max_seconds", "times")

    def __init__(self, max_restarts: int, max_seconds: float) -> None:
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self.times: deque[float] = deque()

    def change(self, max_restarts: int, max_seconds: float) -> None:
        """Change the budget; the restarts so far still count."""
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds

    def add(self, time: float) -> bool:
        """Count a restart at `time` (seconds, never earlier than the last one); return False when it is one too many.

        A restart exactly `max_seconds` old still counts.
        """
        times = self.times
        oldest = time - self.max_seconds
        while times and times[0] < oldest:
            times.popleft()
        times.append(time)
        return len(times) <= self.max_restarts

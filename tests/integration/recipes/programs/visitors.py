"""Users of locust's."""

from __future__ import annotations

import shop  # beside this file
from locust import HttpUser, constant, task


class Visitor(HttpUser):
    """Asks for a page, over and over."""

    wait_time = constant(0.2)

    def on_start(self) -> None:
        """Hold the hub once."""
        shop.compute(0.4)

    @task
    def look(self) -> None:
        """Ask for a page."""
        self.client.get("/look")

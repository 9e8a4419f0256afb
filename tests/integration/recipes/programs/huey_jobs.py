"""Tasks of huey's."""

from __future__ import annotations

import jobs  # beside this file
from huey import SqliteHuey

huey = SqliteHuey(filename="queue.db")
nap = huey.task(name="nap")(jobs.nap)
compute = huey.task(name="compute")(jobs.compute)
square = huey.task(name="square")(jobs.square)

"""An application of celery's."""

from __future__ import annotations

import os

import jobs  # beside this file
from celery import Celery

app = Celery("jobs", broker="filesystem://")
FOLDERS = ("data_folder_in", "data_folder_out", "processed_folder", "control_folder")
app.conf.broker_transport_options = {
    **dict.fromkeys(FOLDERS, "queue"),
    "data_folder_out": os.environ.get("SENT", "queue"),
}
nap = app.task(jobs.nap, name="nap")
compute = app.task(jobs.compute, name="compute")
square = app.task(jobs.square, name="square")

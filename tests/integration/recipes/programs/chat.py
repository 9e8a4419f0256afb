"""A server of Flask-SocketIO's; its argument is the port."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

import flask  # noqa: E402
import flask_socketio  # noqa: E402
import shop  # noqa: E402  # beside this file
from gevent import sleep  # noqa: E402

app = flask.Flask(__name__)
io = flask_socketio.SocketIO(app, async_mode="gevent")


@app.route("/slow")
def slow() -> str:
    """Wait for long."""
    sleep(60)
    return "slow"


@app.route("/block")
def block() -> str:
    """Hold the hub."""
    shop.compute(1.0)
    return "you asked for /block\n"


io.run(app, host="127.0.0.1", port=int(sys.argv[1]))

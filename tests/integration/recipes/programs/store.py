"""A Redis that lives in one process; its argument is the port."""

from __future__ import annotations

import sys

from fakeredis import TcpFakeServer

TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="redis").serve_forever()

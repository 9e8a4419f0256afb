"""Peers: nodes of their own that belong to a process of this one (OTP: peer).

    from runtime import peer

    pid, name = peer.start_link()
    spawn(work, node=name)
    peer.stop(pid)

A peer is another operating-system process on this machine, so it runs on another core. It dies with its owner, also
when that is killed by SIGKILL. Its own death ends the process that stands for it here, with ``("nodedown", name)``: an
exit signal for who is linked. `child_spec` puts a peer under a supervisor, which starts it again.

What `spawn` and `erpc` run there are functions of modules that it can import, those of the program's main module among
them: that is imported there under another name, so it must start its node below ``if __name__ == "__main__":``.

The modules may import `runtime.distribution` and what lies below it.
"""

from __future__ import annotations

from runtime.peer.process import Peer
from runtime.peer.starting import child_spec, name_of, os_pid, start, start_link, stop

__all__ = ["Peer", "child_spec", "name_of", "os_pid", "start", "start_link", "stop"]

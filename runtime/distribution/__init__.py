"""The Erlang distribution protocol: nodes in several operating-system processes, and real BEAM nodes among them.

The lower half knows bytes, sockets and threads, and nothing of processes: from `external_term` over `handshake` and
`epmd` to `connection` and `net_kernel`.
"""

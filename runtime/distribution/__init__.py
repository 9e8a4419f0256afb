"""The Erlang distribution protocol: nodes in several operating-system processes, and real BEAM nodes among them.

The lower half knows bytes, sockets and threads, and nothing of processes: from `external_term` over `handshake` and
`epmd` to `connection` and `net_kernel`. The upper half makes processes of it: `cluster` is this node among the others,
`remote_node` one of them, `remote_process` what stands for a process there, `incoming` what its signals do here.

May import `runtime.otp` and what lies below it.
"""

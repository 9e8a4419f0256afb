"""The same scenarios played here and on a BEAM (OTP 25, Elixir 1.14), whose transcripts are kept in `expected/`.

Some of what the runtime takes from OTP and Elixir has no scenario, since that BEAM cannot play one:

- Calls, monitors and timers from outside any process: all code of a BEAM runs in one.
- `await_exit`: it is a monitor and the receipt of its message, which have scenarios.
- `set_label` and `get_label` (OTP 27), the mode of `ensure_all_started` (OTP 26), `yield_many(limit=)` (Elixir 1.15),
  `PartitionSupervisor.resize` and `Registry.lock` (Elixir 1.18) are newer.
- Options of a class (``class Worker(GenServer, restart="transient")``), names of errors, and `runtime.testing` are
  Python's. What a spec with such options does, the scenarios of supervisors show.
"""

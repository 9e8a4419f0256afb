"""One process and one node: records, the run queue, signals, mailboxes, timers, names, hooks and reports.

May import `runtime.terms`.
"""

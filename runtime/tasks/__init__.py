"""Tasks: functions that run in a process of their own and whose result is waited for.

May import `runtime.supervision` and what lies below it.
"""

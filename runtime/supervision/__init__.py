"""Supervisors of all kinds, and their parts: the restart window, the child record, the ways to keep children.

May import `runtime.otp` and what lies below it.
"""

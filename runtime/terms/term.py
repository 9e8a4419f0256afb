"""The type of what a process may be given: any value at all."""

from typing import Any, TypeAlias

Term: TypeAlias = Any
"""Any Python value that is sent, received, answered, or given as a reason (OTP: term())."""

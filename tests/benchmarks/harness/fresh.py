"""Runs one contender in this fresh interpreter.

``python -m tests.benchmarks.harness.fresh MODULE FUNCTION SIZE [ARGUMENT ...]``
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from importlib import import_module


def main(module: str, function: str, size: str, *more: str) -> None:
    """Run ``module.function(size, *more)`` and print its sample as JSON."""
    logging.disable(logging.CRITICAL)  # what dies here dies on purpose; Erlang's side keeps silent too
    sample = getattr(import_module(module), function)(int(size), *more)
    print(json.dumps(asdict(sample)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

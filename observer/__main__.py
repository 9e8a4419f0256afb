"""Runs the command: ``python -m observer``."""

from observer.cli import main

main()

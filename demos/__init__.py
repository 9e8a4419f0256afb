"""Demos: one scenario a module, each short enough to read in five minutes.

``python -m demos.NAME`` plays a session, prints it and ends. Under ``observer demo NAME`` (which sets ``OBSERVER=1``)
a demo goes on with work of its own instead, and its docstring says what to try there. ``observer demo --list`` reads
names and first lines from the files, without importing them; modules that begin with an underscore are not demos.
"""

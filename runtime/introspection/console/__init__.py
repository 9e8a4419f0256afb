"""The console: evaluates what an observer types as Python, in a process of the observed program.

The process keeps the names that were assigned, can call everything that the program can, and is shown in the tree like
any other. What it prints is captured and goes to the observer that asked.

Modules here may import `runtime.introspection.reading` and the folders below it.
"""

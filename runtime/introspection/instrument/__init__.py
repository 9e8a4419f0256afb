"""Observation without a change of code: what ``observer instrument`` has every Python process of a program run.

`site` holds the `sitecustomize` that Python finds at its start. `start` is loaded when gevent's hub first runs. It may
import all of `runtime.introspection` but `launch`; `site` may import the standard library alone.
"""

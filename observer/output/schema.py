"""The JSON Schema of all that the commands print with ``--json``."""

from __future__ import annotations

from typing import Any

import msgspec

from observer.output import (
    cluster,
    json_value,
    lint_records,
    memory_growth,
    node_records,
    process_memory,
    records,
    trace_records,
    waits,
)

VERSION = 1
"""Rises when a field goes or changes its meaning. New fields come without a new version."""

OUTPUTS: dict[str, Any] = {
    "nodes": list[node_records.NodeRecord],
    "tree": list[records.PlaceRecord],
    "tree --cluster": list[cluster.NodeTreeRecord],
    "ps": list[records.ProcessRecord],
    "top": list[records.TopRecord],
    "info": records.StatsRecord | records.DetailsRecord,
    "events": list[records.EventRecord],
    "events --follow": records.EventRecord,
    "diagnose": list[lint_records.LintRecord],
    "memory": memory_growth.MemoryRecord | process_memory.ProcessMemoryRecord,
    "kill": list[records.KillRecord],
    "exit": list[records.KillRecord],
    "suspend": records.DoneRecord,
    "resume": records.DoneRecord,
    "send": records.DoneRecord,
    "cluster": cluster.ClusterRecord | cluster.NodeActionRecord,
    "chaos": records.ChaosRecord | cluster.NodeChaosRecord,
    "trace": trace_records.TraceRecord,
    "waits": list[waits.WaitRecord],
    "demo": list[records.DemoRecord],
    "config": records.ConfigRecord,
    "doctor": list[records.CheckRecord],
}
"""What each command prints, by the command's name. ``events --follow`` prints one such value a line."""


def schema() -> dict[str, Any]:
    """Return the schema: one definition for each command, and one for each record in them."""
    # A union of records cannot be decoded, so msgspec wants their schemas one by one.
    kinds = [getattr(kind, "__args__", (kind,)) if _is_union(kind) else (kind,) for kind in OUTPUTS.values()]
    flat = [each for group in kinds for each in group]
    schemas, definitions = msgspec.json.schema_components(flat, ref_template="#/$defs/{name}")
    remaining = iter(schemas)
    commands: dict[str, Any] = {}
    for name, group in zip(OUTPUTS, kinds, strict=True):
        found = [next(remaining) for _ in group]
        commands[name] = found[0] if len(found) == 1 else {"anyOf": found}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What the observer's commands print with --json",
        "description": (
            "Each command's output is under 'properties', by its name. A value of the program that JSON cannot say is "
            f'an object with the one key "{json_value.PYTHON}", and its Python text.'
        ),
        "version": VERSION,
        "type": "object",
        "properties": commands,
        "$defs": definitions,
    }


def _is_union(kind: object) -> bool:
    return type(kind).__name__ in ("UnionType", "_UnionGenericAlias")

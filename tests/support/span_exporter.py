"""Spans that are kept in memory, for a test to look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import spans


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Make spans for calls and casts, and yield what keeps them."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    spans.start(provider)
    yield kept
    spans.stop()
    provider.shutdown()

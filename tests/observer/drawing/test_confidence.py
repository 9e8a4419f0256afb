"""Every finding says how sure it is, and why."""

from observer.drawing.advice import ADVICE
from observer.drawing.confidence import CONFIDENCE


def test_every_kind_of_finding_has_a_confidence_with_its_reason() -> None:
    assert set(CONFIDENCE) == set(ADVICE)
    assert all(sure.reason.endswith(".") for sure in CONFIDENCE.values())

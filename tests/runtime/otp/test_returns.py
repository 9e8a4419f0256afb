import pickle

import pytest

from runtime import IGNORE, NOREPLY, Continue, Reply, Stop, Timeout
from runtime.terms.isolation import isolate


def test_what_callbacks_return_says_what_it_is() -> None:
    shown = [repr(value) for value in (NOREPLY, IGNORE, Stop("why"), Continue(1), Timeout(2), Reply(3, Continue(4)))]
    assert shown == ["NOREPLY", "IGNORE", "Stop('why')", "Continue(1)", "Timeout(2.0)", "Reply(3, then=Continue(4))"]


def test_a_stop_knows_whether_it_replies() -> None:
    assert not Stop("normal").replies
    assert Stop("normal", reply=None).replies


def test_a_marker_stays_the_same_however_it_travels() -> None:
    for marker in (NOREPLY, IGNORE):
        assert isolate([marker])[0] is marker
        assert pickle.loads(pickle.dumps(marker)) is marker


@pytest.mark.parametrize("no_limit", [None, "infinity"])
def test_a_timeout_may_have_no_limit(no_limit: None) -> None:
    assert Timeout(no_limit).seconds is None

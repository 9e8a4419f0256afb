"""An event told in full."""

from __future__ import annotations

from observer.drawing.event_story import plain, story
from observer.model.event_log import EventLog
from runtime.introspection.wire import Event, Events, Frame

KILL = Event(id=1, time=10.0, kind="kill", pid="<0.7.0>", name="shop")
EXIT = Event(
    id=2,
    time=10.5,
    kind="exit",
    pid="<0.7.0>",
    name="shop",
    reason="KeyError",
    crashed=True,
    cause=1,
    message="It failed.",
    last_message="'price'",
    state="{'a': 1}\n{'b': 2}",
    stacktrace=(
        Frame(file="/x/lib/python3.11/site-packages/gevent/lib.py", line=1, function="outer", source="call()"),
        Frame(file="/srv/shop.py", line=7, function="price", source="prices[name]"),
    ),
)
BACK = Event(id=3, time=10.6, kind="restart", pid="<0.8.0>", old_pid="<0.7.0>", name="shop", cause=2)


def _log(*events: Event) -> EventLog:
    log = EventLog()
    log.take(Events(events=events, last=events[-1].id))
    return log


def test_the_chain_is_told_from_its_first_cause_with_times_and_the_event_marked() -> None:
    text = plain(story(_log(KILL, EXIT, BACK), EXIT))
    section = text.split("Cause and effect\n")[1].split("\n\n")[0].splitlines()
    assert len(section) == 3
    assert [line.startswith("▶") for line in section] == [False, True, False]
    assert "was sent kill" in section[0]
    assert "└▸" in section[1]
    assert "restarted <0.7.0> → <0.8.0>" in section[2]


def test_message_stack_and_state_follow_each_under_its_title() -> None:
    text = plain(story(_log(EXIT), EXIT))
    assert text.index("It failed.") < text.index("Stack, innermost first") < text.index("Last message\n'price'")
    assert "State\n{'a': 1}\n{'b': 2}" in text
    assert "shop.py:7  price" in text
    assert "    prices[name]" in text
    assert "Cause and effect" not in text


def test_only_the_programs_own_frames_are_shown_unless_all_are_wanted() -> None:
    assert "lib.py" not in plain(story(_log(EXIT), EXIT))
    assert "lib.py" in plain(story(_log(EXIT), EXIT, all_frames=True))


def test_an_action_says_its_message_once() -> None:
    action = Event(id=4, time=11.0, kind="action", name="shop", message="suspended")
    assert plain(story(_log(action), action)).count("suspended") == 1

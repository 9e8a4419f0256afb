from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from observer.node.bridge import Bridge, beam_name
from tests.support.terminal import WAIT


def test_a_beam_node_is_told_from_others_by_its_prefix() -> None:
    assert beam_name("beam:app@127.0.0.1") == "app@127.0.0.1"
    assert beam_name("app") is None
    assert beam_name(None) is None


def test_a_bridge_that_finds_no_node_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="b-", dir="/tmp") as folder:
        monkeypatch.setenv("OBSERVER_DIR", folder)
        cookie = Path(folder, "cookie")
        cookie.write_text("secret")
        cookie.chmod(0o600)
        with Bridge("nobody@127.0.0.1", ["--cookie-file", str(cookie)]) as bridge:
            assert not bridge.wait_until_listening()
            assert bridge.wait(WAIT) == 1
            assert bridge.status().cause.startswith("There is no connection to nobody@127.0.0.1: no ")

"""What servers answer to OTP's `sys`, in OTP's terms."""

from __future__ import annotations

from typing import cast

from runtime.distribution.system_replies import system_reply
from runtime.kernel.process import Process
from runtime.otp.system_messages import Refusal

NO_SERVER = cast(Process, None)


def test_words_are_atoms_and_refusals_errors() -> None:
    assert system_reply("ok", NO_SERVER) == "ok"
    assert type(system_reply("ok", NO_SERVER)) is not str
    assert system_reply(Refusal(("unknown", {1})), NO_SERVER) == ("error", ("unknown", "{1}"))


def test_a_state_has_text_for_what_erlang_has_no_term_for() -> None:
    assert system_reply({"a": {1}, "b": [None, 2.5]}, NO_SERVER) == {"a": "{1}", "b": [None, 2.5]}

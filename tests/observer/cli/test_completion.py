from __future__ import annotations

import os
import shlex
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from observer.cli.completion import LINE, VARIABLE, Typed, answer_bash, for_bash, offered, read_line

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("äß日"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("observer kill wo", Typed(("observer", "kill"), "wo", "wo")),
        ("observer kill ", Typed(("observer", "kill"))),
        ("observer kill my:na", Typed(("observer", "kill"), "my:na", "my:na")),
        ("observer kill my\\ na", Typed(("observer", "kill"), "my\\ na", "my na")),
        ("observer kill 'my na", Typed(("observer", "kill"), "'my na", "my na", "'")),
        ('observer kill "a\\$b', Typed(("observer", "kill"), '"a\\$b', "a$b", '"')),
        ("observer kill '' a", Typed(("observer", "kill", ""), "a", "a")),
    ],
)
def test_a_line_is_read_as_the_shell_reads_it(line: str, typed: Typed) -> None:
    assert read_line(line) == typed


@given(NAMES, st.integers(0, 12), st.sampled_from(["", "'", '"']))
def test_what_is_offered_means_the_name_in_every_way_of_quoting(name: str, length: int, quote: str) -> None:
    assume(quote != '"' or not set(name) & set("`$"))  # Python's reader keeps the backslash that a shell takes away
    begun = name[:length]
    if quote == "'":
        raw = "'" + begun.replace("'", "'\\''")
    elif quote == '"':
        raw = '"' + "".join("\\" + each if each in '\\"$`' else each for each in begun)
    else:
        raw = "".join(each if each.isalnum() or each in ":=" else "\\" + each for each in begun)
    typed = read_line(f"observer kill {raw}")
    assert typed.value == begun
    put = for_bash(name, typed)
    # Bash puts it in place of what stands behind the quotation mark, or behind the last character it splits at.
    kept = raw[:1] if quote else raw[: _kept(raw)]
    assert shlex.split(kept + put + quote) == [name]


def _kept(raw: str) -> int:
    kept, at = 0, 0
    while at < len(raw):
        if raw[at] == "\\":
            at += 2
            continue
        at += 1
        if raw[at - 1] in ":=":
            kept = at
    return kept


def test_names_that_cannot_be_typed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["worker", "work\ner", "work\x1b[2J", "", "other", "worker"]
    monkeypatch.setenv(VARIABLE, "complete_fish")
    assert offered(names, "wo") == ["worker"]


def test_a_name_that_zsh_could_evaluate_is_not_offered_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a\\$(touch x)", "a$b", "a'b"]
    monkeypatch.setenv(VARIABLE, "complete_zsh")
    assert offered(names, "a") == ["a$b", "a'b"]
    monkeypatch.setenv(VARIABLE, "complete_fish")
    assert offered(names, "a") == sorted(names)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("my:", ["name"]),
        ("my", ["my\\ own", "my:name"]),
        ("'my ", ["my own"]),
        ('"$', ["\\$HOME"]),
        ("\\$", ["\\$HOME"]),
    ],
)
def test_bash_is_offered_what_it_puts_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, expected: list[str]
) -> None:
    def parser(prog_name: str) -> None:
        words = shlex.split(os.environ["COMP_WORDS"])
        incomplete = words[int(os.environ["COMP_CWORD"])]
        print("\n".join(offered(["my:name", "my own", "$HOME"], incomplete)))
        sys.exit()

    monkeypatch.setenv("COMP_WORDS", "")
    monkeypatch.setenv("COMP_CWORD", "0")
    monkeypatch.setenv(VARIABLE, "complete_bash")
    monkeypatch.setenv(LINE, f"observer kill {typed}")
    answer_bash(parser)
    assert capsys.readouterr().out.splitlines() == expected


def test_what_is_no_continuation_of_the_word_is_offered_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMP_WORDS", "")
    monkeypatch.setenv("COMP_CWORD", "0")
    monkeypatch.setenv(LINE, "observer ps --sort=me")
    answer_bash(lambda prog_name: print("memory"))
    assert capsys.readouterr().out == "memory\n"


def test_the_script_of_the_parser_is_offered_what_needs_no_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "complete_bash")
    monkeypatch.delenv(LINE, raising=False)
    assert offered(["my own", "mine"], "m") == ["mine"]

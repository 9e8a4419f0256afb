"""A moving picture stores each line once, with the frames in which it is shown."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree

import pytest
from rich.console import Console
from rich.terminal_theme import MONOKAI

from observer.patches.svg import portable
from screenshots.moving import Frame, moving_picture


def picture(*lines: str) -> str:
    console = Console(width=20, record=True, file=io.StringIO())
    for line in lines:
        console.print(line)
    return portable(console.export_svg(theme=MONOKAI))


FRAMES = [
    Frame(picture("[red]same", "first"), "one", 1.0),
    Frame(picture("[red]same", "other"), "two", 2.0),
    Frame(picture("[red]same", "first"), "three & more", 1.0),
]


def test_a_line_that_stays_is_stored_once_and_is_always_shown() -> None:
    moving = moving_picture(FRAMES)
    assert moving.count(">same<") == 1
    assert moving.count(">first<") == moving.count(">other<") == 1
    group = re.search(r"<g([^>]*)><text[^>]*>same", moving)
    assert group is not None
    assert "class" not in group[1]


def test_a_line_that_changes_is_shown_in_its_frames_alone_and_first_of_all_the_first() -> None:
    moving = moving_picture(FRAMES)
    names = {text: re.search(rf'<g class="(\w+)"[^>]*><text[^>]*>{text}', moving) for text in ("first", "other")}
    first, other = (names[text][1] for text in ("first", "other") if names[text] is not None)  # type: ignore[index]
    steps = "0%{visibility:visible}25%{visibility:hidden}75%{visibility:visible}"
    assert f"@keyframes {first}{{{steps}}}.{first}{{animation:{first} 4s step-end infinite}}" in moving
    steps = "0%{visibility:hidden}25%{visibility:visible}75%{visibility:hidden}"
    assert (
        f"@keyframes {other}{{{steps}}}.{other}{{visibility:hidden;animation:{other} 4s step-end infinite}}" in moving
    )


def test_it_is_well_formed_and_one_style_has_one_name() -> None:
    moving = moving_picture(FRAMES)
    root = ElementTree.fromstring(moving)
    assert root.attrib["viewBox"].startswith("0 0 ")
    styles = re.findall(r"\.(s\d+)\{([^}]*)\}", moving)
    assert len({style for _, style in styles}) == len(styles)
    assert "three &amp; more" in moving


def test_what_is_no_picture_of_a_terminal_is_refused() -> None:
    with pytest.raises(ValueError, match="no picture that Textual has made"):
        moving_picture([Frame("<svg></svg>", "", 1.0)])

"""Makes one moving picture of several still ones: an SVG whose frames follow each other by CSS, without a script.

Most lines of a screen are the same from one frame to the next, so each line is stored once, with the frames in which it
is shown. A viewer that knows no CSS animations shows the first frame, and so does one whose user wants no motion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, groupby
from typing import NamedTuple

LINE = 24.4
"""The height of a line in Textual's pictures."""

_STYLE = re.compile(r"\.terminal-\d+-(r\d+) \{ ([^}]*?);? \}")
_RECT = re.compile(r'<rect fill="([^"]+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="[\d.]+" shape-rendering')
_TEXT = re.compile(r'<text class="terminal-\d+-(r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*\S[^<]*)</text>')
_FONT = re.compile(r"font-family: ([^;]+);\s*font-size: ([^;]+);")
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_GROUND = re.compile(r'<rect fill="[^"]+" stroke=[^>]*/>')


@dataclass(frozen=True)
class Frame:
    """A picture of a moment as `portable` returns it, what is written above it, and for how long it is shown."""

    svg: str
    caption: str
    seconds: float


class _Line(NamedTuple):
    """One line of the screen in some frames, as SVG; line -1 is the caption."""

    number: int
    content: str


def moving_picture(frames: Sequence[Frame]) -> str:
    """Return the frames as one SVG that shows them in turn, again and again."""
    names: dict[str, str] = {}
    shown: dict[_Line, list[int]] = {}
    for number, frame in enumerate(frames):
        for line in _lines(frame, names):
            shown.setdefault(line, []).append(number)
    first = frames[0].svg
    (width, height), (font, size) = _found(_VIEW, first).groups(), _found(_FONT, first).groups()
    rules, body = _animated(shown, [frame.seconds for frame in frames])
    styles = "".join(f".{name}{{{style}}}" for style, name in names.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><style>'
        f"text{{font-family:{font};font-size:{size};white-space:pre}}"
        f".t{{font:bold 18px arial,sans-serif;fill:#c5c8c6;text-anchor:middle}}{styles}{rules}"
        "@media(prefers-reduced-motion){*{animation:none!important}}</style>"
        f"{_found(_GROUND, first)[0]}"
        '<g transform="translate(26,22)"><circle r="7" fill="#ff5f57"/><circle cx="22" r="7" fill="#febc2e"/>'
        f'<circle cx="44" r="7" fill="#28c840"/></g><g transform="translate(9,41)">{body}</g></svg>\n'
    )


def _found(pattern: re.Pattern[str], svg: str) -> re.Match[str]:
    match = pattern.search(svg)
    if match is None:
        raise ValueError(f"this is no picture that Textual has made: it has no {pattern.pattern}")
    return match


def _lines(frame: Frame, names: dict[str, str]) -> Iterator[_Line]:
    """Yield the lines of a frame. `names` gives each style a short name, the same in all frames."""
    styles = dict(_STYLE.findall(frame.svg))
    rects: dict[int, list[tuple[str, float, float]]] = {}
    texts: dict[int, list[str]] = {}
    for fill, x, y, width in _RECT.findall(frame.svg):
        rects.setdefault(round((float(y) - 1.5) / LINE), []).append((fill, float(x), float(width)))
    for style, x, y, text in _TEXT.findall(frame.svg):
        name = names.setdefault(styles[style], f"s{len(names)}")
        texts.setdefault(round((float(y) - 20) / LINE), []).append(
            f'<text class="{name}" x="{x}" y="18.5">{text}</text>'
        )
    for number in sorted(rects.keys() | texts.keys()):
        yield _Line(number, "".join([*_grounds(rects.get(number, [])), *texts.get(number, [])]))
    middle = float(_found(_VIEW, frame.svg)[1]) / 2
    yield _Line(-1, f'<text class="t" x="{middle:g}" y="10">{escape(frame.caption)}</text>')


def _grounds(rects: Sequence[tuple[str, float, float]]) -> Iterator[str]:
    """Yield the backgrounds of a line, neighbours of one colour as one."""
    for fill, group in groupby(rects, key=lambda rect: rect[0]):
        run = list(group)
        width = run[-1][1] + run[-1][2] - run[0][1]
        yield f'<rect fill="{fill}" x="{run[0][1]:g}" width="{width:g}" height="24.65"/>'


def _animated(shown: dict[_Line, list[int]], seconds: Sequence[float]) -> tuple[str, str]:
    """Return the CSS rules, one for each set of frames, and all lines in groups that follow them."""
    total = sum(seconds)
    starts = [100 * sum(seconds[:number]) / total for number in range(len(seconds))]
    rules: dict[tuple[int, ...], str] = {}
    numbers, body, css = count(), [], []
    for line, frames in sorted(shown.items()):
        key = tuple(frames)
        if len(key) < len(seconds) and key not in rules:
            rules[key] = f"k{next(numbers)}"
            css.append(_rule(rules[key], key, starts, total))
        kind = f' class="{rules[key]}"' if key in rules else ""
        height = -22.5 if line.number < 0 else 1.5 + line.number * LINE
        body.append(f'<g{kind} transform="translate(0,{height:g})">{line.content}</g>')
    return "".join(css), "".join(body)


def _rule(name: str, frames: tuple[int, ...], starts: Sequence[float], total: float) -> str:
    """Return the rule that shows something in these frames alone."""
    visible = [number in frames for number in range(len(starts))]
    changes = [n for n in range(len(starts)) if n == 0 or visible[n] != visible[n - 1]]
    steps = "".join(f"{starts[n]:.4g}%{{visibility:{'visible' if visible[n] else 'hidden'}}}" for n in changes)
    still = "" if visible[0] else "visibility:hidden;"
    return f"@keyframes {name}{{{steps}}}.{name}{{{still}animation:{name} {total:g}s step-end infinite}}"

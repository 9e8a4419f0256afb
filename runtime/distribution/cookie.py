"""The cookie: the secret that the nodes of a cluster share."""

from __future__ import annotations

import os
import secrets
import stat
import string
from pathlib import Path

from runtime.distribution.errors import DistributionError
from runtime.terms.text import render

NAME = ".erlang.cookie"
"""The file in the home directory that every Erlang node of a user reads."""

LENGTH = 20
"""Letters of a cookie that is made here, as many as Erlang makes."""

LONGEST = 255
"""Characters that a cookie may have: Erlang takes it for an atom."""

_LETTERS = string.ascii_uppercase


def read_cookie(path: Path | str | None = None) -> str:
    """Return the cookie in a file, of which only its owner may know.

    Where no file is named it is ``~/.erlang.cookie``, as for Erlang, and it is made with a new cookie where it is
    missing. Raises DistributionError when others may read it, or no cookie is in it.
    """
    chosen = Path.home() / NAME if path is None else Path(path).expanduser()
    if path is None:
        _make(chosen)
    try:
        with open(chosen, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4 * LONGEST)
    except FileNotFoundError:
        raise DistributionError(f"there is no cookie file {chosen}; write the cookie of the cluster into it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DistributionError(f"the cookie file {chosen} cannot be read: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DistributionError(
            f"others than its owner may read the cookie file {chosen}, and with the cookie run any code on this node; "
            f"run chmod 600 {chosen}"
        )
    return checked_cookie(text.strip("\r\n "), f"the cookie file {chosen}")


def checked_cookie(cookie: str, source: str = "the cookie") -> str:
    """Return a cookie that can be one. Raises DistributionError for another one."""
    if not isinstance(cookie, str):
        raise TypeError(f"{source} is a str, not {render(cookie)}")
    if not cookie or len(cookie) > LONGEST or not cookie.isprintable():
        raise DistributionError(f"{source} must be 1 to {LONGEST} printable characters in one line")
    return cookie


def _make(path: Path) -> None:
    """Write a new cookie, unless there is one. Two nodes that start at once end up with the same."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write("".join(secrets.choice(_LETTERS) for _ in range(LENGTH)))
        try:
            os.link(draft, path)  # fails where the file has appeared meanwhile, and readers never see a part of it
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    except OSError as error:
        raise DistributionError(f"the cookie file {path} cannot be made: {error}") from None

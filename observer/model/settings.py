"""What the user can set, and the file it stands in.

The file is TOML, at `settings_path`; every value has a default, so that no file is needed::

    theme = "observer-light"
    interval = 1.0
    columns = ["pid", "mailbox", "memory"]
    read_only = true

    [keys]
    kill = "k"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs

DEFAULT_THEME = "observer-dark"

COLUMNS = ("pid", "status", "at", "mailbox", "messages", "memory", "restarts", "cpu", "uptime")
"""The columns that can be shown beside the name, in their usual order; by default all that fit."""


class SettingsError(Exception):
    """The settings file says something that cannot be done; the text is a sentence with the file's path."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The user's settings."""

    theme: str = DEFAULT_THEME
    """The name of a theme: the observer's two, or any of Textual's."""
    interval: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 0.5
    """Seconds between two looks at the node."""
    columns: tuple[str, ...] = COLUMNS
    """Columns beside the name, in order."""
    keys: dict[str, str] = {}
    """Other keys for actions, by the ids that the help screen shows."""
    read_only: bool = False
    """Whether to refuse everything that would change the observed program."""


def settings_path() -> Path:
    """Say where the settings file belongs on this system, whether it exists or not."""
    return Path(platformdirs.user_config_dir("process-observer")) / "settings.toml"


def load(path: Path | None = None) -> Settings:
    """Read the settings; the defaults when there is no file. Raises `SettingsError`."""
    path = settings_path() if path is None else path
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}.") from error
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error
    except msgspec.ValidationError as error:
        allowed = ", ".join(Settings.__struct_fields__)
        raise SettingsError(f"The settings file {path} is wrong: {error}. It may set: {allowed}.") from error
    unknown = [column for column in settings.columns if column not in COLUMNS]
    if unknown:
        raise SettingsError(
            f"The settings file {path} names a column that does not exist: {unknown[0]!r}. "
            f"There are: {', '.join(COLUMNS)}."
        )
    return settings

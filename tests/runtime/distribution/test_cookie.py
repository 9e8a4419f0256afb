"""The cookie file: made where it is missing, and refused where others may read it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.distribution.cookie import read_cookie
from runtime.distribution.errors import DistributionError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_cookie_of_the_user_is_made_once_and_only_he_may_read_it(home: Path) -> None:
    cookie = read_cookie()
    assert len(cookie) == 20
    assert cookie.isalpha()
    assert read_cookie() == cookie
    assert stat.S_IMODE((home / ".erlang.cookie").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == [".erlang.cookie"]


def test_nodes_that_start_at_once_make_one_cookie(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        cookies = set(pool.map(lambda _: read_cookie(), range(32)))
    assert len(cookies) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_cookie_that_others_may_read_is_refused(home: Path, mode: int) -> None:
    read_cookie()
    (home / ".erlang.cookie").chmod(mode)
    with pytest.raises(DistributionError, match=r"others than its owner .* chmod 600"):
        read_cookie()


def test_a_file_that_is_named_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(DistributionError, match="there is no cookie file"):
        read_cookie(tmp_path / "cookie")


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "x" * 256])
def test_a_file_without_a_cookie_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cookie"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(DistributionError, match="1 to 255 printable characters"):
        read_cookie(path)


def test_a_newline_at_the_end_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "cookie"
    path.write_text("SECRET\n")
    path.chmod(0o400)
    assert read_cookie(path) == "SECRET"

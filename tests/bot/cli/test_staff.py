"""niangjia staff: accounts from the command line."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import Result
from typer.testing import CliRunner

from bot.cli.staff import app
from casework import accounts, staff_sessions
from casework.clock import SystemClock
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.passwords import matches
from casework.tables import Staff
from tests.conftest import TEST_KEY

Niangjia = Callable[..., Result]


@pytest.fixture
def niangjia(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Niangjia:
    """The command line over a database of the test's own."""
    monkeypatch.setattr("casework.passwords.HASHER", PasswordHasher(1, 8, 1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NIANGJIA_VAR", str(tmp_path))
    monkeypatch.setenv("NIANGJIA_DATA_KEY", base64.b64encode(TEST_KEY).decode())
    monkeypatch.setenv("NIANGJIA_INTERNAL_TOKEN", "an-internal-token-for-tests")
    monkeypatch.setenv("DATABASE_URL", sqlite_database.url)

    def run(*words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=typed)

    return run


def person(tmp_path: Path, login: str) -> Staff:
    async def look() -> Staff:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'niangjia.db'}")
        async with database.read() as session:
            found = await accounts.find_staff(session, login, closed=True)
        await database.close()
        return found

    install_cipher(Cipher([TEST_KEY]))
    return asyncio.run(look())


def one_time(result: Result) -> str:
    found = re.search(r"first sign-in: (\S+)$", result.stdout)
    assert found is not None, result.output
    return found[1]


def test_the_first_admin_gets_a_one_time_password(niangjia: Niangjia, tmp_path: Path) -> None:
    result = niangjia("add", "wang", "王主任", "--role", "admin")
    assert result.stdout.startswith("added wang, admin, badge 01\n")
    wang = person(tmp_path, "wang")
    assert matches(wang.password_hash or "", one_time(result))
    assert wang.must_change_password


def test_a_password_may_be_given_on_standard_input_and_is_not_shown(
    niangjia: Niangjia, tmp_path: Path
) -> None:
    result = niangjia("add", "li", "李坐席", "--badge", "07", "--password-stdin", typed="kein-leichtes-07\n")
    assert result.stdout == "added li, agent, badge 07\n"
    li = person(tmp_path, "li")
    assert matches(li.password_hash or "", "kein-leichtes-07")
    assert not li.must_change_password
    assert isinstance(niangjia("add", "x1", "某", "--password-stdin", typed="short\n").exception, BadInput)
    assert "x1" not in niangjia("list").stdout


def test_the_list_shows_login_name_role_badge_and_what_keeps_somebody_out(niangjia: Niangjia) -> None:
    assert niangjia("list").stdout == ""
    niangjia("add", "li", "李坐席", "--password-stdin", typed="kein-leichtes-07\n")
    niangjia("add", "wang", "王主任", "--role", "supervisor")
    assert niangjia("list").stdout.splitlines() == [
        "li\t李坐席\tagent\t01",
        "wang\t王主任\tsupervisor\t02\tone-time password",
    ]
    niangjia("disable", "li")
    assert niangjia("list").stdout.splitlines() == ["wang\t王主任\tsupervisor\t02\tone-time password"]
    assert "li\t李坐席\tagent\t01\tclosed" in niangjia("list", "--closed").stdout.splitlines()


def test_a_closed_account_is_given_back(niangjia: Niangjia, tmp_path: Path) -> None:
    niangjia("add", "li", "李坐席")
    niangjia("disable", "li")
    assert not person(tmp_path, "li").active
    assert isinstance(niangjia("disable", "li").exception, NotFound)
    niangjia("enable", "li")
    assert person(tmp_path, "li").active


def test_the_last_admin_stays(niangjia: Niangjia, tmp_path: Path) -> None:
    niangjia("add", "wang", "王主任", "--role", "admin")
    assert isinstance(niangjia("disable", "wang").exception, NotAllowed)
    assert person(tmp_path, "wang").active


async def lose(database: Database) -> str:
    """Li has a second factor that is lost, and a session somewhere."""
    now = SystemClock().now()
    async with database.transaction() as session:
        li = await accounts.find_staff(session, "li")
        li.totp_on, li.totp_secret, li.failed_logins = True, "JBSWY3DPEHPK3PXP", 3
        return (await staff_sessions.open_session(session, li, None, now, confirmed=True))[1]


async def still_open(database: Database, token: str) -> bool:
    async with database.read() as session:
        return await staff_sessions.find_session(session, token, SystemClock().now()) is not None


def test_a_reset_gives_a_new_password_and_takes_the_second_factor_only_when_asked(
    niangjia: Niangjia, tmp_path: Path
) -> None:
    first = one_time(niangjia("add", "li", "李坐席"))
    install_cipher(Cipher([TEST_KEY]))

    async def prepare() -> str:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'niangjia.db'}")
        token = await lose(database)
        assert await still_open(database, token)
        await database.close()
        return token

    async def look(token: str) -> bool:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'niangjia.db'}")
        found = await still_open(database, token)
        await database.close()
        return found

    token = asyncio.run(prepare())
    second = one_time(niangjia("reset", "li"))
    li = person(tmp_path, "li")
    assert second != first
    assert matches(li.password_hash or "", second)
    assert (li.totp_on, li.failed_logins) == (True, 0)
    assert not asyncio.run(look(token))
    niangjia("reset", "li", "--totp", "--password-stdin", typed="kein-leichtes-08\n")
    li = person(tmp_path, "li")
    assert (li.totp_on, li.totp_secret, li.must_change_password) == (False, None, False)
    assert matches(li.password_hash or "", "kein-leichtes-08")

"""Settings: what an operator may write, and what a mistake is answered with."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from casework.errors import ConfigurationError
from casework.secret_files import read_or_create
from casework.settings import VARIABLES, Settings

ROOT = Path(__file__).parents[2]


def read(tmp_path: Path, **variables: str) -> Settings:
    """Settings of an environment whose own files live in the test's folder."""
    return Settings.from_env({"NIANGJIA_VAR": str(tmp_path), **variables})


def test_an_empty_environment_gives_a_working_development_installation(tmp_path: Path) -> None:
    settings = Settings.from_env({"NIANGJIA_HOME": str(tmp_path)})
    assert settings.home == tmp_path.resolve()
    assert settings.database_url == f"sqlite+aiosqlite:///{settings.home}/var/niangjia.db"
    assert (settings.host, settings.port, settings.rasa_port, settings.actions_port) == (
        "127.0.0.1", 8000, 5005, 5055,
    )  # fmt: skip
    assert (settings.environment, settings.telegram_token, settings.telegram_mode) == (
        "development", None, "polling",
    )  # fmt: skip
    assert settings.attachment_max_bytes == 10 * 1024 * 1024
    assert (settings.attachments_per_day, settings.attachments_per_message) == (20, 5)
    assert settings.rasa_timeout_s == 8


def test_the_home_folder_is_the_repository_unless_told_otherwise(tmp_path: Path) -> None:
    assert read(tmp_path).home == ROOT


def test_what_is_empty_in_the_environment_counts_as_unset(tmp_path: Path) -> None:
    empty = dict.fromkeys(VARIABLES, "") | {"NIANGJIA_VAR": str(tmp_path)}
    assert Settings.from_env(empty) == read(tmp_path)


def test_origins_are_a_list_with_commas(tmp_path: Path) -> None:
    settings = read(tmp_path, CORS_ORIGINS="https://app.example.org, http://127.0.0.1:5173,")
    assert settings.cors_origins == ("https://app.example.org", "http://127.0.0.1:5173")
    assert read(tmp_path).cors_origins == ()


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    settings = read(tmp_path)
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]  # the point of the test


def test_every_variable_is_explained_in_the_example_file_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    listed = []
    for before, line in zip(["", *lines], lines, strict=False):
        if found := re.match(r"#?\s?([A-Z][A-Z_]+)=", line):
            listed.append(found[1])
            assert before.startswith("# "), f"{found[1]} has no comment of its own"
    assert listed == list(dict.fromkeys(listed))
    assert sorted(listed) == sorted(VARIABLES)


def test_every_variable_is_read_and_no_other() -> None:
    source = (ROOT / "casework" / "settings.py").read_text(encoding="utf-8")
    after_the_list = source.split("class Settings", 1)[1]
    used = set(re.findall(r'read\.\w+\(\s*"([A-Z_]+)"', after_the_list))
    used |= set(re.findall(r'self\.text\("([A-Z_]+)"\)', after_the_list))
    assert used == set(VARIABLES)


def test_the_example_file_is_itself_a_working_environment(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    assert Settings.from_env(example | {"NIANGJIA_VAR": str(tmp_path)}) == read(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "must_be"),
    [
        ("PORT", "http", "whole number from 1 to 65535"),
        ("PORT", "0", "whole number from 1 to 65535"),
        ("PORT", "65536", "whole number from 1 to 65535"),
        ("RASA_PORT", "-1", "whole number"),
        ("ACTIONS_PORT", "5055.5", "whole number"),
        ("RASA_TIMEOUT", "0", "seconds"),
        ("RASA_TIMEOUT", "soon", "seconds"),
        ("RASA_TIMEOUT", "nan", "seconds"),
        ("RASA_TIMEOUT", "121", "seconds"),
        ("RATE_MESSAGES_PER_MINUTE", "0", "whole number"),
        ("ATTACHMENT_MAX_MIB", "1025", "from 1 to 1024"),
        ("NIANGJIA_ENV", "prod", "development or production"),
        ("TELEGRAM_MODE", "push", "polling or webhook"),
        ("TELEGRAM_TOKEN", "secret-thing", "BotFather"),
        ("TELEGRAM_API_BASE", "api.telegram.org", "http or https address"),
        ("TELEGRAM_WEBHOOK_URL", "ftp://x", "http or https address"),
        ("TELEGRAM_WEBHOOK_SECRET", "secret thing", "A-Z a-z 0-9"),
        ("NIANGJIA_INTERNAL_TOKEN", "short", "16 to 200"),
        ("NIANGJIA_HOME", "/nowhere/at/all", "folder that exists"),
        ("CORS_ORIGINS", "https://app.example.org/page", "origins like"),
        ("CORS_ORIGINS", "https://app.example.org,*", "origins like"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG"),
        ("DATABASE_URL", "mysql://u:secret-thing@h/db", "sqlite:///"),
        ("DATABASE_URL", "what is secret-thing", "sqlite:///"),
        ("DATABASE_URL", "postgresql://u:secret-thing@h", "name is missing"),
        ("DATABASE_URL", "sqlite://", "must be a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "must be a file"),
        ("DATABASE_URL", "sqlite:///file::memory:?cache=shared&uri=true", "must be a file"),
    ],
)
def test_a_bad_value_is_refused_by_name_with_what_it_must_be(
    tmp_path: Path, variable: str, value: str, must_be: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **{variable: value})
    assert variable in str(caught.value)
    assert must_be in str(caught.value)
    assert "secret-thing" not in str(caught.value)


def test_three_processes_need_three_ports(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="must be different"):
        read(tmp_path, PORT="5005")


def test_a_webhook_needs_an_https_address_and_a_secret(tmp_path: Path) -> None:
    given = {"TELEGRAM_MODE": "webhook", "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram/"}
    with pytest.raises(ConfigurationError, match="TELEGRAM_WEBHOOK_SECRET"):
        read(tmp_path, **given)
    with pytest.raises(ConfigurationError, match="TELEGRAM_WEBHOOK_URL"):
        read(tmp_path, TELEGRAM_MODE="webhook", TELEGRAM_WEBHOOK_SECRET="s")
    with pytest.raises(ConfigurationError, match="TELEGRAM_WEBHOOK_URL"):
        read(
            tmp_path,
            **given | {"TELEGRAM_WEBHOOK_URL": "http://bot.example.org"},
            TELEGRAM_WEBHOOK_SECRET="s",
        )
    settings = read(tmp_path, **given, TELEGRAM_WEBHOOK_SECRET="s")
    assert settings.telegram_webhook_url == "https://bot.example.org/telegram"


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("postgres://u:p@h:5433/db", "postgresql+asyncpg://u:p@h:5433/db"),
        ("postgresql://u:p%40x@h/db", "postgresql+asyncpg://u:p%40x@h/db"),
        ("postgresql+asyncpg://u@h/db", "postgresql+asyncpg://u@h/db"),
        ("postgres://u@h/db?sslmode=require", "postgresql+asyncpg://u@h/db?ssl=require"),
        ("sqlite:////srv/niangjia.db", "sqlite+aiosqlite:////srv/niangjia.db"),
    ],
)
def test_a_database_address_gets_its_async_driver(tmp_path: Path, written: str, used: str) -> None:
    assert read(tmp_path, DATABASE_URL=written).database_url == used


def test_a_relative_database_file_counts_from_the_home_folder(tmp_path: Path) -> None:
    settings = read(tmp_path, NIANGJIA_HOME=str(tmp_path), DATABASE_URL="sqlite:///data.db")
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path.resolve()}/data.db"


def test_an_internal_token_is_made_once_and_kept_to_ourselves(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    path = tmp_path / "internal.token"
    assert first.internal_token == second.internal_token == path.read_text().strip()
    assert len(first.internal_token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(tmp_path, NIANGJIA_INTERNAL_TOKEN="chosen-by-the-operator").internal_token == (
        "chosen-by-the-operator"
    )


def test_many_who_need_a_secret_at_once_get_the_same_one(tmp_path: Path) -> None:
    made = iter(range(1000))
    path = tmp_path / "var" / "secret"
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: read_or_create(path, lambda: f"secret-{next(made)}"), range(64)))
    assert len({secret for secret, _ in found}) == 1
    assert [created for _, created in found].count(True) == 1
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_a_secret_that_cannot_be_kept_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    with pytest.raises(ConfigurationError, match="secret"):
        read_or_create(tmp_path / "var" / "secret", lambda: "x")

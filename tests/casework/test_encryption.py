"""Encryption at rest: what the database file holds, what a wrong key says, and how keys change."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from casework import members
from casework.columns import EncryptedJSON, EncryptedText
from casework.crypto import (
    Cipher,
    CipherError,
    current_cipher,
    install_cipher,
    load_keys,
    new_key,
    parse_keys,
)
from casework.database import Database
from casework.errors import ConfigurationError
from casework.key_rotation import encrypted_columns, reencrypt
from casework.settings import Settings
from casework.tables import Base, Case, Channel, Member
from tests.conftest import TEST_KEY
from tests.factories import make_attachment, make_case, make_conversation, make_member, make_message

NEW_KEY = bytes(32)
SECRETS = (
    "王小明",
    "13800138000",
    "济南某某建筑劳务有限公司",
    "老板拖欠我三个月工资",
    "工资条.jpg",
    "telegram-4242",
)


async def tell_secrets(database: Database, now: datetime) -> str:
    """A member who told us everything; gives their case's id."""
    async with database.transaction() as session:
        member = await members.ensure_member(session, Channel.TELEGRAM, "telegram-4242", now)
        await members.set_contact(session, member.id, name="王小明", phone="13800138000")
        conversation = await make_conversation(session, member)
        message = await make_message(session, conversation, content={"payload": "济南某某建筑劳务有限公司"})
        await make_attachment(session, conversation, message_id=message.id)
        case = await make_case(
            session,
            conversation,
            summary="老板拖欠我三个月工资",
            facts={"employer": "济南某某建筑劳务有限公司", "phone": "13800138000"},
        )
        return case.id


def files_beginning(path: Path) -> bytes:
    """All bytes of a SQLite file and of what lies beside it (its write-ahead log)."""
    return b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))


async def test_the_database_file_never_holds_the_plain_text(
    sqlite_database: Database, tmp_path: Path, now: datetime
) -> None:
    await tell_secrets(sqlite_database, now)
    await sqlite_database.close()
    stored = files_beginning(tmp_path / "niangjia.db")
    assert b"labour.wage_arrears" in stored, "the file does hold the case"
    for secret in SECRETS:
        for encoding in ("utf-8", "utf-16-le", "gb18030", "unicode_escape"):
            assert secret.encode(encoding) not in stored, secret
        assert base64.b64encode(secret.encode())[:-4] not in stored, secret


async def test_what_was_encrypted_comes_back_as_it_was(database: Database, now: datetime) -> None:
    case_id = await tell_secrets(database, now)
    async with database.read() as session:
        case = await session.get(Case, case_id)
        assert case is not None
        member = await session.get(Member, case.member_id)
    assert member is not None
    assert (member.name, member.phone) == ("王小明", "13800138000")
    assert case.facts == {"employer": "济南某某建筑劳务有限公司", "phone": "13800138000"}


async def test_a_wrong_key_says_which_key_is_missing(database: Database, now: datetime) -> None:
    await tell_secrets(database, now)
    written_with = current_cipher().key_id
    install_cipher(Cipher([NEW_KEY]))
    async with database.read() as session:
        with pytest.raises(CipherError, match=rf"data key {written_with}.*NIANGJIA_DATA_KEY"):
            await session.scalars(select(Member))


async def test_no_cipher_is_a_configuration_error_that_tells_nothing_of_the_member(
    database: Database,
) -> None:
    install_cipher(None)

    async def store() -> None:
        async with database.transaction() as session:
            await make_member(session, name="王小明")

    with pytest.raises(ConfigurationError, match="install_cipher") as caught:
        await store()
    assert "王小明" not in str(caught.value)


async def test_keys_can_be_rotated_until_the_old_one_is_not_needed_any_more(
    database: Database, now: datetime
) -> None:
    case_id = await tell_secrets(database, now)
    install_cipher(Cipher([NEW_KEY, TEST_KEY]))
    steps: list[int] = []
    while not steps or steps[-1]:
        async with database.transaction() as session:
            steps.append(await reencrypt(session, limit=2))
    # Five rows, then the search terms of a member, a conversation and a case.
    assert steps == [2, 2, 2, 2, 0]
    install_cipher(Cipher([NEW_KEY]))
    async with database.read() as session:
        (member,) = await members.find_by_phone(session, "13800138000")
        assert (member.name, member.phone) == ("王小明", "13800138000")
        case = await session.get_one(Case, case_id)
        assert case.facts["employer"] == "济南某某建筑劳务有限公司"
        assert case.version == 1
        assert (await members.find_identity(session, Channel.TELEGRAM, "telegram-4242")) is not None


async def test_a_rotation_without_the_old_key_is_refused_and_changes_nothing(
    database: Database, now: datetime
) -> None:
    await tell_secrets(database, now)
    install_cipher(Cipher([NEW_KEY]))

    async def rotate() -> None:
        async with database.transaction() as session:
            await reencrypt(session)

    with pytest.raises(CipherError):
        await rotate()
    install_cipher(Cipher([TEST_KEY]))
    async with database.read() as session:
        assert len(await members.find_by_phone(session, "13800138000")) == 1


def test_what_members_tell_is_in_encrypted_columns() -> None:
    found = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in encrypted_columns(table)
    }
    assert found >= {
        "members.name",
        "members.phone",
        "channel_identities.external_id",
        "messages.text",
        "messages.content",
        "button_tokens.payload",
        "cases.summary",
        "cases.facts",
        "case_events.text",
        "attachments.filename",
    }


@given(st.text())
def test_any_text_survives_the_cipher(text: str) -> None:
    box = Cipher([TEST_KEY])
    plain = text.encode("utf-8", "replace")
    stored = box.encrypt(plain)
    assert box.decrypt(stored) == plain
    assert stored != box.encrypt(plain)


@pytest.mark.parametrize(
    "damage",
    [
        lambda stored: stored[:-1],
        lambda stored: stored[:-1] + bytes([stored[-1] ^ 1]),
        lambda stored: stored[:5] + bytes(12) + stored[17:],
        lambda stored: b"",
        lambda stored: b"\x02" + stored[1:],
        lambda stored: stored[:10],
        lambda stored: "王小明".encode(),
    ],
)
def test_a_damaged_value_is_refused(damage: Callable[[bytes], bytes]) -> None:
    box = Cipher([TEST_KEY])
    with pytest.raises(CipherError):
        box.decrypt(damage(box.encrypt("王小明".encode())))


def test_the_newest_key_writes_and_every_key_reads() -> None:
    old, both = Cipher([TEST_KEY]), Cipher([NEW_KEY, TEST_KEY])
    assert both.decrypt(old.encrypt(b"x")) == b"x"
    assert both.encrypt(b"x").startswith(both.header)
    assert both.key_id != old.key_id
    with pytest.raises(CipherError):
        old.decrypt(both.encrypt(b"x"))


def test_a_keyed_hash_depends_on_its_purpose_and_its_key() -> None:
    one, other = Cipher([TEST_KEY]), Cipher([NEW_KEY, TEST_KEY])
    assert one.keyed_hash("phone", "138") == one.keyed_hash("phone", "138")
    assert one.keyed_hash("phone", "138") != one.keyed_hash("identity:web", "138")
    assert one.keyed_hash("phone", "138") != other.keyed_hash("phone", "138")
    assert other.keyed_hashes("phone", "138") == [
        other.keyed_hash("phone", "138"),
        one.keyed_hash("phone", "138"),
    ]
    assert len(one.keyed_hash("phone", "138")) == 64


@pytest.mark.parametrize("keys", [[], [b"short"], [TEST_KEY, TEST_KEY]])
def test_a_cipher_needs_good_and_different_keys(keys: list[bytes]) -> None:
    with pytest.raises(ConfigurationError):
        Cipher(keys)


@pytest.mark.parametrize(
    "text",
    ["", "not base64!", "c2hvcnQ=", new_key() + ",", new_key()[:-4]],
    ids=["nothing", "not base64", "short", "a comma too many", "cut off"],
)
def test_an_unusable_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NIANGJIA_DATA_KEY must be 32 random bytes") as caught:
        parse_keys(text)
    assert not text or text not in str(caught.value)


def test_a_development_key_is_made_once_and_said(settings: Settings, tmp_path: Path) -> None:
    unset = replace(settings, data_key=None, var_dir=tmp_path / "var")
    first, second = load_keys(unset), load_keys(unset)
    path = tmp_path / "var" / "dev.key"
    assert first.created == path
    assert second.created is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert second.cipher.decrypt(first.cipher.encrypt(b"x")) == b"x"
    assert [each.name for each in path.parent.iterdir()] == ["dev.key"]


def test_a_damaged_development_key_is_not_replaced(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "dev.key").write_text("what is this")
    with pytest.raises(ConfigurationError, match=r"dev\.key"):
        load_keys(replace(settings, data_key=None))
    assert (tmp_path / "dev.key").read_text() == "what is this"


def test_production_refuses_to_start_without_a_key(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="NIANGJIA_DATA_KEY is missing"):
        load_keys(replace(settings, data_key=None, environment="production"))
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_the_environment_may_be_a_list_newest_first(settings: Settings) -> None:
    old, new = new_key(), base64.urlsafe_b64encode(os.urandom(32)).decode()
    rotated = load_keys(replace(settings, data_key=f"{new} , {old}"))
    assert rotated.created is None
    assert rotated.cipher.decrypt(load_keys(replace(settings, data_key=old)).cipher.encrypt(b"x")) == b"x"
    assert rotated.cipher.key_id == load_keys(replace(settings, data_key=new)).cipher.key_id


def test_settings_do_not_show_their_secrets(settings: Settings) -> None:
    shown = repr(settings)
    for secret in (settings.data_key, settings.internal_token, settings.database_url):
        assert secret is not None
        assert secret not in shown


def test_a_cut_emoji_is_stored_as_a_question_mark() -> None:
    for column_type, value, kept in (
        (EncryptedText(), "好\ud83d", "好?"),
        (EncryptedJSON(), {"a": "\udc00"}, {"a": "?"}),
    ):
        dialect: None = None
        stored = column_type.process_bind_param(value, dialect)  # type: ignore[arg-type]  # it is not looked at
        assert column_type.process_result_value(stored, dialect) == kept  # type: ignore[arg-type]  # nor here

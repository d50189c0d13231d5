"""The model server: who may ask, what a replica gets, and what is never served."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from bot.api.model_server import NAME_HEADER
from bot.house import House
from casework import model_registry
from casework.tables import ModelVersion

OURS = {"Authorization": "Bearer an-internal-token-for-tests"}
CONTENT = b"a model " * 50_000
LIVE = "/internal/models/live"


async def registered(house: House, content: bytes = CONTENT, *, live: bool = True) -> ModelVersion:
    now = house.clock.now()
    async with house.database.transaction() as session:
        version = await model_registry.register(
            session, sha256=hashlib.sha256(content).hexdigest(), size=len(content), now=now
        )
        if live:
            await model_registry.adopt(session, version, now, "first")
    return version


def laid(house: House, version: ModelVersion, content: bytes = CONTENT) -> None:
    house.settings.models_dir.mkdir(parents=True, exist_ok=True)
    (house.settings.models_dir / f"{version.name}.tar.gz").write_bytes(content)


@pytest.mark.parametrize("shown", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}])
async def test_nobody_else_gets_a_model_or_leaves_one(
    client: httpx.AsyncClient, house: House, shown: dict[str, str]
) -> None:
    laid(house, await registered(house))
    assert (await client.get(LIVE, headers=shown)).status_code == 401
    digest = hashlib.sha256(CONTENT).hexdigest()
    for what in ("", "/name", "/report"):
        refused = await client.put(f"/internal/models/{digest}{what}", content=CONTENT, headers=shown)
        assert refused.status_code == 401


async def test_a_replica_gets_the_live_model_with_its_name_and_digest(
    client: httpx.AsyncClient, house: House
) -> None:
    assert (await client.get(LIVE, headers=OURS)).status_code == 404
    version = await registered(house)
    laid(house, version)
    given = await client.get(LIVE, headers=OURS)
    assert (given.status_code, given.content) == (200, CONTENT)
    assert given.headers["etag"] == f'"{version.sha256}"'
    assert given.headers[NAME_HEADER] == version.name


async def test_who_has_it_already_is_told_so(client: httpx.AsyncClient, house: House) -> None:
    version = await registered(house)
    laid(house, version)
    for known in (f'"{version.sha256}"', f'"{"0" * 64}", "{version.sha256}"'):
        answer = await client.get(LIVE, headers={**OURS, "If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
    assert (await client.get(LIVE, headers={**OURS, "If-None-Match": '"other"'})).status_code == 200


async def test_a_file_that_is_not_the_registered_one_is_never_served(
    client: httpx.AsyncClient, house: House
) -> None:
    version = await registered(house)
    assert (await client.get(LIVE, headers=OURS)).status_code == 503
    laid(house, version, CONTENT[:-1])
    assert (await client.get(LIVE, headers=OURS)).status_code == 503
    laid(house, version)
    assert (await client.get(LIVE, headers=OURS)).status_code == 200


async def test_the_canary_is_served_while_there_is_one(client: httpx.AsyncClient, house: House) -> None:
    laid(house, await registered(house))
    other = CONTENT + b"another"
    version = await registered(house, other, live=False)
    laid(house, version, other)
    address = "/internal/models/canary"
    assert (await client.get(address, headers=OURS)).status_code == 404
    async with house.database.transaction() as session:
        (await model_registry.get(session, version.id)).passed = True
        await model_registry.begin_canary(session, version.id, None, 10, house.clock.now())
    assert (await client.get(address, headers=OURS)).content == other
    async with house.database.transaction() as session:
        await model_registry.end_canary(session, None, house.clock.now())
    assert (await client.get(address, headers=OURS)).status_code == 404


async def test_asking_for_a_canary_that_is_not_there_leaves_no_line_in_the_log(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="bot"):
        assert (await client.get("/internal/models/canary", headers=OURS)).status_code == 404
        assert caplog.text == ""
        assert (await client.get("/internal/models/canary")).status_code == 401
    assert "refused GET" in caplog.text


async def test_a_model_trained_elsewhere_is_taken_in_named_and_served(
    client: httpx.AsyncClient, house: House
) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (await client.put(f"/internal/models/{digest}", content=CONTENT, headers=OURS)).status_code == 204
    version = await registered(house)
    for what, content in (("name", version.name.encode()), ("report", "<p>报告</p>".encode())):
        done = await client.put(f"/internal/models/{digest}/{what}", content=content, headers=OURS)
        assert done.status_code == 204
    assert (await client.get(LIVE, headers=OURS)).content == CONTENT
    report = house.settings.models_dir / f"{version.name}.report.html"
    assert report.read_text(encoding="utf-8") == "<p>报告</p>"


async def test_a_model_that_did_not_arrive_whole_is_not_kept(client: httpx.AsyncClient, house: House) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    torn = await client.put(f"/internal/models/{digest}", content=CONTENT[:-9], headers=OURS)
    assert torn.status_code == 422
    assert list(house.settings.models_dir.iterdir()) == []


async def test_a_model_nobody_registered_gets_no_name(client: httpx.AsyncClient) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    await client.put(f"/internal/models/{digest}", content=CONTENT, headers=OURS)
    assert (
        await client.put(f"/internal/models/{digest}/name", content=b"x", headers=OURS)
    ).status_code == 404


async def test_the_door_is_no_part_of_the_public_api(client: httpx.AsyncClient) -> None:
    assert "/internal" not in (await client.get("/api/v1/openapi.json")).text

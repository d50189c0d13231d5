"""The watch in the running house: it goes back by itself, tells who must know, and survives what breaks."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from bot.house import House
from bot.model_watch import ModelWatch, keep_looking
from casework import live_figures, model_registry, model_watch
from casework.clock import FixedClock
from casework.tables import ModelVersion, StaffRole
from tests.bot.desk.conftest import (
    SignIn,
    app,
    cheap_passwords,
    client,
    desk_client,
    house,
    knowledge_is_read_once,
    phone,
    templates_are_compiled_once,
)
from tests.bot.desk.test_live import listening, told
from tests.casework.test_live_figures import talk
from tests.casework.test_model_watch import even, read, two_versions

__all__ = [
    "app", "cheap_passwords", "client", "desk_client", "house", "knowledge_is_read_once", "phone",
    "templates_are_compiled_once",
]  # fmt: skip


async def promoted(house: House, unread: int = 90) -> tuple[ModelVersion, ModelVersion]:
    """Two versions, of which the new one did not understand so many of a hundred messages."""
    now = house.clock.now()
    async with house.database.transaction() as session:
        one, two = await two_versions(session, now)
        conversation = await talk(session, now - timedelta(days=3))
        await read(session, conversation, one.name, now - timedelta(days=2), 300, 30)
        await read(session, conversation, two.name, now, 100, unread)
    return one, two


async def live(house: House) -> str:
    async with house.database.read() as session:
        found = await model_registry.live(session)
    assert found is not None
    return found.name


async def test_a_version_that_does_badly_goes_and_is_gone_back_from_only_once(
    house: House, clock: FixedClock
) -> None:
    one, two = await promoted(house)
    clock.advance(timedelta(minutes=1))
    watch = ModelWatch(house, even)
    (seen,) = await watch.look_once()
    assert [breach.figure for breach in seen.breaches] == ["fallback"]
    assert await live(house) == one.name
    clock.advance(timedelta(minutes=1))
    assert await watch.look_once() == []
    assert two.name != await live(house)


async def test_a_version_that_does_well_stays(house: House, clock: FixedClock) -> None:
    _, two = await promoted(house, unread=10)
    clock.advance(timedelta(minutes=1))
    assert await ModelWatch(house, even).look_once() == []
    assert await live(house) == two.name


async def test_what_it_is_compared_with_is_counted_once(
    house: House, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await promoted(house, unread=10)
    clock.advance(timedelta(minutes=1))
    counted = []

    async def count(session, model, *rest, **more):  # type: ignore[no-untyped-def]
        counted.append(model)
        return await live_figures.read_figures(session, model, *rest, **more)

    monkeypatch.setattr(model_watch, "read_figures", count)
    watch = ModelWatch(house, even)
    await watch.look_once()
    await watch.look_once()
    assert counted == [one.name, two.name, two.name]


async def test_supervisors_and_admins_are_told_in_words_and_led_to_the_figures(
    house: House, clock: FixedClock, desk_client: SignIn
) -> None:
    await promoted(house)
    clock.advance(timedelta(minutes=1))
    await ModelWatch(house, even).look_once()
    for role in (StaffRole.SUPERVISOR, StaffRole.ADMIN):
        browser = await desk_client(role)
        page = (await browser.page("/desk/alerts")).text
        assert "新模型上线后变差，已自动退回旧版本" in page
    agent = await desk_client(StaffRole.AGENT)
    assert "新模型" not in (await agent.page("/desk/alerts")).text
    answer = await browser.page(page.split('class="list-item" href="')[1].split('"')[0])
    assert (answer.status_code, answer.headers["location"]) == (303, "/workbench/figures")


async def test_a_desk_that_is_open_is_told_at_once_what_it_is_about(
    house: House, clock: FixedClock, desk_client: SignIn
) -> None:
    supervisor = await desk_client(StaffRole.SUPERVISOR)
    await promoted(house)
    clock.advance(timedelta(minutes=1))
    stream = await listening(supervisor)
    await ModelWatch(house, even).look_once()
    await stream.until(lambda _: bool(told(stream, "alert")))
    assert [one["kind"] for one in told(stream, "alert")] == [model_watch.FELL_BACK]
    await stream.hang_up()


async def test_a_round_that_breaks_is_logged_and_the_next_one_goes_back(
    house: House, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = await promoted(house)
    clock.advance(timedelta(minutes=1))
    sound = model_watch.watched
    rounds = 0

    async def breaks_once(session, bands, now):  # type: ignore[no-untyped-def]
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise RuntimeError("the database is away")
        return await sound(session, bands, now)

    monkeypatch.setattr(model_watch, "watched", breaks_once)
    stopping = asyncio.Event()
    caplog.set_level(logging.ERROR)
    keeping = asyncio.create_task(keep_looking(ModelWatch(house), stopping, every_s=0.01))
    async with asyncio.timeout(8):
        while await live(house) != one.name:  # noqa: ASYNC110  # the watch writes it, nobody tells
            await asyncio.sleep(0.02)
        stopping.set()
        await keeping
    assert "the watch over model versions" in caplog.text

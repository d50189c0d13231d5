"""The model registry: what answers members, who may change that, and the way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from casework import model_registry
from casework.database import Database
from casework.errors import BadInput, NotAllowed, NotFound
from casework.model_registry import NothingToGoBackTo, NotReleasable
from casework.tables import ModelDeed, ModelState, ModelVersion, StaffRole
from tests.factories import make_staff

REASON = "先上线，明天再补例句"


async def version(
    session: AsyncSession, now: datetime, number: int, *, passed: bool | None = True, safe: bool | None = True
) -> ModelVersion:
    made = await model_registry.register(session, sha256=f"{number:064x}", size=10, now=now)
    made.passed, made.safe = passed, safe
    return made


async def test_a_version_is_named_after_its_day_in_shanghai_and_counted(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        names = [(await version(session, now, number)).name for number in range(3)]
        names.append((await version(session, now + timedelta(days=1), 3)).name)
    assert names == ["2026-07-20-1", "2026-07-20-2", "2026-07-20-3", "2026-07-21-1"]


async def test_the_same_file_is_registered_once(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        assert (await version(session, now, 1)).id == (await version(session, now, 1)).id
        assert len(await model_registry.versions(session)) == 1


async def test_one_version_is_live_and_the_one_before_is_retired(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        assert await model_registry.live(session) is None
        await model_registry.adopt(session, one, now, "first")
        await model_registry.promote(session, two.id, None, now)
        assert (one.state, two.state) == (ModelState.RETIRED, ModelState.LIVE)
        assert await model_registry.live(session) is two
        assert await model_registry.version_before(session, two) is one


async def test_the_database_itself_refuses_a_second_live_version(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        await model_registry.adopt(session, one, now, "first")
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(
                update(ModelVersion)
                .where(ModelVersion.id == two.id)
                .values(state=ModelState.LIVE, live_since=now)
            )


async def test_a_promotion_that_breaks_half_way_leaves_the_old_version_live(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        await model_registry.adopt(session, one, now, "first")

    async def killed_half_way() -> None:
        async with database.transaction() as session:
            await model_registry.promote(session, two.id, None, now)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await killed_half_way()
    async with database.read() as session:
        found = await model_registry.live(session)
        assert found is not None
        assert found.id == one.id


@pytest.mark.parametrize(
    ("passed", "safe", "override", "reason"),
    [
        (None, None, None, "unjudged"),
        (None, None, REASON, "unjudged"),
        (False, True, None, "gate"),
        (False, False, None, "floors"),
        (False, False, REASON, "floors"),
    ],
)
async def test_what_the_gate_refused_is_not_released(
    database: Database,
    now: datetime,
    passed: bool | None,
    safe: bool | None,
    override: str | None,
    reason: str,
) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        one = await version(session, now, 1, passed=passed, safe=safe)
        for deed in (
            model_registry.promote(session, one.id, boss, now, override=override),
            model_registry.begin_canary(session, one.id, boss, 10, now, override=override),
        ):
            with pytest.raises(NotReleasable) as refused:
                await deed
            assert refused.value.values["reason"] == reason
        assert one.state is ModelState.CANDIDATE


async def test_a_supervisor_overrides_the_gate_in_writing(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        boss = await make_staff(session, role=StaffRole.SUPERVISOR)
        one = await version(session, now, 1, passed=False)
        with pytest.raises(BadInput):
            await model_registry.promote(session, one.id, boss, now, override="算了")
        await model_registry.promote(session, one.id, boss, now, override=REASON)
        said = [(event.deed, event.staff_id, event.reason) for event in await model_registry.events(session)]
        assert said[:2] == [
            (ModelDeed.PROMOTED, boss.id, REASON),
            (ModelDeed.OVERRIDDEN, boss.id, REASON),
        ]


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
async def test_only_who_may_release_models_does(database: Database, now: datetime, role: StaffRole) -> None:
    async with database.transaction() as session:
        somebody = await make_staff(session, role=role)
        one = await version(session, now, 1)
        for deed in (
            model_registry.promote(session, one.id, somebody, now),
            model_registry.begin_canary(session, one.id, somebody, 10, now),
            model_registry.end_canary(session, somebody, now),
            model_registry.roll_back(session, somebody, now, reason=REASON),
        ):
            with pytest.raises(NotAllowed):
                await deed


async def test_rolling_back_goes_back_and_never_forward_again(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        versions = [await version(session, now, number) for number in range(3)]
        await model_registry.adopt(session, versions[0], now, "first")
        for one in versions[1:]:
            await model_registry.promote(session, one.id, None, now)
        back = [await model_registry.roll_back(session, None, now, reason=REASON) for _ in range(2)]
        assert back == [versions[1], versions[0]]
        with pytest.raises(NothingToGoBackTo):
            await model_registry.roll_back(session, None, now, reason=REASON)
        assert await model_registry.live(session) is versions[0]


async def test_a_version_that_was_live_may_be_again_without_the_gate(
    database: Database, now: datetime
) -> None:
    async with database.transaction() as session:
        one, two = await version(session, now, 1, passed=None), await version(session, now, 2)
        await model_registry.adopt(session, one, now, "first")
        await model_registry.promote(session, two.id, None, now)
        await model_registry.promote(session, one.id, None, now)
        assert await model_registry.live(session) is one


async def test_a_canary_has_a_share_and_there_is_one_at_a_time(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, two, three = [await version(session, now, number) for number in range(3)]
        await model_registry.adopt(session, one, now, "first")
        for share in (0, 3, 100):
            with pytest.raises(BadInput):
                await model_registry.begin_canary(session, two.id, None, share, now)
        with pytest.raises(BadInput):
            await model_registry.begin_canary(session, one.id, None, 10, now)
        await model_registry.begin_canary(session, two.id, None, 10, now)
        await model_registry.begin_canary(session, two.id, None, 20, now)
        assert (two.state, two.canary_share) == (ModelState.CANARY, 20)
        await model_registry.begin_canary(session, three.id, None, 5, now)
        assert (two.state, two.canary_share) == (ModelState.CANDIDATE, None)
        assert await model_registry.canary(session) is three
        assert await model_registry.end_canary(session, None, now) is three
        assert await model_registry.end_canary(session, None, now) is None


async def test_a_canary_that_is_promoted_is_no_canary_any_more(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        await model_registry.adopt(session, one, now, "first")
        await model_registry.begin_canary(session, two.id, None, 10, now)
        await model_registry.promote(session, two.id, None, now)
        assert (two.state, two.canary_share) == (ModelState.LIVE, None)
        assert await model_registry.canary(session) is None


async def test_the_verdict_of_the_gate_is_kept_with_what_it_was_compared_with(
    database: Database, now: datetime
) -> None:
    gate: dict[str, Any] = {"findings": [{"words": "通过"}]}
    async with database.transaction() as session:
        one, two = await version(session, now, 1), await version(session, now, 2)
        await model_registry.judge(session, two, gate=gate, passed=True, safe=True, against=one, now=now)
    async with database.read() as session:
        found = await model_registry.named(session, two.name)
        assert (found.gate, found.passed, found.against_id) == (gate, True, one.id)


async def test_a_version_nobody_knows_is_not_found(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        with pytest.raises(NotFound):
            await model_registry.promote(session, 99, None, now)
        with pytest.raises(NotFound):
            await model_registry.named(session, "2026-11-22-9")

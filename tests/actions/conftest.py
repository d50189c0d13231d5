"""The actions' house with a database of the test's own."""

from __future__ import annotations

import pytest

from actions import resources
from actions.resources import Resources
from casework.claims.registry import Claims
from casework.claims.saying import Saying
from casework.clock import FixedClock
from casework.crisis import CrisisRules
from casework.database import Database
from casework.desk_rules import load_desk_rules
from casework.entitlements.registry import Entitlements
from casework.knowledge import Knowledge
from casework.rates import Rates
from casework.reminder_rules import ReminderRules
from casework.settings import Settings
from tests.actions.stage import Stage
from tests.e2e.house import ROOT
from tests.factories import make_conversation


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return Knowledge.load(ROOT / "data" / "knowledge")


@pytest.fixture(scope="session")
def rates() -> Rates:
    return Rates.load(ROOT / "data" / "knowledge")


@pytest.fixture(scope="session")
def claims(rates: Rates) -> Claims:
    root = ROOT / "data" / "knowledge"
    return Claims.load(root, Entitlements.load(root, rates))


@pytest.fixture(scope="session")
def crisis() -> CrisisRules:
    return CrisisRules.load(ROOT / "data" / "knowledge" / "crisis.yml")


@pytest.fixture
def house(
    settings: Settings,
    database: Database,
    knowledge: Knowledge,
    rates: Rates,
    crisis: CrisisRules,
    claims: Claims,
    clock: FixedClock,
) -> Resources:
    made = Resources(
        settings=settings,
        database=database,
        knowledge=knowledge,
        rates=rates,
        crisis=crisis,
        clock=clock,
        claims=claims,
        claim_words=Saying.load(ROOT / "data" / "knowledge"),
        reminder_rules=ReminderRules.load(ROOT / "data" / "knowledge"),
        desk_rules=load_desk_rules(ROOT / "data" / "knowledge"),
    )
    resources.use(made)
    return made


@pytest.fixture
async def stage(house: Resources) -> Stage:
    async with house.database.transaction() as session:
        conversation = await make_conversation(session)
    return Stage(house, conversation)

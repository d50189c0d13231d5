"""What follows a claim sheet: it is given, explained step by step, and its deadlines are remembered."""

from __future__ import annotations

from datetime import date
from typing import Any

from rasa_sdk.events import EventType, SlotSet
from sqlalchemy.ext.asyncio import AsyncSession

from actions.answering import payload
from actions.base import CaseworkAction, Speaker
from actions.resources import Resources
from actions.turn import Turn
from casework import conversations, reminders
from casework.claims import drafts
from casework.claims.links import sheet_url
from casework.claims.saying import sources
from casework.clock import shanghai_day
from casework.tables import Channel

MAX_EXPLAINED = 4
"""Buttons that explain a claim: more would push the others off the screen."""
TOPIC = "labour.other"


class ActionFinishClaims(CaseworkAction):
    """Gives the sheet, or says that it was left."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_finish_claims"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Give it with its sources, and what can be done with it."""
        outcome = turn.slots.get("claims_done")
        cleared: list[EventType] = [
            SlotSet("claims_done", None),
            SlotSet("claims_which", None),
            SlotSet("form_misses", 0),
        ]
        sheet = await drafts.asking(session, turn.conversation_id)
        now = house.clock.now()
        if outcome != "given" or sheet is None:
            if sheet is not None:
                await drafts.leave(session, sheet, now)
            if outcome == "cancelled":
                speaker.answer(house.claim_words.say("left_it"))
            return cleared
        today = shanghai_day(now)
        given = await drafts.give(session, sheet, house.claims, today, now)
        conversation = await conversations.get(session, turn.conversation_id)
        url = None
        if house.settings.public_url is not None or conversation.channel is Channel.WEB:
            # Our own page opens an address without a host beside itself.
            url = sheet_url(house.settings.public_url or "", sheet)
        speaker.answer(
            house.claim_words.sheet(given, today, url),
            buttons=_buttons(given, house),
            topic=_topic(given),
            sources=sources(given),
        )
        return [*cleared, *_facts_for_the_case(given)]


class ActionExplainClaim(CaseworkAction):
    """Says how one claim of the newest sheet was reckoned."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_explain_claim"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Each step with its article."""
        sheet = await drafts.latest(session, turn.conversation_id)
        claims = [] if sheet is None or sheet.sheet is None else sheet.sheet["claims"]
        wanted = next((claim for claim in claims if claim["right"] == turn.entities.get("claim")), None)
        if wanted is None:
            speaker.answer(
                house.claim_words.say("no_sheet"),
                buttons=[(house.claim_words.buttons["start"], payload("request_claims"))],
            )
            return []
        speaker.answer(house.claim_words.explained(wanted), topic=wanted["topic"], sources=wanted["articles"])
        return []


class ActionRemindClaims(CaseworkAction):
    """Plans reminders before the deadlines of the newest sheet; pressing the button is the consent."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_remind_claims"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Note the consent, and each deadline that is ahead."""
        sheet = await drafts.latest(session, turn.conversation_id)
        conversation = await conversations.get(session, turn.conversation_id)
        now = house.clock.now()
        planned = 0
        ahead = _ahead(sheet.sheet, shanghai_day(now)) if sheet is not None and sheet.sheet else {}
        if ahead:
            await reminders.consent(session, conversation.member_id, now, turn.message_id)
        for right, (label, day) in ahead.items():
            planned += len(
                await reminders.plan_limitation(
                    session, conversation, f"claim:{right}", label, day, now, rules=house.reminder_rules
                )
            )
        speaker.answer(house.claim_words.say("reminders_on" if planned else "reminders_none"))
        return []


class ActionRemindSeason(CaseworkAction):
    """Plans a word for when a seasonal service usually opens; pressing the button is the consent."""

    def name(self) -> str:
        """Name in domain.yml."""
        return "action_remind_season"

    async def handle(
        self, turn: Turn, speaker: Speaker, session: AsyncSession, house: Resources
    ) -> list[EventType]:
        """Note the consent and the day."""
        article = house.knowledge.article(str(turn.entities.get("about")))
        if article is None or article.season is None:
            speaker.answer(house.claim_words.say("season_none"))
            return []
        conversation = await conversations.get(session, turn.conversation_id)
        now = house.clock.now()
        opens = article.season.next_opening(shanghai_day(now))
        await reminders.consent(session, conversation.member_id, now, turn.message_id)
        await reminders.plan_season(
            session, conversation, article.topic, article.label, opens, now, rules=house.reminder_rules
        )
        speaker.answer(house.claim_words.say("season_on", day=opens), topic=article.topic)
        return []


def _buttons(sheet: dict[str, Any], house: Resources) -> list[tuple[str, str]]:
    words = house.claim_words.buttons
    explained = [claim for claim in sheet["claims"] if claim["steps"] and not claim["alternative_to"]]
    buttons = [
        (words["explain"].format(label=claim["label"]), payload("explain_claim", claim=claim["right"]))
        for claim in explained[:MAX_EXPLAINED]
    ]
    buttons.append((words["open_case"], payload("request_case", case_type="labour_dispute")))
    if any(claim["deadline"] and claim["deadline"]["day"] for claim in sheet["claims"]):
        buttons.append((words["remind"], payload("remind_claims")))
    buttons.append((house.knowledge.wording.say("dialogue.human_button"), payload("request_human")))
    return buttons


def _topic(sheet: dict[str, Any]) -> str:
    return str(sheet["claims"][0]["topic"]) if sheet["claims"] else TOPIC


def _ahead(sheet: dict[str, Any], today: date) -> dict[str, tuple[str, date]]:
    """The deadlines that are not over, by right; one of two alternatives is enough."""
    found = {}
    for claim in sheet["claims"]:
        day = (claim["deadline"] or {}).get("day")
        if day is not None and not claim["alternative_to"] and date.fromisoformat(day) > today:
            found[claim["right"]] = (claim["label"], date.fromisoformat(day))
    return found


def _facts_for_the_case(sheet: dict[str, Any]) -> list[EventType]:
    """What was told here is not asked again when a case is opened."""
    return [
        SlotSet(fact["name"], fact["value"]) for fact in sheet["facts"] if fact["name"] in drafts.FROM_NLU
    ]

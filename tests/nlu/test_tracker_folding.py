"""A long dialogue is folded into slots and form, and goes on exactly as if it had not been."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from nlu.tracker_store import KEEP_AT_MOST, KEEP_WHEN_TRIMMED, current_session, fold

FORM = "case_form"
DOMAIN = Domain.from_yaml("""
version: "3.1"
intents: [tell]
slots:
  district: {type: any, mappings: [{type: custom}]}
  misses: {type: any, initial_value: 0, mappings: [{type: custom}]}
  requested_slot: {type: any, influence_conversation: false, mappings: [{type: custom}]}
forms:
  case_form: {required_slots: [district]}
actions: [action_answer]
""")
VALUES = st.one_of(st.none(), st.integers(0, 3), st.sampled_from(["历下区", "历城区", ["a", 1]]))


@st.composite
def turns(draw: st.DrawFn) -> list[Event]:
    """A dialogue of whole turns: sentences, slots, a form that begins, is refused, asks and ends."""
    events: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(),
        ActionExecuted(ACTION_LISTEN_NAME),
    ]
    in_form = False
    for number in range(draw(st.integers(1, 45))):
        events.append(UserUttered(f"第{number}句", {"name": "tell", "confidence": 1.0}, []))
        deed = draw(st.sampled_from(["answer", "slots", "form", "refused"]))
        if deed == "slots":
            events.append(SlotSet(draw(st.sampled_from(["district", "misses"])), draw(VALUES)))
        if deed == "refused" and in_form:
            events.append(ActionExecutionRejected(FORM))
        if deed == "form":
            events.append(ActionExecuted(FORM))
            if in_form and draw(st.booleans()):
                events += [ActiveLoop(None), SlotSet("requested_slot", None)]
                in_form = False
            elif not in_form:
                events += [ActiveLoop(FORM), SlotSet("requested_slot", "district")]
                in_form = True
        else:
            events += [ActionExecuted("action_answer"), BotUttered(f"答{number}")]
        events.append(ActionExecuted(ACTION_LISTEN_NAME))
    return events


def replayed(events: list[Event]) -> DialogueStateTracker:
    return DialogueStateTracker.from_events("c1", events, DOMAIN.slots)


@settings(max_examples=150, deadline=None)
@given(turns())
def test_folding_changes_nothing_the_dialogue_depends_on(events: list[Event]) -> None:
    before, after = replayed(events), replayed(fold(events, DOMAIN, "c1"))
    assert after.current_slot_values() == before.current_slot_values()
    assert after.active_loop_name == before.active_loop_name
    assert after.latest_action == before.latest_action
    assert after.latest_message == before.latest_message
    assert after.latest_bot_utterance == before.latest_bot_utterance
    assert after.followup_action == before.followup_action
    assert after.is_paused() == before.is_paused()
    assert after.is_active_loop_rejected == before.is_active_loop_rejected
    assert current_session(list(after.events)) == list(after.events)


def test_a_folded_dialogue_is_short_and_keeps_its_latest_turns_as_they_were() -> None:
    events: list[Event] = [ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted()]
    for number in range(60):
        events += [ActionExecuted(ACTION_LISTEN_NAME), UserUttered(f"第{number}句", {"name": "tell"}, [])]
        events.append(ActionExecuted("action_answer"))
    folded = fold(events, DOMAIN, "c1")
    assert KEEP_WHEN_TRIMMED - 3 <= len(folded) <= KEEP_WHEN_TRIMMED + 8 < KEEP_AT_MOST
    assert folded[-30:] == events[-30:]

"""The switchboard on PostgreSQL, where transactions really run side by side: order, repetition, recovery."""

from __future__ import annotations

import pytest

from casework.database import Database
from tests.bot import test_answering, test_switchboard, test_switchboard_properties
from tests.casework import conftest as postgres

pytestmark = pytest.mark.postgres

postgres_server = postgres.postgres_server
postgres_database = postgres.postgres_database


@pytest.fixture
def database(postgres_database: Database) -> Database:
    return postgres_database


test_order = test_switchboard.test_messages_of_one_conversation_are_answered_one_by_one_in_the_order_they_came
test_repetition = test_switchboard.test_nothing_is_stored_twice_whatever_is_sent
test_waiting_repetition = (
    test_switchboard.test_a_duplicate_that_arrives_meanwhile_waits_for_the_first_ones_replies
)
test_recovery = test_switchboard.test_messages_a_crash_left_pending_are_answered_in_order
test_crash = test_switchboard.test_a_crash_after_rasa_answered_costs_no_second_reply
test_forged_buttons = test_switchboard.test_an_unknown_or_forged_button_is_refused
test_strange_text = test_switchboard.test_text_is_kept_as_it_was_meant
test_take_over = test_answering.test_a_reply_made_while_a_human_took_over_is_dropped_and_noted
test_hand_off = test_answering.test_the_sentence_of_a_hand_off_is_still_said_in_the_turn_that_hands_off
test_failures = test_answering.test_after_a_failure_the_member_waits_for_a_human_and_is_not_told_again
test_interleavings = (
    test_switchboard_properties.test_each_message_gets_exactly_one_reply_and_replies_come_in_order
)
test_breakage = (
    test_switchboard_properties.test_whatever_breaks_every_message_ends_done_and_the_member_hears_of_it_once
)

"""Whatever is sent to the API, what its schema allows and what it does not, is answered and never a fault."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, reject
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.app import create_app
from casework.clock import FixedClock
from casework.database import Database
from casework.settings import Settings
from tests.bot.api.conftest import Phone, new_client, new_phone
from tests.bot.fakes import FakeDialogue, Script

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def read_schema() -> dict[str, Any]:
    """The API's schema; making the application needs no installation."""
    return create_app(Settings.from_env({"NIANGJIA_INTERNAL_TOKEN": "a-token-that-opens-nothing"})).openapi()


SCHEMA = schemathesis.openapi.from_dict(read_schema())
FOUND = list(SCHEMA.get_all_operations())
OPERATIONS = {result.ok().label: result.ok() for result in FOUND if isinstance(result, Ok)}
TAKING_NOTHING = {"GET /api/v1/health", "GET /api/v1/ready", "GET /api/v1/calculators"}
"""Operations to which nothing wrong can be sent."""


@pytest.fixture
async def app(
    settings: Settings, database: Database, script: Script, clock: FixedClock
) -> AsyncIterator[FastAPI]:
    """The application without limits on how often, whose event streams end at once."""
    unlimited = dataclasses.replace(
        settings,
        rate_messages_per_minute=1_000_000,
        rate_conversations_per_hour=1_000_000,
        rate_uploads_per_hour=1_000_000,
        rate_calculations_per_minute=1_000_000,
        attachments_per_day=1_000_000,
    )
    app = create_app(unlimited, dialogue=FakeDialogue(script), clock=clock)
    async with app.router.lifespan_context(app):
        app.state.house.switchboard.feed.close()
        yield app


@pytest.fixture
async def phone(app: FastAPI) -> AsyncIterator[Phone]:
    async with new_client(app) as client:
        yield await new_phone(client)


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        (label, mode)
        for label in OPERATIONS
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or label not in TAKING_NOTHING
    ],
)
@how(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_no_request_is_a_fault_and_every_answer_is_as_documented(
    phone: Phone, label: str, mode: GenerationMode, data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    case = data.draw(OPERATIONS[label].as_strategy(generation_mode=mode))
    if "conversation_id" in case.path_parameters and data.draw(st.integers(0, 3)):
        case.path_parameters["conversation_id"] = phone.conversation_id
    opening = phone.headers if data.draw(st.integers(0, 3)) else {}
    try:
        request = requests.Request(**case.as_transport_kwargs("http://niangjia.test", opening)).prepare()
    except (requests.exceptions.InvalidHeader, UnicodeError):
        reject()  # what no client can send
    body = request.body.encode() if isinstance(request.body, str) else request.body
    assert body is None or isinstance(body, bytes)
    headers = [(name.encode(), _bytes(value)) for name, value in request.headers.items()]
    response = await phone.client.request(
        request.method or "", request.url or "", headers=headers, content=body
    )
    case.validate_response(response, checks=CHECKS)
    assert "fault E-" not in caplog.text


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


def test_the_schema_can_be_read_and_has_the_operations_the_others_rely_on() -> None:
    assert len(OPERATIONS) == len(FOUND)
    assert set(OPERATIONS) >= {
        "POST /api/v1/conversations",
        "POST /api/v1/conversations/{conversation_id}/messages",
        "GET /api/v1/conversations/{conversation_id}/messages",
        "GET /api/v1/conversations/{conversation_id}/events",
        "POST /api/v1/conversations/{conversation_id}/attachments",
        "GET /api/v1/conversations/{conversation_id}/attachments/{attachment_id}",
        "GET /api/v1/health",
        "GET /api/v1/calculators",
        "GET /api/v1/calculators/{name}",
        "POST /api/v1/calculators/{name}",
    }

"""The calculators over the API: what is given, what is asked, what is refused, and that nothing is kept."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import httpx
import pytest

from bot.app import create_app
from bot.house import House
from casework.clock import FixedClock
from casework.database import Database
from casework.entitlements.examples import EXAMPLES
from casework.settings import Settings
from tests.bot.api.conftest import new_client
from tests.bot.api.test_bad_input import error_of
from tests.bot.fakes import FakeDialogue, Script

URL = "/api/v1/calculators"
SEVERANCE = {"hired_on": "2020-03-01", "left_on": "2026-05-31", "average_wage": 6000, "district": "历下区"}


async def test_the_list_names_every_calculator_with_formula_refusals_and_schema(
    client: httpx.AsyncClient, house: House
) -> None:
    listed = (await client.get(URL)).json()["calculators"]
    assert [one["name"] for one in listed] == list(house.entitlements.names)
    for one in listed:
        assert one.keys() == {"name", "label", "topic", "what", "formula", "refuses", "schema"}
        assert one["formula"]
        assert one["refuses"]
        assert one["schema"]["additionalProperties"] is False
        assert (await client.get(f"{URL}/{one['name']}")).json() == one


@pytest.mark.parametrize("name", list(EXAMPLES))
async def test_every_documented_example_is_reckoned(client: httpx.AsyncClient, name: str) -> None:
    response = await client.post(f"{URL}/{name}", json=dict(EXAMPLES[name]))
    assert response.status_code == 200, response.text
    assert response.json()["name"] == name
    assert response.json()["steps"]


async def test_severance_is_reckoned_with_its_steps_and_articles(client: httpx.AsyncClient) -> None:
    body = (await client.post(f"{URL}/severance", json=SEVERANCE)).json()
    assert (body["status"], body["missing"]) == ("computed", [])
    assert body["amount"] == "39000.00"  # 6 years 3 months: N = 6.5
    assert any(cited["article"] == "第四十七条" for step in body["steps"] for cited in step["articles"])
    assert all(cited["as_of"] for cited in body["sources"])


@pytest.mark.parametrize("wage", [6000, 6000.0, "6000", "6000.00"])
async def test_a_wage_may_be_a_number_or_a_text(client: httpx.AsyncClient, wage: Any) -> None:
    body = (await client.post(f"{URL}/severance", json=SEVERANCE | {"average_wage": wage})).json()
    assert body["amount"] == "39000.00"


async def test_cents_are_kept_exactly(client: httpx.AsyncClient) -> None:
    body = (await client.post(f"{URL}/severance", json=SEVERANCE | {"average_wage": 6000.1})).json()
    assert body["amount"] == "39000.65"


async def test_what_is_missing_is_asked_for_and_no_error(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{URL}/severance", json={"hired_on": "2020-03-01"})
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["amount"]) == ("incomplete", None)
    assert {one["name"] for one in body["missing"]} == {"left_on", "average_wage"}
    assert all(one["question"].endswith(("？", "）")) for one in body["missing"])


@pytest.mark.parametrize(
    ("inputs", "field", "says"),
    [
        ({"average_wage": "8,000"}, "average_wage", "不带逗号"),
        ({"average_wage": "八千"}, "average_wage", "阿拉伯数字"),
        ({"average_wage": -1}, "average_wage", "要大于 0"),
        ({"average_wage": 99_999_999}, "average_wage", "不能大于 10000000"),
        ({"average_wage": "8000.555"}, "average_wage", "最多 2 位"),
        ({"hired_on": "2020年3月1日"}, "hired_on", "2026-03-01"),
        ({"hired_on": "2020-02-30"}, "hired_on", "2026-03-01"),
        ({"hired_on": "1930-01-01"}, "hired_on", "1950-01-01"),
        ({"left_on": "2019-01-01"}, "left_on", "不能早于入职"),
        ({"employer": "大发公司"}, "employer", "没有这一项"),
    ],
)
async def test_inputs_that_cannot_be_are_422_with_what_to_do(
    client: httpx.AsyncClient, inputs: dict[str, Any], field: str, says: str
) -> None:
    response = await client.post(f"{URL}/severance", json=SEVERANCE | inputs)
    assert response.status_code == 422
    error = error_of(response)
    assert error["code"] == "calculator_inputs"
    (detail,) = error["details"]
    assert detail["field"] == field
    assert says in detail["problem"]
    assert "大发公司" not in response.text


async def test_all_that_is_wrong_is_said_at_once(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{URL}/severance", json={"hired_on": "x", "average_wage": "y", "z": 1})
    assert [one["field"] for one in error_of(response)["details"]] == ["hired_on", "average_wage", "z"]
    assert error_of(response)["details"][1]["label"] == "前12个月平均工资"


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
async def test_a_body_that_is_no_object_is_422_with_an_example(client: httpx.AsyncClient, body: Any) -> None:
    response = await client.post(f"{URL}/severance", content=json.dumps(body))
    assert response.status_code == 422
    assert "hired_on" in error_of(response)["details"][0]["problem"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"hired_on=2020-03-01", b"[" * 30_000])
async def test_a_body_that_is_not_json_is_400(client: httpx.AsyncClient, content: bytes) -> None:
    response = await client.post(f"{URL}/severance", content=content)
    assert response.status_code == 400
    assert error_of(response)["code"] == "bad_request"


@pytest.mark.parametrize(
    "content",
    [b'{"\\ud800": 1}', b'{"average_wage": NaN}', b'{"average_wage": 1e999}', b'{"average_wage": "\\ud800"}'],
)
async def test_json_that_hardly_is_one_is_422(client: httpx.AsyncClient, content: bytes) -> None:
    response = await client.post(f"{URL}/severance", content=content)
    assert response.status_code == 422
    error_of(response)


@pytest.mark.parametrize("name", ["lottery", "..", "Severance", "severance%20", "x" * 300])
async def test_no_such_calculator_is_404(client: httpx.AsyncClient, name: str) -> None:
    for response in (await client.get(f"{URL}/{name}"), await client.post(f"{URL}/{name}", json={})):
        assert response.status_code in (404, 422)
        error_of(response)


async def test_a_body_above_the_limit_is_413(client: httpx.AsyncClient) -> None:
    response = await client.post(f"{URL}/severance", content=b" " * 100_000)
    assert response.status_code == 413
    error_of(response)


async def test_an_address_that_asks_too_often_waits_and_another_does_not(
    settings: Settings, database: Database, script: Script, clock: FixedClock
) -> None:
    few = dataclasses.replace(settings, rate_calculations_per_minute=2)
    app = create_app(few, dialogue=FakeDialogue(script), clock=clock)
    async with (
        app.router.lifespan_context(app),
        new_client(app) as one,
        new_client(app, "198.51.100.9") as other,
    ):
        answers = [await one.post(f"{URL}/severance", json=SEVERANCE) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await other.post(f"{URL}/severance", json=SEVERANCE)).status_code == 200
        assert (await one.get(URL)).status_code == 200


async def test_nothing_that_is_sent_is_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.post(f"{URL}/severance", json=SEVERANCE | {"average_wage": 8123.45})
    await client.post(f"{URL}/severance", json=SEVERANCE | {"average_wage": "8123,45"})
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert "8123" not in "\n".join(lines)


async def test_the_documentation_shows_the_examples(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    body = schema["paths"]["/api/v1/calculators/{name}"]["post"]["requestBody"]
    assert set(body["content"]["application/json"]["examples"]) == set(EXAMPLES)
    assert "average_wage" in (await client.get("/docs")).text

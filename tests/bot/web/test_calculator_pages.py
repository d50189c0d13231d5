"""The calculators' pages: a form without script, articles with every step, mistakes at their field."""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import Any

import httpx
import pytest

from bot.app import create_app
from bot.house import House
from bot.web.calculator_form import form_of, read_posted
from casework.clock import FixedClock
from casework.database import Database
from casework.entitlements.examples import EXAMPLES
from casework.settings import Settings
from tests.bot.api.conftest import new_client
from tests.bot.fakes import FakeDialogue, Script

SEVERANCE = {"hired_on": "2020-03-01", "left_on": "2026-05-31", "average_wage": "6000", "district": "历下区"}


async def post(client: httpx.AsyncClient, name: str, **fields: str) -> httpx.Response:
    """Send a form as a browser does."""
    return await client.post(f"/calculators/{name}", data=fields)


async def test_the_list_leads_to_every_calculator(client: httpx.AsyncClient, house: House) -> None:
    page = (await client.get("/calculators")).text
    for name in house.entitlements.names:
        assert f'href="/calculators/{name}"' in page
        assert house.entitlements.words[name].label in page


async def test_every_form_asks_for_every_input_by_its_question_and_needs_no_script(
    client: httpx.AsyncClient, house: House
) -> None:
    for name, words in house.entitlements.words.items():
        page = (await client.get(f"/calculators/{name}")).text
        for field, said in words.inputs.items():
            assert re.search(rf'name="{field}(\.0(\.\w+)?)?"', page), f"{name}.{field}"
            assert said.question in page
        assert page.count("<script") == 1  # print.js, a module of our own
        assert "style=" not in page
        assert "onclick" not in page


def form_fields(value: Any, name: str) -> dict[str, str]:
    """An input as a browser posts it."""
    if isinstance(value, bool):
        return {name: "yes" if value else "no"}
    if isinstance(value, list):
        return {k: v for i, one in enumerate(value) for k, v in form_fields(one, f"{name}.{i}").items()}
    if isinstance(value, dict):
        return {k: v for part, one in value.items() for k, v in form_fields(one, f"{name}.{part}").items()}
    return {name: str(value)}


@pytest.mark.parametrize("name", list(EXAMPLES))
async def test_a_filled_form_gives_what_the_api_gives(client: httpx.AsyncClient, name: str) -> None:
    fields = {k: v for field, value in EXAMPLES[name].items() for k, v in form_fields(value, field).items()}
    result = (await client.post(f"/api/v1/calculators/{name}", json=dict(EXAMPLES[name]))).json()
    response = await post(client, name, **fields)
    assert response.status_code == 200
    for step in result["steps"]:
        assert step["text"].replace('"', "&#34;") in response.text
    for warning in result["warnings"]:
        assert warning in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_the_result_shows_amount_steps_articles_and_that_it_is_an_estimate(
    client: httpx.AsyncClient,
) -> None:
    page = (await post(client, "severance", **SEVERANCE)).text
    for shown in (
        "39,000 元",
        "估算，不作裁判依据",
        "《中华人民共和国劳动合同法》第四十七条",
        "核对于 2025年4月30日",
        '<ol class="worked">',
        "data-print",
        'href="tel:12351"',
    ):
        assert shown in page, shown


async def test_the_form_keeps_what_was_entered(client: httpx.AsyncClient) -> None:
    page = (await post(client, "severance", **SEVERANCE)).text
    assert 'value="2020-03-01"' in page
    assert 'value="6000"' in page
    assert '<option value="历下区" selected>' in page


async def test_what_is_missing_is_asked_for_and_marked(client: httpx.AsyncClient) -> None:
    response = await post(client, "severance", hired_on="2020-03-01")
    assert response.status_code == 200
    assert "还差几样" in response.text
    assert 'href="#f-average_wage"' in response.text
    assert response.text.count("field wanted") == 2


async def test_a_mistake_is_said_at_its_field_and_nothing_entered_is_lost(client: httpx.AsyncClient) -> None:
    response = await post(client, "severance", **SEVERANCE | {"average_wage": "八千"})
    assert response.status_code == 422
    assert "有 1 处要改一下" in response.text
    assert 'aria-describedby="f-average_wage-tip f-average_wage-problem" aria-invalid="true"' in response.text
    assert 'id="f-average_wage-problem">请只填阿拉伯数字' in response.text
    assert 'value="八千"' in response.text
    assert 'value="2020-03-01"' in response.text


async def test_a_mistake_in_a_row_is_said_at_that_row(client: httpx.AsyncClient) -> None:
    fields = {"amounts.0": "12000", "amounts.2": "三万", "district": "历下区"}
    response = await post(client, "single_award", **fields)
    assert response.status_code == 422
    assert 'id="f-amounts-2-problem"' in response.text
    assert "f-amounts-1-problem" not in response.text


async def test_full_width_digits_count(client: httpx.AsyncClient) -> None:
    page = (await post(client, "severance", **SEVERANCE | {"average_wage": " ６０００ "})).text
    assert "39,000 元" in page


async def test_yes_no_and_not_sure_are_three_things(client: httpx.AsyncClient) -> None:
    answered = {"matter": "wages", "migrant_worker": "yes", "on_relief": "no"}
    assert "还差几样" not in (await post(client, "legal_aid_precheck", **answered)).text
    unsure = await post(client, "legal_aid_precheck", **answered | {"migrant_worker": ""})
    assert "还差几样" in unsure.text


async def test_what_was_entered_is_escaped(client: httpx.AsyncClient) -> None:
    page = (await post(client, "severance", average_wage='"><script>alert(1)</script>')).text
    assert "<script>alert" not in page


async def test_a_foreign_field_is_ignored_and_an_unknown_calculator_is_404(client: httpx.AsyncClient) -> None:
    assert (await post(client, "severance", **SEVERANCE, csrf="x")).status_code == 200
    for response in (await client.get("/calculators/lottery"), await post(client, "lottery")):
        assert response.status_code == 404
        assert "没有这一项计算" in response.text


async def test_nothing_entered_is_logged(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await post(client, "severance", **SEVERANCE | {"average_wage": "8123.45"})
    await post(client, "severance", **SEVERANCE | {"average_wage": "8123,45"})
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert "8123" not in "\n".join(lines)


async def test_who_asks_too_often_is_told_to_wait_and_keeps_the_form(
    settings: Settings, database: Database, script: Script, clock: FixedClock
) -> None:
    few = dataclasses.replace(settings, rate_calculations_per_minute=1)
    app = create_app(few, dialogue=FakeDialogue(script), clock=clock)
    async with app.router.lifespan_context(app), new_client(app) as client:
        assert (await post(client, "severance", **SEVERANCE)).status_code == 200
        response = await post(client, "severance", **SEVERANCE)
    assert response.status_code == 429
    assert "秒后再试" in response.text
    assert 'value="6000"' in response.text


async def test_the_member_page_leads_to_the_calculators(client: httpx.AsyncClient) -> None:
    assert 'href="/calculators"' in (await client.get("/")).text
    for path in ("sheet.css", "print.js"):
        assert (await client.get(f"/static/{path}")).status_code == 200


async def test_an_empty_form_gives_no_inputs_and_blank_rows_leave_no_gap(house: House) -> None:
    words = house.entitlements.words["single_award"].inputs
    schema = house.entitlements.schema("single_award")
    form = form_of(schema, words, house.knowledge.districts.names, house.wording)
    assert read_posted(form, {}).inputs == {}
    posted = read_posted(form, {"amounts.1": "5", "amounts.3": "７"})
    assert posted.inputs == {"amounts": ["5", "7"]}
    assert posted.cells["amounts.1"] == "amounts.3"

"""Knowledge at the desk: written, looked at, handed to a second person, served, and taken back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from bot.desk.knowledge import SHOWS
from bot.desk.knowledge_form import do_row_deed
from bot.house import House
from casework import article_versions
from casework.article_data import as_data
from casework.articles import ASPECTS
from casework.published import current_knowledge
from casework.tables import ArticleVersion, StaffRole, VersionState
from tests.bot.desk.conftest import DeskClient, SignIn

TOPIC = "heat.allowance"
EDIT = f"/desk/knowledge/{TOPIC}/edit"
NEW = "新写的简短回答。"
HOME = Path(__file__).parents[3]
Form = dict[str, Any]


def typed(house: House, deed: str = "save", **values: Any) -> Form:
    """The form as a browser sends it, with what ships in it."""
    data = as_data(house.knowledge.articles[TOPIC])
    form: Form = {name: data.get(name, "") for name in ("title", "label", "mark", "district", "reviewer")}
    form |= {
        name: data.get(name, "") for name in ("reviewed_on", "valid_from", "valid_to", "short", "case_type")
    }
    for name in ("aspect", "mark", "text"):
        form[f"section_{name}"] = [row[name] for row in data["sections"]]
    for name in ("title", "issuer", "article", "as_of", "mark"):
        form[f"source_{name}"] = [row.get(name, "") for row in data["sources"]]
    form |= {"questions": "\n".join(data.get("questions", [])), "related": data["related"]}
    for name in ("opens", "closes", "closed_note"):
        form[f"season_{name}"] = data.get("season", {}).get(name, "")
    form["season_aspects"] = data.get("season", {}).get("aspects", [])
    return form | {"deed": deed, "note": "换了说法"} | values


async def the_version(house: House) -> ArticleVersion:
    async with house.database.read() as session:
        found = list(await session.scalars(select(ArticleVersion).order_by(ArticleVersion.number.desc())))
    return found[0]


async def served(house: House) -> str:
    async with house.database.read() as session:
        return (await current_knowledge(session, house.knowledge)).articles[TOPIC].short


async def proposed(house: House, author: DeskClient, short: str = NEW) -> str:
    answer = await author.post(EDIT, data=typed(house, "propose", short=short))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["location"]).partition("?")[0]


async def test_what_ships_goes_through_the_form_unchanged(desk_client: SignIn, house: House) -> None:
    author = await desk_client(StaffRole.SUPERVISOR)
    answer = await author.post(EDIT, data=typed(house, "propose"))
    assert answer.status_code == 422
    assert "一字不差" in answer.text
    await author.post(EDIT, data=typed(house))
    stored = (await the_version(house)).content
    assert article_versions.examine_for(house.knowledge, stored).article == house.knowledge.articles[TOPIC]


@pytest.mark.parametrize("role", StaffRole)
async def test_everybody_at_the_desk_reads_the_knowledge(desk_client: SignIn, role: StaffRole) -> None:
    browser = await desk_client(role)
    listed = await browser.page("/desk/knowledge")
    assert listed.status_code == 200
    assert "防暑降温费" in listed.text
    shown = await browser.page(f"/desk/knowledge/{TOPIC}")
    assert "以当年官方公布/窗口答复为准" in shown.text
    assert "山东省人力资源和社会保障厅" in shown.text
    may_edit = role in (StaffRole.SUPERVISOR, StaffRole.ADMIN)
    assert (EDIT in shown.text) == may_edit
    assert (await browser.page(EDIT)).status_code == (200 if may_edit else 403)
    assert (await browser.page("/desk/knowledge/no.topic")).status_code == 404


async def test_two_people_publish_and_the_way_back_is_two_people_too(
    desk_client: SignIn, house: House
) -> None:
    author, second = await desk_client(StaffRole.SUPERVISOR), await desk_client(StaffRole.ADMIN)
    version = await proposed(house, author)
    own = (await author.page(version)).text
    assert "自己写的不能自己同意" in own
    assert "/approve" not in own
    assert (await author.post(f"{version}/approve")).status_code == 403
    assert (await served(house)) != NEW
    waiting = await second.page("/desk/knowledge/proposals")
    assert version in waiting.text
    shown = (await second.page(version)).text
    assert "<ins>" in shown
    assert NEW in shown
    agreed = await second.post(f"{version}/approve", data={"seen": ""})
    assert agreed.json()["location"] == f"/desk/knowledge/{TOPIC}?done=approved"
    assert await served(house) == NEW
    assert "第 1 版" in (await second.page("/desk/knowledge?show=changed")).text
    await author.post(f"{version}/retire", data={"reason": "标准变了"})
    assert await served(house) != NEW
    again = await second.post(f"{version}/restore", data={"note": "还是它对"})
    assert await served(house) != NEW
    location = again.json()["location"].partition("?")[0]
    assert (await author.post(f"{location}/approve", data={"seen": ""})).status_code == 200
    assert await served(house) == NEW


async def test_a_refusal_needs_its_reason_and_shows_it_to_the_author(
    desk_client: SignIn, house: House
) -> None:
    author, second = await desk_client(StaffRole.SUPERVISOR), await desk_client(StaffRole.SUPERVISOR)
    version = await proposed(house, author)
    empty = await second.post(f"{version}/refuse", data={"reason": " "})
    assert empty.status_code == 422
    assert "请写明理由" in empty.text
    await second.post(f"{version}/refuse", data={"reason": "出处没写清"})
    assert "出处没写清" in (await author.page(version)).text
    assert "出处没写清" in (await author.page(f"/desk/knowledge/{TOPIC}")).text


async def test_nothing_typed_is_lost_and_every_fault_stands_at_its_field(
    desk_client: SignIn, house: House
) -> None:
    author = await desk_client(StaffRole.SUPERVISOR)
    form = typed(house, "propose", short="长" * 130, reviewed_on="去年", note="我写的说明")
    form["source_issuer"] = ["", *form["source_issuer"][1:]]
    form["section_text"] = ["打 0531-86012345 问", *form["section_text"][1:]]
    answer = await author.post(EDIT, data=form)
    assert answer.status_code == 422
    for kept in ("长" * 130, "我写的说明", "打 0531-86012345 问", 'value="去年"'):
        assert kept in answer.text
    assert 'id="reviewed_on-error"' in answer.text
    assert 'id="sources.0.issuer-error"' in answer.text
    assert "最多 120 个字" in answer.text
    assert "像是本地电话号码" in answer.text


async def test_the_longest_article_the_rules_allow_can_be_sent(desk_client: SignIn, house: House) -> None:
    author = await desk_client(StaffRole.SUPERVISOR)
    assert 'enctype="multipart/form-data"' in (await author.page(EDIT)).text
    form = typed(house, "propose")
    form |= {"section_aspect": list(ASPECTS), "section_mark": ["V+"] * len(ASPECTS)}
    form["section_text"] = ["长" * 600] * len(ASPECTS)
    parts = [
        (name, (None, value))
        for name, values in form.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    answer = await author.post(EDIT, files=parts)
    assert answer.status_code == 200, answer.text
    assert len((await the_version(house)).content["sections"]) == len(ASPECTS)


async def test_a_draft_is_ones_own_and_can_be_thrown_away(desk_client: SignIn, house: House) -> None:
    author, other = await desk_client(StaffRole.SUPERVISOR), await desk_client(StaffRole.SUPERVISOR)
    await author.post(EDIT, data=typed(house, short=""))
    draft = await the_version(house)
    assert draft.state is VersionState.DRAFT
    assert "扔掉草稿" in (await author.page(EDIT)).text
    assert "扔掉草稿" not in (await other.page(EDIT)).text
    assert (await other.page(f"/desk/knowledge/versions/{draft.id}")).status_code == 404
    await author.post(f"/desk/knowledge/{TOPIC}/discard")
    assert "扔掉草稿" not in (await author.page(EDIT)).text


async def test_who_wrote_while_another_published_is_told(desk_client: SignIn, house: House) -> None:
    author, second = await desk_client(StaffRole.SUPERVISOR), await desk_client(StaffRole.ADMIN)
    await author.post(EDIT, data=typed(house, short="写到一半。"))
    assert "在用的换过了" not in (await author.page(EDIT)).text
    version = await proposed(house, second)
    await author.post(f"{version}/approve", data={"seen": ""})
    assert "在用的换过了" in (await author.page(EDIT)).text


async def test_who_would_publish_too_early_is_told(desk_client: SignIn, house: House) -> None:
    author, second = await desk_client(StaffRole.SUPERVISOR), await desk_client(StaffRole.ADMIN)
    answer = await author.post(EDIT, data=typed(house, "propose", valid_from="2999-01-01"))
    shown = await second.page(answer.json()["location"])
    assert "施行日期还没到（2999-01-01）" in shown.text


async def test_a_look_saves_nothing_and_shows_how_members_read_it(desk_client: SignIn, house: House) -> None:
    author = await desk_client(StaffRole.SUPERVISOR)
    answer = await author.post(EDIT, data=typed(house, "look", short=NEW))
    assert answer.status_code == 200
    assert f'<p class="admin-preview">{NEW}' in answer.text
    assert "没有要改的地方" in answer.text
    async with house.database.read() as session:
        assert await session.scalar(select(ArticleVersion)) is None


async def test_rows_are_added_moved_and_taken_away_without_a_script(
    desk_client: SignIn, house: House
) -> None:
    author = await desk_client(StaffRole.SUPERVISOR)
    rows = len(house.knowledge.articles[TOPIC].sections)
    added = (await author.post(EDIT, data=typed(house, "sections:add"))).text
    assert added.count('name="section_text"') == rows + 1
    assert f'id="sections.{rows}.aspect" name="section_aspect" autofocus' in added
    removed = (await author.post(EDIT, data=typed(house, "sources:remove:0"))).text
    assert "鲁人社字〔2021〕64号" not in removed


def test_moving_a_row_keeps_every_other() -> None:
    data: dict[str, Any] = {"sections": [{"text": text} for text in "abc"]}
    assert do_row_deed(data, "sections:down:0") == "sections.1"
    assert [row["text"] for row in data["sections"]] == ["b", "a", "c"]
    for nothing in (
        "sections:up:0",
        "sections:down:2",
        "sections:remove:9",
        "sections:up:x",
        "other:up:1",
        "save",
    ):
        do_row_deed(data, nothing)
    assert [row["text"] for row in data["sections"]] == ["b", "a", "c"]
    assert do_row_deed(data, "sections:remove:2") == "sections.1"


async def test_an_article_is_exported_as_a_file_that_reads_the_same(
    desk_client: SignIn, house: House
) -> None:
    browser = await desk_client(StaffRole.AGENT)
    answer = await browser.get(f"/desk/knowledge/{TOPIC}/export.yml")
    assert 'filename="heat_allowance.yml"' in answer.headers["content-disposition"]
    content = yaml.safe_load(answer.text)
    assert content["topic"] == TOPIC
    assert {**as_data(house.knowledge.articles[TOPIC])}.keys() == content.keys()


async def test_the_list_is_narrowed_and_searched(desk_client: SignIn, house: House) -> None:
    browser = await desk_client(StaffRole.SUPERVISOR)
    for show in SHOWS:
        assert (await browser.page(f"/desk/knowledge?show={show}")).status_code == 200
    seasonal = (await browser.page("/desk/knowledge?show=seasonal")).text
    assert "/desk/knowledge/tuition.aid" in seasonal
    assert f"/desk/knowledge/{TOPIC}" not in seasonal
    assert "没有找到" in (await browser.page("/desk/knowledge?q=根本没有这句")).text


def test_every_rule_every_aspect_and_every_field_has_its_words_for_staff() -> None:
    words = (HOME / "bot/desk/templates/knowledge/words.html").read_text(encoding="utf-8")
    code = "".join(
        (HOME / "casework" / name).read_text(encoding="utf-8")
        for name in ("article_rules.py", "article_data.py")
    )
    rules = set(re.findall(r'(?:Fault|_fault)\([^,()]+, "([a-z_]+)"', code))
    assert len(rules) > 12
    assert {rule for rule in rules if f'"{rule}": ' not in words} == set()
    assert {aspect for aspect in ASPECTS if f'"{aspect}": ' not in words} == set()

"""One contract for the real dialogue client and the fake the other tests use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from bot.dialogue import (
    DialogueClient,
    DialogueDown,
    DialogueError,
    DialogueNonsense,
    DialogueTimeout,
    RasaDialogue,
    Utterance,
    rasa_client,
)
from casework.settings import Settings
from tests.bot.fakes import (
    ACTIONS_HEALTH,
    INTERNAL_TOKEN,
    FakeDialogue,
    RasaStub,
    Script,
    Trouble,
    say,
    stubbed_rasa,
    understand,
)

UTTERANCE = Utterance(
    conversation_id="c1", message_id=17, text="俺干了仨月没给钱", channel="web", as_of=date(2026, 7, 20)
)

FAILURES = [
    (Trouble.DOWN, DialogueDown),
    (Trouble.ERROR, DialogueDown),
    (Trouble.HANGING, DialogueTimeout),
    (Trouble.SILENT, DialogueNonsense),
    (Trouble.GARBAGE, DialogueNonsense),
]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(params=[stubbed_rasa, FakeDialogue])
def dialogue(request: pytest.FixtureRequest, script: Script) -> DialogueClient:
    make: Callable[[Script], DialogueClient] = request.param
    return make(script)


async def test_an_answer_arrives_with_its_buttons_topic_and_sources(
    dialogue: DialogueClient, script: Script
) -> None:
    expected = say(
        "先说结论。", "要登记吗？", topic="labour.wage_arrears", buttons=(("登记", "/request_case"),)
    )
    script.will_say(expected)
    assert await dialogue.reply(UTTERANCE) == expected


async def test_the_dialogue_hears_the_words_and_the_day_they_are_counted_from(
    dialogue: DialogueClient, script: Script
) -> None:
    await dialogue.reply(UTTERANCE)
    assert script.heard == [UTTERANCE]


@pytest.mark.parametrize(("trouble", "error"), FAILURES)
async def test_every_trouble_of_a_reply_has_its_own_error(
    dialogue: DialogueClient, script: Script, trouble: Trouble, error: type[DialogueError]
) -> None:
    script.will_say(trouble)
    with pytest.raises(error) as caught:
        await dialogue.reply(UTTERANCE)
    assert UTTERANCE.text not in str(caught.value)


@pytest.mark.parametrize(
    ("trouble", "error"), [failure for failure in FAILURES if failure[0] is not Trouble.SILENT]
)
async def test_every_trouble_of_a_reading_has_its_own_error(
    dialogue: DialogueClient, script: Script, trouble: Trouble, error: type[DialogueError]
) -> None:
    script.will_read(trouble)
    with pytest.raises(error):
        await dialogue.parse("俺不想活了", date(2026, 7, 20))


async def test_a_reading_says_the_intent_and_whether_it_is_accepted(
    dialogue: DialogueClient, script: Script
) -> None:
    script.will_read(understand("crisis_self_harm", 0.91))
    reading = await dialogue.parse("俺不想活了", date(2026, 7, 20))
    assert (reading.intent, reading.confidence, reading.accepted) == ("crisis_self_harm", 0.91, True)
    assert script.read == ["俺不想活了"]


async def test_a_reading_brings_the_other_guesses_along(dialogue: DialogueClient, script: Script) -> None:
    guesses = (("ask_leave", 0.4), ("ask_overtime", 0.3))
    script.will_read(understand("ask_leave", 0.4, accepted=False).model_copy(update={"guesses": guesses}))
    assert (await dialogue.parse("调休咋算", date(2026, 7, 20))).guesses == guesses


@pytest.mark.parametrize("well", [True, False])
async def test_health_tells_whether_the_dialogue_answers(
    dialogue: DialogueClient, script: Script, well: bool
) -> None:
    script.well = well
    assert await dialogue.health() == {"rasa": well, "actions": well}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"messages": [{"text": ""}]}',
        b'{"messages": [{"text": 7}]}',
        b'{"messages": [{"text": "a", "buttons": [{"title": "x"}]}]}',
        b'{"messages": [{"text": "a", "custom": {"sources": [{"article": "1"}]}}]}',
        b'{"messages": "a"}',
        b"\xff\xfe",
    ],
)
async def test_a_body_that_breaks_the_contract_is_nonsense_and_is_not_quoted(body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body)

    client = httpx.AsyncClient(base_url="http://rasa.invalid", transport=httpx.MockTransport(answer))
    with pytest.raises(DialogueNonsense) as caught:
        await RasaDialogue(client, INTERNAL_TOKEN, 1.0, ACTIONS_HEALTH).reply(UTTERANCE)
    assert caught.value.__cause__ is None


async def test_a_message_without_words_is_left_out() -> None:
    body = {"messages": [{"text": " ", "custom": {"topic": "x"}}, {"text": "好"}, {"text": ""}]}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(body))

    client = httpx.AsyncClient(base_url="http://rasa.invalid", transport=httpx.MockTransport(answer))
    reply = await RasaDialogue(client, INTERNAL_TOKEN, 1.0, ACTIONS_HEALTH).reply(UTTERANCE)
    assert [said.text for said in reply.messages] == ["好"]


async def test_what_rasa_adds_later_is_ignored() -> None:
    body = {"messages": [{"text": "好", "image": None, "buttons": []}], "timing": {"ms": 3}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(body))

    client = httpx.AsyncClient(base_url="http://rasa.invalid", transport=httpx.MockTransport(answer))
    reply = await RasaDialogue(client, INTERNAL_TOKEN, 1.0, ACTIONS_HEALTH).reply(UTTERANCE)
    assert [said.text for said in reply.messages] == ["好"]


async def test_a_wrong_internal_token_is_a_dialogue_that_is_down(script: Script) -> None:
    client = httpx.AsyncClient(
        base_url="http://rasa.invalid", transport=httpx.ASGITransport(app=RasaStub(script))
    )
    with pytest.raises(DialogueDown, match="401"):
        await RasaDialogue(client, "another token", 1.0, ACTIONS_HEALTH).reply(UTTERANCE)
    assert script.heard == []


async def test_the_client_talks_to_this_machine_only_and_asks_no_proxy(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    async with rasa_client(settings) as client:
        assert str(client.base_url) == "http://127.0.0.1:5005"
        assert client.trust_env is False


def replicas(*statuses: int | None) -> tuple[RasaDialogue, list[list[dict[str, object]]]]:
    """A dialogue with one replica for each status (None: it cannot be reached), and what each was asked."""
    asked: list[list[dict[str, object]]] = [[] for _ in statuses]

    def replica(number: int, status: int | None) -> httpx.AsyncClient:
        def answer(request: httpx.Request) -> httpx.Response:
            if status is None:
                raise httpx.ConnectError("refused")
            if request.method == "POST":
                asked[number].append(json.loads(request.content))
            return httpx.Response(status, json={"messages": [{"text": f"replica {number}"}]})

        return httpx.AsyncClient(
            base_url=f"http://rasa{number}.invalid", transport=httpx.MockTransport(answer)
        )

    clients = [replica(number, status) for number, status in enumerate(statuses)]
    return RasaDialogue(clients, INTERNAL_TOKEN, 1.0, ACTIONS_HEALTH), asked


def said_in(conversation_id: str) -> Utterance:
    return Utterance(conversation_id, 17, "俺干了仨月没给钱", "web", date(2026, 7, 20))


async def test_a_conversation_stays_with_one_replica_and_all_replicas_have_some() -> None:
    dialogue, asked = replicas(200, 200)
    for _ in range(2):
        for number in range(20):
            await dialogue.reply(said_in(f"c{number}"))
    first, second = ({str(body["sender"]) for body in bodies} for bodies in asked)
    assert first & second == set()
    assert min(len(first), len(second)) > 3


@pytest.mark.parametrize("broken", [None, 503])
async def test_where_a_replica_is_down_the_next_one_answers(broken: int | None) -> None:
    dialogue, _ = replicas(broken, 200)
    answers = [await dialogue.reply(said_in(f"c{number}")) for number in range(8)]
    assert {answer.messages[0].text for answer in answers} == {"replica 1"}


async def test_with_every_replica_down_the_dialogue_is_down() -> None:
    for statuses in ((None, None), (503, None), (500, 500)):
        with pytest.raises(DialogueDown):
            await replicas(*statuses)[0].reply(UTTERANCE)


async def test_what_a_replica_did_badly_is_not_done_again_by_another() -> None:
    dialogue, asked = replicas(500, 500)
    with pytest.raises(DialogueDown):
        await dialogue.reply(UTTERANCE)
    assert sum(map(len, asked)) == 1


async def test_the_health_of_every_replica_is_told() -> None:
    assert await replicas(200, None)[0].health() == {"rasa": True, "rasa-2": False, "actions": True}


async def test_a_share_of_the_conversations_is_on_the_canary_and_stays_there() -> None:
    dialogue, asked = replicas(200)

    async def on_it(share: int) -> set[str]:
        dialogue.canary_share = share
        asked[0].clear()
        for number in range(200):
            await dialogue.reply(said_in(f"c{number}"))
        return {str(body["sender"]) for body in asked[0] if body["metadata"]["canary"]}  # type: ignore[index]

    none, few, more = await on_it(0), await on_it(10), await on_it(50)
    assert none == set()
    assert 5 < len(few) < 40
    assert few < more
    assert 70 < len(more) < 130

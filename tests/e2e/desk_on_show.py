"""The desk with something on it: the real application over HTTP, a scripted dialogue, made-up people."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import create_app, end_streams
from casework import (
    article_versions,
    canned,
    case_links,
    conversations,
    handoff,
    messages,
    staff_sessions,
    staff_talk,
)
from casework.article_data import as_data
from casework.clock import FixedClock
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.knowledge import Knowledge
from casework.settings import Settings
from casework.tables import (
    Author,
    Case,
    CaseState,
    Channel,
    Conversation,
    Owner,
    Presence,
    Staff,
    StaffRole,
)
from tests.bench.desk_data import fill
from tests.bot.fakes import FakeDialogue, Script
from tests.claim_sheets import give_sheet
from tests.e2e.house import ROOT, free_port
from tests.e2e.workbench_on_show import furnish_workbench

KEY = bytes(range(32))
MOMENT = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)
"""Monday 2026-11-23, 10:20 in Jinan."""
KNOWLEDGE = ROOT / "data" / "knowledge"
STORY = "俺在历下区鑫达机械厂干了三个月，一分工资没发，老板还说再闹就把俺开了"


@dataclass(frozen=True)
class OnShow:
    """A running desk, and where to find things on it."""

    base_url: str
    cookie: str
    """The session of an admin who has a conversation of their own."""
    mine: str
    waiting: str
    case_number: str
    case_page: str
    version: str
    """A proposed version of an article that another wrote."""
    refused: str
    """A model version the gate refused."""
    passed: str
    """A model version that passed the gate and is the canary."""

    @property
    def pages(self) -> dict[str, str]:
        """Every page staff and members see, by the name of its picture."""
        return {
            "queue": "/desk",
            "queue-all": "/desk?tab=all",
            "conversation": f"/desk/c/{self.mine}",
            "conversation-waiting": f"/desk/c/{self.waiting}",
            "alerts": "/desk/alerts",
            "cases": "/desk/cases",
            "case": f"/desk/cases/{self.case_number}",
            "search": "/desk/search?q=%E5%B7%A5%E8%B5%84",
            "knowledge": "/desk/knowledge",
            "knowledge-article": "/desk/knowledge/heat.allowance",
            "knowledge-edit": "/desk/knowledge/heat.allowance/edit",
            "knowledge-proposals": "/desk/knowledge/proposals",
            "knowledge-version": f"/desk/knowledge/versions/{self.version}",
            "wall": "/desk/wall",
            "reports": "/desk/reports",
            "audit": "/desk/audit",
            "admin": "/desk/admin",
            "admin-staff": "/desk/admin/staff",
            "admin-teams": "/desk/admin/teams",
            "admin-canned": "/desk/admin/canned",
            "admin-desk": "/desk/admin/desk",
            "suggestions": "/desk/suggestions",
            "wb-inbox": "/workbench",
            "wb-inbox-second": "/workbench?list=second",
            "wb-inbox-disputed": "/workbench?list=disputed",
            "wb-examples": "/workbench/examples",
            "wb-example": "/workbench/examples/ask_wage_arrears?order=new",
            "wb-history": "/workbench/examples/history",
            "wb-lint": "/workbench/lint",
            "wb-train": "/workbench/train",
            "wb-models": "/workbench/models",
            "wb-model-refused": f"/workbench/models/{self.refused}",
            "wb-model": f"/workbench/models/{self.passed}",
            "wb-figures": "/workbench/figures?start=2026-11-10&end=2026-11-23",
            "profile": "/desk/profile",
            "password": "/desk/profile/password",
            "error": "/desk/c/nothing-here",
            "member-case": self.case_page,
        }

    @property
    def open_pages(self) -> dict[str, str]:
        """Pages seen without being signed in."""
        return {"login": "/desk/login"}


@contextmanager
def desk_on_show(folder: Path, *, cases: int = 300, talks: int = 40) -> Iterator[OnShow]:
    """Fill a database and serve it on a free port from a process of its own, which ends with this."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.desk_on_show", str(folder), str(cases), str(talks)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the desk on show did not start")
        yield OnShow(**json.loads(line))
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


async def serve(folder: Path, cases: int, talks: int) -> None:
    """Furnish, serve, say where, and go on until standard input is closed."""
    port = free_port()
    settings = Settings.from_env(
        {
            "NIANGJIA_VAR": str(folder),
            "NIANGJIA_MODELS": str(folder / "models"),
            "NIANGJIA_INTERNAL_TOKEN": "an-internal-token-for-the-show",
            "NIANGJIA_DATA_KEY": base64.b64encode(KEY).decode(),
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
    )
    install_cipher(Cipher([KEY]))
    clock = FixedClock(MOMENT)
    shown = await _furnish(settings, clock, cases, talks, f"http://127.0.0.1:{port}")
    app = create_app(settings, dialogue=FakeDialogue(Script()), clock=clock)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.05)
    print(json.dumps(asdict(shown)), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    end_streams(app)
    server.should_exit = True
    await serving


async def _furnish(settings: Settings, clock: FixedClock, cases: int, talks: int, base_url: str) -> OnShow:
    async with _opened(settings) as database:
        await fill(database, cases, talks, 6, 7, now=MOMENT - timedelta(minutes=12))
        knowledge = Knowledge.load(KNOWLEDGE)
        async with database.transaction() as session:
            await canned.install_shipped(session, KNOWLEDGE, clock.now())
            people = list(await session.scalars(select(Staff).order_by(Staff.id)))
            for number, person in enumerate(people):
                person.display_name = ("李坐席", "王坐席", "赵坐席", "孙坐席", "周坐席", "吴坐席")[number % 6]
                person.badge = f"{number + 7:02d}"
            me = people[0]
            me.role = StaffRole.ADMIN
            people[1].role = StaffRole.SUPERVISOR
            version = await _proposal(session, people[1], clock, knowledge)
            _, token = await staff_sessions.open_session(session, me, "Chromium", clock.now(), confirmed=True)
            mine = await _my_conversation(session, me, clock, knowledge)
            for number, person in enumerate(people):
                person.presence = Presence.ONLINE if number < 4 else Presence.AWAY
                person.seen_at = MOMENT + timedelta(days=1)  # they stay while nobody's browser is open
            waiting = await session.scalar(
                select(Conversation.id).where(Conversation.owner == Owner.QUEUED).limit(1)
            )
            case = await session.scalar(
                select(Case)
                .where(Case.state == CaseState.IN_PROGRESS)
                .order_by(Case.opened_at.desc())
                .limit(1)
            )
            assert waiting is not None
            assert case is not None
            case.staff_id = me.id
            sheet = await give_sheet(session, clock.now() - timedelta(hours=2))
            sheet.case_id = case.id
            made = await furnish_workbench(session, settings, people, clock, knowledge)
            return OnShow(
                base_url=base_url,
                cookie=token,
                mine=mine,
                waiting=waiting,
                case_number=case.number,
                case_page="/case/" + case_links.case_token(case.id),
                version=version,
                refused=made["refused"],
                passed=made["passed"],
            )


async def _proposal(session: AsyncSession, author: Staff, clock: FixedClock, knowledge: Knowledge) -> str:
    """A change of an article that waits for a second person."""
    data = as_data(knowledge.articles["heat.allowance"])
    data["short"] = f"{data['short'].rstrip('。')}，缺勤的那几天不算。"
    data["sections"] = data["sections"][1:]
    version = await article_versions.propose(
        session, author, "heat.allowance", data, knowledge, clock.now(), note="示例：补一句，少一段"
    )
    return version.id


async def _my_conversation(session: object, me: Staff, clock: FixedClock, knowledge: Knowledge) -> str:
    """A conversation as a worker has it open: a story, the bot's answer, the takeover, a note."""

    assert isinstance(session, AsyncSession)
    now = clock.now() - timedelta(minutes=6)
    started = await conversations.start_conversation(session, Channel.WEB, now)
    conversation = started.conversation
    told = await messages.record_incoming(session, conversation, "1", text=STORY, now=now)
    await messages.note_understanding(
        session,
        told.message.id,
        messages.Understanding(
            "ask_wage_arrears",
            "labour.wage_arrears",
            0.93,
            True,
            {"district": "历下区", "employer": "鑫达机械厂", "months_owed": "3"},
        ),
    )
    article = knowledge.articles["labour.wage_arrears"]
    await messages.record_replies(
        session,
        conversation.id,
        [messages.Reply(article.short, topic=article.topic, buttons=[("开工单，请工会跟进", "/x")])],
        in_reply_to=told.message.id,
        author=Author.BOT,
        epoch_seen=conversation.epoch,
        now=now + timedelta(seconds=1),
    )
    wants = await messages.record_incoming(
        session, conversation, "2", text="我要找个真人", now=now + timedelta(minutes=1)
    )
    await messages.note_understanding(
        session,
        wants.message.id,
        messages.Understanding("request_human", "case.handoff", 0.97, True),
    )
    await handoff.hand_off(
        session, conversation, "member_asked", now + timedelta(minutes=1), message_id=wants.message.id
    )
    messages.finish(wants.message, now + timedelta(minutes=1))
    await give_sheet(session, now + timedelta(minutes=1), conversation=conversation)
    later = now + timedelta(minutes=3)
    await handoff.take_over(session, conversation, me, later, wording=knowledge.wording)
    await staff_talk.reply(session, conversation.id, me, "您好，我在看。有工资条或者转账记录吗？", later)
    await staff_talk.note(session, conversation.id, me, "这家厂上个月也有人投诉，先查一下旧工单", later)
    proof = await messages.record_incoming(
        session, conversation, "3", text="有微信转账截图，还有工友能作证", now=now + timedelta(minutes=5)
    )
    # Left pending, it would be read when the desk starts and come into the inbox half a minute later.
    messages.finish(proof.message, now + timedelta(minutes=5))
    return conversation.id


@contextlib.asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    try:
        await database.upgrade()
        yield database
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

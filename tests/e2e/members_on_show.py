"""The members' pages with something on them: the real application over HTTP and a made-up story (示例)."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn

from bot.app import create_app, end_streams
from bot.dialogue import Answer
from casework.claims.links import sheet_token
from casework.clock import FixedClock
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.settings import Settings
from casework.tables import Station
from tests.bot.fakes import FakeDialogue, Script, say
from tests.claim_sheets import give_sheet
from tests.e2e.house import ROOT, free_port

KEY = bytes(range(32))
MOMENT = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)
"""Monday 2026-11-23, 10:20 in Jinan."""
FACTS = {
    "district": "历下区",
    "hired_on": "2024-12-16",
    "left_on": "2026-10-31",
    "monthly_wage": "6000",
    "amount_owed": "12000",
}
STORY = (
    "（示例）我2024年12月16日进的厂，在历下区，一直没签合同，月薪6000，2026年10月31日老板让我别来了，"
    "最后两个月工资也没给，一共欠我12000元，社保也没交。"
)
ANSWER = "（示例）工资要按月发到您本人手里，老板不能拖。先把打卡、转账、聊天记录留好，再去劳动监察投诉。"
ANSWERS = {"evidence": "有微信转账记录、打卡截图和工友作证"}


class Knowing(Script):
    """A dialogue that has one answer for every question, and small talk for every button."""

    def next_answer(self, text: str) -> Answer:
        """The answer to a member's words; an echo of anything else."""
        if text.startswith("/"):
            return say("您好，有啥难处直接说。")
        return say(ANSWER, topic="labour.wage_arrears", buttons=(("开工单，请工会跟进", "/request_case"),))


@contextmanager
def members_on_show(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve on a free port from a process of its own; gives the address and the path of a claim sheet."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.members_on_show", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        base_url, _, path = process.stdout.readline().strip().partition(" ")
        if not path:
            raise RuntimeError("the members' pages on show did not start")
        yield base_url, path
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


async def serve(folder: Path) -> None:
    """Furnish, serve, say where, and go on until standard input is closed."""
    port = free_port()
    settings = Settings.from_env(
        {
            "NIANGJIA_VAR": str(folder),
            "NIANGJIA_INTERNAL_TOKEN": "an-internal-token-for-the-show",
            "NIANGJIA_DATA_KEY": base64.b64encode(KEY).decode(),
            "PORT": str(port),
        }
    )
    install_cipher(Cipher([KEY]))
    path = await _furnish(settings)
    app = create_app(settings, dialogue=FakeDialogue(Knowing()), clock=FixedClock(MOMENT))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.05)
    print(f"http://127.0.0.1:{port} {path}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    end_streams(app)
    server.should_exit = True
    await serving


async def _furnish(settings: Settings) -> str:
    database = Database(settings.database_url)
    try:
        await database.upgrade()
        async with database.transaction() as session:
            session.add(
                Station(
                    code="SAMPLE-1",
                    name="示例：历下区工会法律援助工作站",
                    kind="legal_aid",
                    district="历下区",
                    is_sample=True,
                    source="示例",
                    checked_on=date(2026, 11, 1),
                )
            )
            sheet = await give_sheet(session, MOMENT, story=STORY, facts=FACTS, answers=ANSWERS)
            return "/claims/" + sheet_token(sheet.id)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

"""``python -m tests.e2e.member_pictures``: the members' pages on a phone, for docs/images/entitlements.

The story is made up, and so is the station (示例).
"""

from __future__ import annotations

import asyncio
import base64
import io
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn
from PIL import Image

from bot.app import create_app, end_streams
from casework.claims.links import sheet_token
from casework.clock import FixedClock
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.settings import Settings
from casework.tables import Station
from tests.bot.fakes import FakeDialogue, Script
from tests.claim_sheets import give_sheet
from tests.e2e.browser import chromium
from tests.e2e.house import ROOT, free_port

KEY = bytes(range(32))
MOMENT = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)
"""Monday 2026-11-23, 10:20 in Jinan."""
FOLDER = ROOT / "docs" / "images" / "entitlements"
PHONE = {"width": 390, "height": 844}
COLOURS = 128
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
FILLED = {"hired_on": "2020-03-01", "left_on": "2026-05-31", "average_wage": "6000"}


@contextmanager
def members_on_show(folder: Path) -> Iterator[tuple[str, str]]:
    """The application on a free port of this process; gives its address and the path of a claim sheet."""
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
    path = asyncio.run(_furnish(settings))
    app = create_app(settings, dialogue=FakeDialogue(Script()), clock=FixedClock(MOMENT))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.05)
        yield f"http://127.0.0.1:{port}", path
    finally:
        end_streams(app)
        server.should_exit = True
        thread.join(30)


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
            answers = {"evidence": "有微信转账记录、打卡截图和工友作证"}
            sheet = await give_sheet(session, MOMENT, story=STORY, facts=FACTS, answers=answers)
            return "/claims/" + sheet_token(sheet.id)
    finally:
        await database.close()


def save(shot: bytes, name: str) -> None:
    """Keep a picture, in as many colours as such pages have."""
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def main() -> int:
    """Take the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        members_on_show(Path(folder)) as (base_url, path),
        chromium() as browser,
    ):
        context = browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]  # a dict of two whole numbers
            locale="zh-CN",
            device_scale_factor=2,
            is_mobile=True,
        )
        page = context.new_page()
        page.goto(base_url + path)
        save(page.screenshot(), "claim-sheet-phone")
        page.locator(".claim").nth(3).locator("summary").first.click()
        page.locator(".claim").nth(3).scroll_into_view_if_needed()
        save(page.locator(".claim").nth(3).screenshot(), "claim-phone")
        save(page.locator("[aria-labelledby=route]").screenshot(), "claim-route-phone")
        page.goto(f"{base_url}/calculators/severance")
        for name, value in FILLED.items():
            page.fill(f"[name={name}]", value)
        page.select_option("[name=district]", "历下区")
        page.click("button.go")
        save(page.locator("#result").screenshot(), "calculator-phone")
        context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.e2e.member_pictures``: the members' pages on a phone, for docs/images/entitlements.

The story is made up, and so is the station (示例).
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.e2e.browser import chromium
from tests.e2e.house import ROOT
from tests.e2e.members_on_show import members_on_show

FOLDER = ROOT / "docs" / "images" / "entitlements"
PHONE = {"width": 390, "height": 844}
FILLED = {"hired_on": "2020-03-01", "left_on": "2026-05-31", "average_wage": "6000"}
COLOURS = 128


def save(shot: bytes, name: str) -> None:
    """Keep a picture, in as many colours as such pages have."""
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def fill(page: Page, **more: str) -> None:
    """Fill in the form for severance, send it, and wait for the page that answers."""
    for name, value in (FILLED | more).items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=district]", "历下区")
    with page.expect_navigation():
        page.click("button.go")


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
        claim = page.locator(".claim", has_text="二倍工资").first
        claim.locator("summary").first.click()
        save(claim.screenshot(), "claim-phone")
        save(page.locator("[aria-labelledby=route]").screenshot(), "claim-route-phone")
        page.goto(f"{base_url}/calculators/severance")
        fill(page)
        save(page.locator("#result").screenshot(), "calculator-phone")
        context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

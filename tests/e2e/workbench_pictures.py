"""``python -m tests.e2e.workbench_pictures``: the pictures of docs/workbench-guide.md, with made-up words.

With a folder as its argument it takes every page of the workbench there instead, in every look.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.e2e.browser import chromium
from tests.e2e.desk_on_show import OnShow, desk_on_show
from tests.e2e.desk_pictures import QUALITY, ROOT
from tests.e2e.test_desk_pages import LOOKS, SIZES, settle, sign_in

MOST = 4000
"""Pixels of a page's height."""
FOLDER = ROOT / "docs" / "images" / "workbench"
PICTURES = {
    "inbox": ("wb-inbox", 960),
    "examples": ("wb-example", 1000),
    "lint": ("wb-lint", 1000),
    "train": ("wb-train", 1150),
    "gate": ("wb-model-refused", 1500),
    "models": ("wb-models", 1150),
    "figures": ("wb-figures", 2530),
}
"""Picture of the guide → the page it shows, and how many pixels of it from the top."""


def save(page: Page, file: Path) -> None:
    """What a page shows now, as a file of the kind its name says."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, **({"quality": QUALITY, "method": 6} if file.suffix == ".webp" else {}))


def take(browser: Browser, shown: OnShow) -> None:
    """The pictures of the guide."""
    context = sign_in(browser, shown, "light", "desk")
    page = context.new_page()
    for name, (where, height) in PICTURES.items():
        page.set_viewport_size({"width": 1280, "height": height})
        settle(page, shown.base_url + shown.pages[where])
        if name == "models":
            page.locator(".wb-now summary").click()
        save(page, FOLDER / f"{name}.webp")
    context.close()


def take_all(browser: Browser, shown: OnShow, folder: Path) -> None:
    """Every page of the workbench in every look, whole."""
    for scheme, size in LOOKS:
        context = sign_in(browser, shown, scheme, size)
        page = context.new_page()
        for name, path in shown.pages.items():
            if name.startswith("wb-"):
                page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]  # two whole numbers
                settle(page, shown.base_url + path)
                height = page.evaluate("document.querySelector('main').scrollHeight") + 120
                page.set_viewport_size({"width": SIZES[size]["width"], "height": min(height, MOST)})
                save(page, folder / f"{name}-{scheme}-{size}.png")
        context.close()


def main(folder: str | None = None) -> int:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as kept, desk_on_show(Path(kept)) as shown, chromium() as browser:
        if folder is None:
            take(browser, shown)
        else:
            take_all(browser, shown, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""``python -m tests.e2e.desk_pictures``: a picture of every page of the desk, for docs/desk-pictures.md.

Light and dark, at a desk (1280 × 800) and on a phone (390 × 844), with made-up people.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.e2e.browser import chromium
from tests.e2e.desk_on_show import OnShow, desk_on_show
from tests.e2e.test_desk_pages import LOOKS, settle, sign_in

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images" / "desk"
QUALITY = 60
LABELS = {
    "login": "登录", "queue": "会话列表", "queue-all": "全部会话", "conversation": "会话", "alerts": "提醒",
    "conversation-waiting": "等候中的会话", "cases": "工单列表", "case": "工单", "search": "搜索",
    "wall": "大屏", "reports": "报表", "audit": "审计", "admin": "管理", "admin-staff": "人员",
    "admin-teams": "班组", "admin-canned": "常用语", "admin-desk": "值班与承诺", "suggestions": "训练建议",
    "knowledge": "知识", "knowledge-article": "一篇知识", "knowledge-edit": "改知识",
    "knowledge-proposals": "等第二个人看的", "knowledge-version": "一版改动",
    "wb-inbox": "训练台收件箱", "wb-inbox-second": "待第二人", "wb-inbox-disputed": "有分歧",
    "wb-examples": "例句", "wb-example": "一个意图的例句", "wb-history": "例句的改动记录",
    "wb-lint": "检查例句", "wb-train": "训练", "wb-models": "模型", "wb-model-refused": "没通过质量关的版本",
    "wb-model": "通过质量关的版本", "wb-figures": "图表",
    "profile": "我的账号", "password": "改密码", "error": "出错页", "member-case": "职工看到的工单进度",
}  # fmt: skip


def take(browser: Browser, shown: OnShow) -> list[str]:
    """Take every picture; returns the pages' names in order."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = [*shown.open_pages, *shown.pages]
    for scheme, size in LOOKS:
        for signed, pages in ((False, shown.open_pages), (True, shown.pages)):
            context = sign_in(browser, shown, scheme, size, signed=signed)
            page = context.new_page()
            for name, path in pages.items():
                settle(page, shown.base_url + path)
                picture = Image.open(io.BytesIO(page.screenshot()))
                picture.save(FOLDER / f"{name}-{scheme}-{size}.webp", quality=QUALITY, method=6)
            context.close()
    return names


def write_index(names: list[str]) -> None:
    """The page that shows them all."""
    lines = [
        "# The desk in pictures",
        "",
        "Made by `python -m tests.e2e.desk_pictures`; the people are made up (示例).",
    ]
    for name in names:
        lines += ["", f"## {LABELS[name]} ({name})", ""]
        for size, width in (("desk", 420), ("phone", 150)):
            lines += [
                f'<img src="images/desk/{name}-{scheme}-{size}.webp" width="{width}" '
                f'alt="{LABELS[name]}, {scheme}, {size}">'
                for scheme in ("light", "dark")
            ]
    (ROOT / "docs" / "desk-pictures.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Take the pictures and write their index."""
    with tempfile.TemporaryDirectory() as folder, desk_on_show(Path(folder)) as shown, chromium() as browser:
        names = take(browser, shown)
    write_index(names)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""LibreOffice opens every draft, and what it prints has the draft's mark, page numbers and yellow blanks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest

from casework.documents import Person, draft_context, names, to_docx
from tests.casework.documents.drafts import TODAY, hurt, staying, three_claims

NOTICE = "草稿，须经法律援助律师核对后使用"
A4 = (595, 842)
MOST_PAGES = 6
YELLOW = np.array([255, 242, 168])
SHEETS = {
    "arbitration_application": three_claims,
    "evidence_list": three_claims,
    "wage_demand": three_claims,
    "forced_termination_notice": staying,
    "work_injury_points": hurt,
    "legal_aid_points": three_claims,
}

pytestmark = [
    pytest.mark.office,
    pytest.mark.skipif(
        shutil.which("soffice") is None and os.environ.get("NIANGJIA_REQUIRE_OFFICE") != "1",
        reason="LibreOffice is not installed",
    ),
]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every draft as a PDF of its own, made by one LibreOffice with a profile of its own."""
    folder = tmp_path_factory.mktemp("office")
    for name, make in SHEETS.items():
        made = to_docx(name, draft_context(name, make(), Person("示例", None), TODAY))
        (folder / f"{name}.docx").write_bytes(made)
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{folder / 'profile'}",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(folder),
            *(str(path) for path in sorted(folder.glob("*.docx"))),
        ],
        check=True,
        capture_output=True,
        timeout=110,
    )
    return folder


@pytest.fixture
def pdf(printed: Path, request: pytest.FixtureRequest) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(printed / f"{request.param}.pdf")
    yield document
    document.close()


def test_every_draft_is_printed() -> None:
    assert {kind.name for kind in names()} == SHEETS.keys()


@pytest.mark.parametrize("pdf", SHEETS, indirect=True)
def test_every_page_is_a4_marked_as_a_draft_and_numbered(pdf: pypdfium2.PdfDocument) -> None:
    pages = len(pdf)
    assert 2 <= pages <= MOST_PAGES
    for number, page in enumerate(pdf, 1):
        assert tuple(round(side) for side in page.get_size()) == A4
        text = "".join(page.get_textpage().get_text_range().split())
        assert NOTICE in text
        assert f"第{number}页共{pages}页" in text
        assert len(text) > len(NOTICE) + 40, "a page with nothing on it"


@pytest.mark.parametrize("pdf", SHEETS, indirect=True)
def test_the_first_page_shows_yellow_blanks(pdf: pypdfium2.PdfDocument) -> None:
    picture = pdf[0].render(scale=1).to_numpy()[:, :, ::-1][:, :, :3].astype(int)
    yellow = (np.abs(picture - YELLOW).max(axis=2) < 8).sum()
    assert yellow > 500


@pytest.mark.parametrize("pdf", ["arbitration_application"], indirect=True)
def test_the_page_for_the_lawyer_can_be_taken_out(pdf: pypdfium2.PdfDocument) -> None:
    texts = ["".join(page.get_textpage().get_text_range().split()) for page in pdf]
    begins = next(number for number, text in enumerate(texts) if "核对页" in text)
    assert begins > 0
    assert texts[begins].removeprefix(NOTICE).startswith("核对页")
    assert "申请人（签名）" in texts[begins - 1] or "申请书副本" in texts[begins - 1]

"""The templates in the repository are what the wording builds."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from docxtpl import DocxTemplate
from lxml import etree

from casework.documents import draft_context, names
from casework.documents.layout import build, write
from casework.documents.words import ROOT, Block, book
from casework.errors import KnowledgeError
from tests.casework.documents.drafts import TODAY, three_claims

ALL = tuple(kind.name for kind in names())


def parts(docx: bytes) -> dict[str, bytes]:
    """A Word file's parts, XML without accidents of writing."""
    with zipfile.ZipFile(io.BytesIO(docx)) as file:
        return {
            name: etree.tostring(etree.fromstring(file.read(name)), method="c14n")
            for name in file.namelist()
            if name.endswith((".xml", ".rels"))
        }


@pytest.mark.parametrize("name", ALL)
def test_a_template_is_what_its_wording_builds(name: str) -> None:
    built = build(book().documents[name])
    assert parts((ROOT / f"{name}.docx").read_bytes()) == parts(built), (
        "run python -m casework.documents.layout"
    )


def test_there_is_a_template_for_each_wording_and_no_other(tmp_path: Path) -> None:
    written = write(tmp_path)
    assert sorted(path.name for path in ROOT.glob("*.docx")) == sorted(path.name for path in written)


@pytest.mark.parametrize("name", ALL)
def test_a_template_asks_for_nothing_the_draft_does_not_give(name: str) -> None:
    context = draft_context(name, three_claims(), None, TODAY)
    template = DocxTemplate(ROOT / f"{name}.docx")
    assert template.get_undeclared_template_variables() <= context.keys()


def test_every_blank_has_a_use() -> None:
    known = book()

    def places(block: Block) -> set[str]:
        texts = [block.text] if block.text is not None else []
        texts += [said for row in block.rows for _, said in row]
        return {place for text in texts for place in text.places}

    used = {place for line in known.common.story for place in line.text.places}
    for document in known.documents.values():
        used |= {place for text in document.items.values() for place in text.places}
        used |= {place for line in document.advice for place in line.text.places}
        used |= {place for block in document.blocks for place in places(block)}
    assert known.common.blanks.keys() <= used


def test_every_kind_of_proof_says_what_it_shows() -> None:
    from tests.claim_sheets import claims

    proof = {kind for right in claims().words.rights.values() for group in right.proof for kind in group}
    assert proof <= book().common.proof.keys()


def test_every_right_is_asked_for_or_explained() -> None:
    from tests.claim_sheets import claims

    rights = claims().words.rights.keys()
    application = book().documents["arbitration_application"]
    assert application.items.keys() | application.elsewhere.keys() == rights
    assert book().documents["legal_aid_points"].items.keys() == rights


def test_every_condition_speaks_of_something_there_is() -> None:
    from tests.claim_sheets import claims

    known = claims()
    said = {f"is:{code}" for code in known.circumstances.codes}
    said |= {f"right:{right}" for right in known.words.rights}
    said |= {f"fact:{name}" for name in known.words.questions}
    said |= {f"ending:{way}" for way in (*known.words.questions["ending"].choices, "known")}
    said |= {"over:yes", "over:no", "over:unknown", "claims", "confirm", "expired", "urgent"}
    context = draft_context("arbitration_application", three_claims(), None, TODAY)
    said |= {f"some:{place}" for place in ("items", *context["lines"], *context["tables"])}
    for document in book().documents.values():
        lines = (*book().common.story, *document.advice)
        conditions = [
            document.suits,
            *(one.condition for one in lines),
            *(one.condition for one in document.blocks),
        ]
        for condition in conditions:
            assert {*condition.any_of, *condition.all_of, *condition.none_of} <= said, document.name


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("{person_name}", "{nobody}", "no blank is called nobody"),
        ("{items: items}", "{items: things}", "items must be one of"),
        ("align: right", "align: sideways", "align must be one of"),
        ("small: true", "smal: true", "unknown field smal"),
        ("title: 工资支付催告函", "titel: 工资支付催告函", "title must be a text"),
    ],
)
def test_a_mistake_in_the_wording_is_named(tmp_path: Path, was: str, becomes: str, complaint: str) -> None:
    for path in ROOT.glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    changed = tmp_path / "wage_demand.yml"
    text = changed.read_text("utf-8")
    assert was in text
    changed.write_text(text.replace(was, becomes), "utf-8")
    with pytest.raises(KnowledgeError, match=complaint):
        book(tmp_path)


def test_no_mark_of_the_facts_file_is_in_the_wording() -> None:
    for path in ROOT.glob("*.yml"):
        text = path.read_text("utf-8")
        assert "V0" not in text
        assert "V+" not in text
        assert "【C】" not in text

"""Layout: the .docx templates, built from the wording; ``python -m casework.documents.layout`` writes them.

A template is a Word file with docxtpl's tags (``{%p … %}`` a paragraph, ``{%tr … %}`` a table row,
``{%r … %}`` a run). Everything that is the same in every draft stands in it; the context brings the rest.
"""

from __future__ import annotations

import io
import string
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.document import Document as Word
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import CharacterStyle, ParagraphStyle
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from casework.documents.rendering import settled
from casework.documents.words import ROOT, Block, Condition, DocumentWords, Text, book

PAGE_CM = (21.0, 29.7)
MARGIN_CM = (2.3, 2.4)
"""Top and bottom, left and right."""
WIDTH_CM = PAGE_CM[0] - 2 * MARGIN_CM[1]
LABEL_CM = 2.7
SONG, HEI = "宋体", "黑体"
LATIN = "Times New Roman"
YELLOW, GREY, RED = "FFF2A8", RGBColor(0x6B, 0x6B, 0x6B), RGBColor(0xB3, 0x26, 0x1E)
BLANK, HINT, HEADING, TITLE, SMALL, CELL = "待填", "待填说明", "小标题", "文书标题", "小字", "表格文字"
_ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
}
_WRITTEN = datetime(2026, 11, 22, tzinfo=UTC)
"""When the templates say they were made: the same for each, so that building twice gives one file."""


def build(document: DocumentWords) -> bytes:
    """The template of a document."""
    word = Document()
    _page(word)
    _styles(word)
    _margins_say(word, document)
    word.add_paragraph(document.title, style=TITLE)
    for block in document.blocks:
        _block(word, block)
    core = word.core_properties
    core.title, core.author, core.language = document.title, "娘家人", "zh-CN"
    core.comments, core.last_modified_by = book().common.said["notice"], ""
    core.created = core.modified = _WRITTEN.replace(tzinfo=None)
    made = io.BytesIO()
    word.save(made)
    return settled(made.getvalue())


def write(root: Path = ROOT) -> list[Path]:
    """Build every template into a folder; its paths."""
    paths = []
    for document in book().documents.values():
        path = root / f"{document.name}.docx"
        path.write_bytes(build(document))
        paths.append(path)
    return paths


def _page(word: Word) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = Cm(PAGE_CM[0]), Cm(PAGE_CM[1])
    section.top_margin = section.bottom_margin = Cm(MARGIN_CM[0])
    section.left_margin = section.right_margin = Cm(MARGIN_CM[1])
    section.header_distance = section.footer_distance = Cm(1.1)


def _styles(word: Word) -> None:
    normal = word.styles["Normal"]
    _font(normal, SONG, 12)
    _chinese(normal)
    normal.paragraph_format.space_after = Pt(3)
    normal.paragraph_format.line_spacing = Pt(20)
    for name, font, size, line, above in (
        (TITLE, HEI, 18, 28, 0),
        (HEADING, HEI, 13, 20, 7),
        (SMALL, SONG, 10, 15, 0),
        (CELL, SONG, 10.5, 16, 1),
    ):
        style = word.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = normal
        _font(style, font, size)
        style.paragraph_format.line_spacing = Pt(line)
        style.paragraph_format.space_before = Pt(above)
    word.styles[TITLE].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    word.styles[TITLE].paragraph_format.space_after = Pt(8)
    word.styles[HEADING].paragraph_format.keep_with_next = True
    word.styles[TITLE].font.bold = word.styles[HEADING].font.bold = True
    for name in (SMALL, CELL):
        word.styles[name].paragraph_format.space_after = Pt(1)
    blank = word.styles.add_style(BLANK, WD_STYLE_TYPE.CHARACTER)
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:color"), "auto")
    shade.set(qn("w:fill"), YELLOW)
    blank.element.get_or_add_rPr().append(shade)
    hint = word.styles.add_style(HINT, WD_STYLE_TYPE.CHARACTER)
    hint.font.size, hint.font.color.rgb = Pt(8), GREY


def _font(style: ParagraphStyle | CharacterStyle, font: str, size: float) -> None:
    style.font.name, style.font.size = LATIN, Pt(size)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), font)


def _chinese(style: ParagraphStyle) -> None:
    """Say that the text is Chinese, or commas are set in the middle as in Taipei."""
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")
    style.element.get_or_add_rPr().append(language)


def _margins_say(word: Word, document: DocumentWords) -> None:
    """The draft's mark above every page, its name and the page's number below."""
    said = book().common.said
    section = word.sections[0]
    above = section.header.paragraphs[0]
    above.alignment = WD_ALIGN_PARAGRAPH.CENTER
    mark = above.add_run(said["notice"])
    mark.font.bold, mark.font.size, mark.font.color.rgb = True, Pt(11), RED
    below = section.footer.paragraphs[0]
    below.alignment = WD_ALIGN_PARAGRAPH.CENTER
    fields = {"page": "PAGE", "pages": "NUMPAGES"}
    _small_run(below, f"{document.title}　")
    for fixed, name, _, _ in _parts(said["page"]):
        _small_run(below, fixed)
        if name:
            _field(below, fields[name])


def _parts(said: str) -> list[tuple[str, str | None, str | None, str | None]]:
    return list(string.Formatter().parse(said))


def _small_run(paragraph: Paragraph, text: str) -> None:
    run = paragraph.add_run(text)
    run.font.size = Pt(9)


def _field(paragraph: Paragraph, code: str) -> None:
    for kind, text in (("begin", None), (None, code), ("separate", None), ("text", "1"), ("end", None)):
        run = paragraph.add_run(text if kind == "text" else "")
        run.font.size = Pt(9)
        if kind == "text":
            continue
        element = OxmlElement("w:instrText" if kind is None else "w:fldChar")
        if kind is None:
            element.set(qn("xml:space"), "preserve")
            element.text = f" {text} "
        else:
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _block(word: Word, block: Block) -> None:
    condition = _as_jinja(block.condition)
    if condition:
        word.add_paragraph(f"{{%p if {condition} %}}")
    if block.label is not None:
        word.add_paragraph(block.label, style=HEADING)
    if block.text is not None:
        style = HEADING if block.kind == "heading" else SMALL if block.small else None
        _sentence(_shaped(word.add_paragraph(style=style), block), block.text)
    elif block.kind == "fields":
        _fields(word, block)
    elif block.kind == "lines":
        word.add_paragraph(f"{{%p for line in lines.{block.place} %}}")
        style = None if block.indent else SMALL
        _pieces(_shaped(word.add_paragraph(style=style), block), "line", lead="" if block.indent else "· ")
        word.add_paragraph("{%p endfor %}")
    elif block.kind == "items":
        _items(word, block)
    elif block.kind == "table":
        _table(word, block)
    if condition:
        word.add_paragraph("{%p endif %}")


def _shaped(paragraph: Paragraph, block: Block) -> Paragraph:
    if block.align != "left":
        paragraph.alignment = _ALIGN[block.align]
    if block.indent:
        paragraph.paragraph_format.first_line_indent = Pt(24)
    if block.page:
        paragraph.paragraph_format.page_break_before = True
    if block.space:
        paragraph.paragraph_format.space_before = Pt(14)
    return paragraph


def _sentence(paragraph: Paragraph, text: Text) -> None:
    for fixed, place in text.parts:
        if fixed:
            paragraph.add_run(fixed)
        if place is not None:
            _pieces(paragraph, f"one.{place}")


def _pieces(paragraph: Paragraph, source: str, lead: str = "") -> None:
    """A loop over pieces: words as they are, a blank shaded, its name small behind it."""
    if lead:
        paragraph.add_run(lead)
    for text, style in (
        (f"{{%r for piece in {source} %}}", None),
        ("{%r if piece.blank %}", None),
        ("{{ piece.text }}", BLANK),
        ("{%r else %}", None),
        ("{{ piece.text }}", None),
        ("{%r endif %}", None),
        ("{%r if piece.hint %}", None),
        ("{{ piece.hint }}", HINT),
        ("{%r endif %}", None),
        ("{%r endfor %}", None),
    ):
        paragraph.add_run(text, style=style)


def _items(word: Word, block: Block) -> None:
    def lines(of: str, indent: float) -> None:
        if block.brief:
            return
        word.add_paragraph(f"{{%p for line in {of}.lines %}}")
        small = word.add_paragraph(style=SMALL)
        small.paragraph_format.left_indent = Pt(indent)
        _pieces(small, "line")
        word.add_paragraph("{%p endfor %}")

    word.add_paragraph("{%p for item in items %}")
    _pieces(word.add_paragraph(), "item.lead")
    lines("item", 24)
    word.add_paragraph("{%p for choice in item.choices %}")
    chosen = word.add_paragraph()
    chosen.paragraph_format.left_indent = Pt(24)
    _pieces(chosen, "choice.lead")
    lines("choice", 48)
    word.add_paragraph("{%p endfor %}")
    word.add_paragraph("{%p endfor %}")


def _fields(word: Word, block: Block) -> None:
    value = WIDTH_CM / 2 - LABEL_CM
    widths = (LABEL_CM, value, LABEL_CM, value)
    table = _grid(word, len(block.rows), widths)
    for row, pairs in zip(table.rows, block.rows, strict=True):
        cells = list(row.cells)
        if len(pairs) == 1:
            cells = [cells[0], cells[1].merge(cells[3])]
        for (label, said), (name, place) in zip(
            pairs, zip(cells[::2], cells[1::2], strict=True), strict=True
        ):
            _cell(name).add_run(label)
            _sentence(_cell(place), said)


def _table(word: Word, block: Block) -> None:
    widths = tuple(WIDTH_CM * width / 100 for width in block.widths)
    table = _grid(word, 4, widths)
    head, begin, row, end = table.rows
    for cell, label in zip(head.cells, block.columns, strict=True):
        _cell(cell).add_run(label).bold = True
    repeated = OxmlElement("w:tblHeader")
    repeated.set(qn("w:val"), "true")
    head._tr.get_or_add_trPr().append(repeated)
    _cell(begin.cells[0]).add_run(f"{{%tr for row in tables.{block.place} %}}")
    for number, cell in enumerate(row.cells):
        _pieces(_cell(cell), f"row[{number}]")
    whole = OxmlElement("w:cantSplit")
    row._tr.get_or_add_trPr().append(whole)
    _cell(end.cells[0]).add_run("{%tr endfor %}")


def _grid(word: Word, rows: int, widths: tuple[float, ...]) -> Any:
    table = word.add_table(rows=rows, cols=len(widths))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Cm(width)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    return table


def _cell(cell: _Cell) -> Paragraph:
    paragraph: Paragraph = cell.paragraphs[0]
    paragraph.style = CELL
    return paragraph


def _as_jinja(condition: Condition) -> str:
    """The condition as the template asks it of ``flags``."""
    terms = []
    if condition.any_of:
        terms.append("(" + " or ".join(f"'{one}' in flags" for one in condition.any_of) + ")")
    terms += [f"'{one}' in flags" for one in condition.all_of]
    terms += [f"'{one}' not in flags" for one in condition.none_of]
    return " and ".join(terms)


if __name__ == "__main__":
    for written in write():
        print(written)

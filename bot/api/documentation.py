"""Documentation: the API's schema, and a page that shows it without a line from elsewhere.

Swagger UI comes from a CDN or as a package nobody keeps up; this page is rendered here, once, from the
same OpenAPI document, and needs no script.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.roles import Role, open_to

FOLDER = Path(__file__).parent / "docs"
METHODS = ("get", "post", "put", "patch", "delete")

router = APIRouter(include_in_schema=False)

_templates = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Line:
    """One field or parameter as the page shows it."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Part:
    """A body: its media type, fields and examples."""

    media_type: str
    lines: list[Line]
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the API does."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    needs_token: bool
    parameters: list[Line]
    takes: list[Part]
    gives: list[tuple[str, str, list[Part]]]


@router.get("/openapi.json")
@open_to(Role.PUBLIC)
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
@open_to(Role.PUBLIC)
async def page(request: Request) -> HTMLResponse:
    """The page."""
    schema = request.app.openapi()
    html = _templates.get_template("page.html").render(info=schema["info"], operations=operations(schema))
    return HTMLResponse(html)


@router.get("/docs/style.css")
@open_to(Role.PUBLIC)
async def style() -> FileResponse:
    """The page's style sheet."""
    return FileResponse(FOLDER / "style.css", media_type="text/css")


def operations(schema: dict[str, Any]) -> list[Operation]:
    """Every operation of an OpenAPI document, in its order."""
    return [
        Operation(
            anchor=operation["operationId"],
            method=method.upper(),
            path=path,
            summary=operation.get("summary", ""),
            description=operation.get("description", ""),
            needs_token=bool(operation.get("security")),
            parameters=[_parameter(schema, one) for one in operation.get("parameters", [])],
            takes=_parts(schema, operation.get("requestBody", {})),
            gives=[
                (status, answer["description"], _parts(schema, answer) if status.startswith("2") else [])
                for status, answer in operation["responses"].items()
            ],
        )
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def _parameter(schema: dict[str, Any], parameter: dict[str, Any]) -> Line:
    return Line(
        name=f"{parameter['name']} ({parameter['in']})",
        type=_type(schema, parameter["schema"]),
        required=parameter.get("required", False),
        description=parameter.get("description", ""),
    )


def _parts(schema: dict[str, Any], holder: dict[str, Any]) -> list[Part]:
    parts = []
    for media_type, content in holder.get("content", {}).items():
        kind = _resolve(schema, content.get("schema", {}))
        shown = [*kind.get("examples", []), *(one["value"] for one in content.get("examples", {}).values())]
        examples = [json.dumps(one, ensure_ascii=False, indent=2) for one in shown]
        parts.append(Part(media_type, list(_lines(schema, kind, "")), examples))
    return parts


def _lines(schema: dict[str, Any], kind: dict[str, Any], prefix: str) -> Iterator[Line]:
    """The fields of an object, those of objects inside it below their own."""
    for name, inner in kind.get("properties", {}).items():
        yield Line(
            name=f"{prefix}{name}",
            type=_type(schema, inner),
            required=name in kind.get("required", []),
            description=inner.get("description", ""),
        )
        resolved = _resolve(schema, inner)
        within = _resolve(schema, resolved["items"]) if resolved.get("type") == "array" else resolved
        yield from _lines(schema, within, f"{prefix}{name}{'[]' if within is not resolved else ''}.")


def _resolve(schema: dict[str, Any], kind: dict[str, Any]) -> dict[str, Any]:
    """What a reference, or an optional one, refers to."""
    if "$ref" in kind:
        found: dict[str, Any] = schema
        for step in kind["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found
    options = [option for option in kind.get("anyOf", []) if option.get("type") != "null"]
    return _resolve(schema, options[0]) if len(options) == 1 else kind


def _type(schema: dict[str, Any], kind: dict[str, Any]) -> str:
    """A type in a few words: ``string``, ``integer 1…200``, ``list of Message``, ``bot | queued``."""
    if "anyOf" in kind:
        return " or ".join(_type(schema, option) for option in kind["anyOf"])
    resolved = _resolve(schema, kind)
    if "enum" in resolved or "const" in resolved:
        return " | ".join(json.dumps(value) for value in resolved.get("enum", [resolved.get("const")]))
    if resolved.get("type") == "array":
        return f"list of {_type(schema, resolved['items'])}"
    if resolved.get("type") == "object" and "$ref" in kind:
        return str(resolved.get("title", "object"))
    words = [str(resolved.get("format") or resolved.get("type", "anything"))]
    low = resolved.get("minimum", resolved.get("minLength"))
    high = resolved.get("maximum", resolved.get("maxLength"))
    if low is not None or high is not None:
        words.append(f"{'' if low is None else low}…{'' if high is None else high}")
    return " ".join(words)

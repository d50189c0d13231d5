"""Shell: renders the desk's pages and fragments, and says codes, moments and waits as staff read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bot.api.doorkeeper import house_of
from bot.desk.sessions import Signed
from bot.house import House
from casework import staff_talk
from casework.clock import SHANGHAI
from casework.permissions import Right, may
from casework.risks import load_risk_notes
from casework.tables import Staff

TEMPLATES = (Path(__file__).parent / "templates", Path(__file__).parents[1] / "workbench" / "templates")
STATIC_URL = "/desk/static"
NAVIGATION: tuple[tuple[str, str, str, tuple[Right, ...]], ...] = (
    ("会话", "/desk", "q", (Right.LOOK,)),
    ("工单", "/desk/cases", "c", (Right.LOOK,)),
    ("搜索", "/desk/search", "s", (Right.LOOK,)),
    ("知识", "/desk/knowledge", "k", (Right.LOOK,)),
    ("大屏", "/desk/wall", "w", (Right.WATCH,)),
    ("报表", "/desk/reports", "r", (Right.REPORT,)),
    ("训练", "/workbench", "t", (Right.TEACH, Right.RELEASE)),
    ("管理", "/desk/admin", "m", (Right.EDIT_CANNED, Right.EDIT_DESK, Right.EDIT_STAFF)),
    ("审计", "/desk/audit", "a", (Right.AUDIT,)),
)
"""Label, address, the key after ``g`` that goes there, and the rights of which one is enough."""
CHANNELS = {"telegram": "Telegram", "web": "网页", "api": "接口"}
MORE_RISKS = {"overdue": "等得太久"}
"""Codes of what makes a conversation pressing that are no risk of the member's."""
PRIORITIES = ("▲ 特急", "◆ 紧急", "○ 一般")


async def page(
    request: Request, name: str, *, signed: Signed | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page (its template extends ``base.html``, or ``plain.html`` for who is not signed in).

    Templates see ``signed``, ``me`` (Staff or None), ``csrf``, ``can(right)``, ``now``, ``house``,
    ``path``, ``nav`` and ``unread`` (the number of alerts) beside ``context``.
    """
    unread = 0
    if signed is not None:
        async with house_of(request).database.read() as session:
            unread = len(await staff_talk.alerts_for(session, signed.staff))
    text = render(request, name, signed=signed, unread=unread, **context)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


async def fragment(
    request: Request, name: str, *, signed: Signed | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """A piece of a page for a script to put in its place; templates see what those of ``page`` see."""
    text = render(request, name, signed=signed, **context)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def render(request: Request, name: str, *, signed: Signed | None = None, **context: Any) -> str:
    """A template as text; ``.txt`` and ``.csv`` templates are not escaped."""
    house = house_of(request)
    me = None if signed is None else signed.staff
    values: dict[str, Any] = {
        "signed": signed,
        "me": me,
        "csrf": "" if signed is None else signed.session.csrf_token,
        "can": lambda right: me is not None and may(me, Right(right)),
        "now": house.clock.now(),
        "house": house,
        "path": request.url.path,
        "nav": navigation(me, request.url.path),
        "unread": 0,
    }
    return templates(request).get_template(name).render(values | context)


def templates(request: Request) -> Environment:
    """The application's templates; made once, since the filters know its knowledge and its clock."""
    state = request.app.state
    made: Environment | None = getattr(state, "desk_templates", None)
    if made is None:
        made = state.desk_templates = _environment(house_of(request))
    return made


def navigation(staff: Staff | None, path: str) -> list[dict[str, Any]]:
    """Where this member of staff may go, and where they are."""
    if staff is None:
        return []
    return [
        {"label": label, "href": href, "key": key, "here": _is_here(href, path)}
        for label, href, key, rights in NAVIGATION
        if any(may(staff, right) for right in rights)
    ]


def topic_labels(house: House) -> dict[str, str]:
    """What each topic is called: its article's label, else that of its first intent."""
    topics = {intent.topic: intent.label for intent in reversed(house.knowledge.intents.values())}
    return topics | {topic: article.label for topic, article in house.knowledge.articles.items()}


def when_text(moment: datetime, now: datetime) -> str:
    """A moment on the screen in Shanghai: 14:05, 昨天 14:05, 11-20 09:00, with the year in another one."""
    local, today = moment.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    days = (today - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days in (1, -1):
        return f"{'昨天' if days == 1 else '明天'} {local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def span_text(span: timedelta) -> str:
    """A length of time in words: 不到 1 分钟, 3 分钟, 2 小时 5 分, 3 天 4 小时; never below nothing."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 1:
        return "不到 1 分钟"
    if minutes < 60:
        return f"{minutes} 分钟"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} 小时 {minutes} 分" if minutes else f"{hours} 小时"
    days, hours = divmod(hours, 24)
    return f"{days} 天 {hours} 小时" if hours else f"{days} 天"


def _is_here(href: str, path: str) -> bool:
    if href == "/desk":
        return path == href or path.startswith("/desk/c/")
    return path == href or path.startswith(f"{href}/")


def _environment(house: House) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=(), disabled_extensions=("txt", "csv"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=house.settings.environment != "production",
    )
    topics = topic_labels(house)
    risks = load_risk_notes(house.settings.home / "data" / "knowledge")

    def when(moment: datetime | None) -> Markup:
        if moment is None:
            return Markup("—")
        local = moment.astimezone(SHANGHAI)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            moment.isoformat(), f"{local:%Y-%m-%d %H:%M:%S}", when_text(moment, house.clock.now())
        )

    def ago(moment: datetime | None) -> Markup:
        if moment is None:
            return Markup("—")
        return Markup('<time datetime="{}" data-since="{}">{}</time>').format(
            moment.isoformat(), moment.isoformat(), span_text(house.clock.now() - moment)
        )

    def case_state(state: str) -> str:
        key = f"case_state.{state}"
        return house.wording.say(key) if house.wording.has(key) else str(state)

    filters: dict[str, Callable[..., Any]] = {
        "when": when,
        "ago": ago,
        "minutes": lambda span: span_text(span if isinstance(span, timedelta) else timedelta(minutes=span)),
        "topic": lambda topic: topics.get(topic, topic) if topic else "未分类",
        "channel": lambda channel: CHANNELS.get(str(channel), str(channel)),
        "district": lambda district: district or "未说区县",
        "priority": lambda priority: PRIORITIES[int(priority)],
        "case_state": case_state,
        "risk": lambda code: risks[code].label if code in risks else MORE_RISKS.get(code, code),
    }
    made.filters.update(filters)
    made.globals["static"] = lambda name: f"{STATIC_URL}/{name}"
    return made

"""Browsers: what their owners call them, from how they introduce themselves."""

from __future__ import annotations

BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""In this order: each of these claims to be some of those after it as well."""


def browser_name(user_agent: str | None) -> str | None:
    """A browser as its owner would call it, e.g. ``Chrome · Windows``; what it says itself if unknown."""
    said = user_agent or ""
    browser = next((name for mark, name in BROWSERS if mark in said), None)
    system = next((name for mark, name in SYSTEMS if mark in said), None)
    return " · ".join(name for name in (browser, system) if name) if browser else user_agent

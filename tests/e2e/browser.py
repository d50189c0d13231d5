"""A real headless Chromium: the machine's own, never a download."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = "NIANGJIA_REQUIRE_BROWSER"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def chromium_path() -> str | None:
    """Where the machine's Chromium is, or None."""
    return next((path for name in CANDIDATES if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the tests; skips on a laptop without one, fails where it is required (CI)."""
    path = chromium_path()
    if path is None:
        message = "no Chromium on this machine: apt-get install chromium (or your system's like)"
        if os.environ.get(REQUIRED):
            pytest.fail(message)
        pytest.skip(message)  # a laptop without a browser; CI sets NIANGJIA_REQUIRE_BROWSER and fails instead
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()

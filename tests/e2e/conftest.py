"""One trained model and one running house for all end-to-end tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.desk_on_show import OnShow, desk_on_show
from tests.e2e.house import ROOT, Member, RunningHouse

LEARNT_FROM = ("config.yml", "domain.yml", "data/nlu", "data/stories", "data/knowledge", "nlu")


def _fingerprint() -> str:
    """A hash of everything a model is made from."""
    digest = hashlib.sha256()
    for name in LEARNT_FROM:
        path = ROOT / name
        files = (
            [path]
            if path.is_file()
            else sorted(p for p in path.rglob("*") if p.suffix in (".yml", ".py", ".txt"))
        )
        files = [file for file in files if file.parent.name != "evaluation"]  # measures, teaches nothing
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@pytest.fixture(scope="session")
def model() -> Path:
    """A model really trained from the repository as it is; trained once per state of the repository."""
    folder = ROOT / "var" / "test-models"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"test-{_fingerprint()}.tar.gz"
    with (folder / "training.lock").open("w") as lock:  # two workers of one test run need the same model
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            subprocess.run(
                [sys.executable, "-m", "nlu.training", "--out", str(folder), "--name", path.name],
                cwd=ROOT,
                check=True,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    assert path.exists()
    return path


@pytest.fixture(scope="session")
def house(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """The house all end-to-end tests share; each test brings its own members."""
    running = RunningHouse.start(tmp_path_factory.mktemp("house"), model)
    yield running
    assert running.stop() == 0, running.logs()


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnShow]:
    """The furnished desk that the tests of its pages share; who changes something, changes their own."""
    with desk_on_show(tmp_path_factory.mktemp("on-show")) as desk:
        yield desk


@pytest.fixture
def member(house: RunningHouse) -> Member:
    """A new member with a conversation of their own."""
    return house.member()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here starts processes; it gets the time that takes, or the time its file asks for."""
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(300))

"""A home with a training of seconds: real processes that say and leave behind what Rasa's training does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.training.run import Workplace
from casework.clock import FixedClock
from casework.database import Database
from casework.settings import Settings

ROOT = Path(__file__).parents[3]
SENTENCES = """\
version: "3.1"
nlu:
- intent: ask_wage_arrears
  examples: |
    - 工资三个月没发
    - 老板欠我两万
"""
TRAINER = """\
import sys, time, tarfile, io
from pathlib import Path
def say(text):
    print(f"12:00:00  {text}", file=sys.stderr, flush=True)
arguments = sys.argv[1:]
out = Path(arguments[arguments.index("--out") + 1]) / arguments[arguments.index("--name") + 1]
sentences = Path(arguments[arguments.index("--data") + 1])
"""
WELL = """\
for part in ("RulePolicy", "UnionJiebaTokenizer", "LinearIntentClassifier"):
    say(f"Starting to train component '{part}'.")
say("held-out accuracy 0.7372 (2 sentences, 1 intents)")
with tarfile.open(out, "w:gz") as archive:
    content = "".join(sorted(file.read_text() for file in sentences.glob("*.yml"))).encode()
    entry = tarfile.TarInfo("components/x/weights.json")
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
"""
BADLY = """\
say("rasa.shared.exceptions.YamlSyntaxException: something is wrong")
sys.exit(1)
"""
FOR_EVER = """\
import subprocess
say("Starting to train component 'LinearIntentClassifier'.")
fold = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(Path("pids")).write_text(f"{__import__('os').getpid()} {fold.pid}")
time.sleep(600)
"""
STANDS_STILL = """\
import faulthandler, signal
faulthandler.register(signal.SIGUSR1)
say("Starting to train component 'NgramFeaturizer'.")
while True:
    time.sleep(0.1)
"""
STANDS_STILL_ONCE = f"""\
if not Path("stood").exists():
    Path("stood").touch()
    time.sleep(600)
{WELL}"""
SILENT_AND_BUSY = f"""\
while time.process_time() < 4:
    pass
{WELL}"""
Behave = Callable[[str], Settings]


@pytest.fixture
def behave(settings: Settings, tmp_path: Path) -> Behave:
    """Settings of a home whose trainings behave like this."""
    home = tmp_path / "home"
    (home / "data" / "nlu").mkdir(parents=True)
    (home / "data" / "nlu" / "labour_wage_arrears.yml").write_text(SENTENCES, encoding="utf-8")
    (home / "nlu").mkdir()
    (home / "nlu" / "__init__.py").write_text("", encoding="utf-8")
    for name in ("config.yml", "domain.yml", "data/knowledge", "data/stories"):
        (home / name).symlink_to(ROOT / name)

    def behaving(how: str) -> Settings:
        (home / "nlu" / "training.py").write_text(TRAINER + how, encoding="utf-8")
        return dataclasses.replace(settings, home=home)

    return behaving


@pytest.fixture
def workplace(behave: Behave, sqlite_database: Database, clock: FixedClock) -> Callable[[str], Workplace]:
    """Where a job is done whose training behaves like this."""
    return lambda how: Workplace(behave(how), sqlite_database, clock)

"""``python -m tests.bench.desk``: 200 members and 20 workers on one bot, and how soon each sees the other.

Fills a database, starts the bot's real process, and prints a table. Each worker has one conversation open,
as a page has (``--reads`` for more), and watches the stream for a twentieth of all; meanwhile pages are
opened, about two a second.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
import psutil
from sqlalchemy import select

from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.tables import Case, Member
from tests.bench.desk import people
from tests.bench.desk.people import Log, Screen, Sent
from tests.bench.desk.place import Bot, Talk, Worker, bot, dialogue, furnish
from tests.e2e.house import ROOT
from tests.postgres import find_binaries, private_postgres

WARM_UP_S = 20.0
"""The keeper tells everybody who waits first, and the pools fill."""
LEFT_OUT_S = 3.0
"""Messages sent so shortly before the end are not waited for."""
QUIET, LOADED, LESS_LOADED = 40, 60, 20
"""How often each page is asked for: without load, and under it the queue and the others."""
MAIN = ("GET /desk", "GET /desk/queue")
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=300)
ROW = "| {} | {} | {:.0f} | {:.0f} | {:.0f} | {} |"


async def main() -> None:
    """Furnish, start, measure, print."""
    chosen = _arguments()
    key = os.urandom(32)
    install_cipher(Cipher([key]))
    with tempfile.TemporaryDirectory() as folder, _database_url(chosen.database, Path(folder)) as url:
        database = Database(url)
        began = time.perf_counter()
        talks, workers = await furnish(
            database, chosen.cases, chosen.conversations, chosen.workers, chosen.seed
        )
        asked = await _searches(database, chosen.seed)
        await database.close()
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        async with (
            dialogue() as ports,
            bot(Path(folder), url, base64.b64encode(key).decode(), ports) as started,
        ):
            await _measure(chosen, started, talks, workers, asked)


async def _measure(
    chosen: argparse.Namespace, started: Bot, talks: list[Talk], workers: list[Worker], asked: list[str]
) -> None:
    log = Log()
    pages = {
        "GET /desk": ["/desk"],
        "GET /desk?tab=all": ["/desk?tab=all"],
        "GET /desk/queue": ["/desk/queue"],
        "GET /desk/c/{id}": [f"/desk/c/{talk.id}" for talk in talks],
        "GET /desk/cases": ["/desk/cases"],
        "GET /desk/search": [f"/desk/search?q={text}" for text in asked],
        "GET /desk/find": [f"/desk/find?q={text}" for text in asked],
    }
    rows = []
    async with (
        httpx.AsyncClient(base_url=started.base_url, timeout=30, trust_env=False, limits=LIMITS) as client,
        asyncio.TaskGroup() as crowd,
    ):
        pages = {
            name: paths
            for name, paths in pages.items()
            if (await client.get(paths[0], headers=workers[0].headers)).status_code == httpx.codes.OK
        }
        for name, paths in pages.items():
            times = await _pages(client, workers, paths, QUIET, 0.0, log)
            rows.append(_row(f"{name}, nothing else happens", times))
        idle_mb = started.memory_mb()
        tasks = [
            crowd.create_task(one) for one in _people(client, talks, workers, chosen.seed, chosen.reads, log)
        ]
        await asyncio.sleep(WARM_UP_S)
        print(f"warm: {len(log.sent)} messages, {log.events} events, failures {log.failed[:3]}", flush=True)
        before, began = (started.cpu_s(), _busy(), _own_cpu()), time.perf_counter()
        if chosen.no_pages:
            await asyncio.sleep(chosen.seconds)
            pages = {}
        often = {name: LOADED if name in MAIN else LESS_LOADED for name in pages}
        loaded = await asyncio.gather(
            *(
                _pages(client, workers, paths, often[name], chosen.seconds / often[name], log)
                for name, paths in pages.items()
            ),
        )
        seconds = time.perf_counter() - began
        after = (started.cpu_s(), _busy(), _own_cpu())
        ended = time.perf_counter()
        await asyncio.sleep(LEFT_OUT_S)
        used_mb = started.memory_mb()
        for task in tasks:
            task.cancel()
    rows += [_row(f"{name}, under load", times) for name, times in zip(pages, loaded, strict=True)]
    sent = [one for one in log.sent if began <= one.at <= ended]
    _print_people(log, sent, seconds)
    print("\n".join(rows))
    shares = [100 * (late - early) / seconds for early, late in zip(before, after, strict=True)]
    print(
        f"\nbot: {shares[0]:.0f} % of a core, {used_mb:.0f} MB (before the load {idle_mb:.0f} MB); "
        f"the bench itself {shares[2]:.0f} %, everything on the machine {shares[1]:.0f} % of "
        f"{100 * (os.cpu_count() or 1)} %; load average {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{len(sent) / seconds:.1f} messages/s, {log.events / (time.perf_counter() - began):.0f} events/s at "
        f"{chosen.workers} streams; {len(log.lists)} lists read, {log.unchanged} of them unchanged; "
        f"{len(log.failed)} failures {log.failed[:5]}"
    )


def _print_people(log: Log, sent: list[Sent], seconds: float) -> None:
    """The table's head, and how soon members and workers saw each other."""
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"\nrevision {revision.stdout.strip()}, {seconds:.0f} s\n")
    print("| | number | p50 ms | p95 ms | p99 ms | never |\n|---|---|---|---|---|---|")
    owned = [one for one in sent if one.talk.worker is not None]
    queued = [one for one in sent if one.talk.worker is None]
    both = (("with a worker", owned), ("in the queue", queued))
    for name, which in both:
        print(_row(f"message {name}: told on the stream", *_lags(which, log.told)))
        on_screen = [one for one in which if one.talk.id in log.shown]
        print(_row(f"message {name}, open: on the screen", *_lags(on_screen, log.shown)))
    print(_row("member's request answered", [one.taken - one.at for one in sent]))
    print(_row("worker's reply accepted", log.replied))
    print(_row("lists beside a conversation", log.lists))


def _people(
    client: httpx.AsyncClient, talks: list[Talk], workers: list[Worker], seed: int, reads: int, log: Log
) -> Iterator[Awaitable[None]]:
    """Everybody who makes the load."""
    for n, talk in enumerate(talks):
        random = Random(seed + n)  # noqa: S311  # a reproducible pace, not a secret
        yield people.Member(client, talk, random, log).write()
    for number, worker in enumerate(workers):
        own = [talk for talk in talks if talk.worker == number]
        waiting = [talk for talk in talks if talk.worker is None][number :: len(workers)]
        looks_at = {talk.id: talk for talk in own[:1] + waiting[:1] + own[1:] + waiting[1:]}
        random = Random(-seed - number)  # noqa: S311  # a reproducible pace, not a secret
        yield Screen(client, worker, number, looks_at, reads, random, log).work()


async def _pages(
    client: httpx.AsyncClient, workers: list[Worker], paths: list[str], times: int, every_s: float, log: Log
) -> list[float]:
    """How long each of so many requests took, in seconds; one begins every so many seconds at the soonest."""
    taken: list[float] = []
    ends = time.perf_counter() + times * every_s if every_s else float("inf")
    for n in range(times):
        if time.perf_counter() > ends:
            break  # overloaded: fewer were asked for, as the table shows
        headers = workers[n % len(workers)].headers | {"Accept": "text/html"}
        at = time.perf_counter()
        response = await client.get(paths[n % len(paths)], headers=headers)
        taken.append(time.perf_counter() - at)
        if response.status_code != httpx.codes.OK:
            log.failed.append(f"{paths[n % len(paths)].partition('?')[0][:12]}: {response.status_code}")
        await asyncio.sleep(max(0.0, every_s - taken[-1]))
    return taken


async def _searches(database: Database, seed: int) -> list[str]:
    """What is looked for: names, phone tails, employers, numbers, words."""
    random = Random(seed)  # noqa: S311  # picks what is asked
    async with database.read() as session:
        found = (
            await session.execute(
                select(Case.number, Case.facts, Member.name, Member.phone)
                .join(Member, Member.id == Case.member_id)
                .order_by(Case.opened_at.desc())
                .limit(200)
            )
        ).all()
    asked = ["工资", "冲床", "工资 历下", "鲸鱼"]
    for number, facts, name, phone in random.sample(found, 4):
        asked += [name or "", (phone or "")[-4:], facts["employer"], number.replace("-", "")[-5:]]
    return asked


def _lags(sent: list[Sent], seen: dict[str, list[tuple[int, float]]]) -> tuple[list[float], int]:
    """Seconds from sending each message to when it, or a later one, was seen; and how many never were."""
    found, never = [], 0
    for one in sent:
        marks = seen[one.talk.id]
        at = next((when for newest, when in marks if newest >= one.id), None)
        if at is None:
            never += 1
        else:
            found.append(at - one.at)
    return found, never


def _row(name: str, seconds: list[float], never: int | str = "") -> str:
    ordered = sorted(seconds) or [float("nan")]
    shares = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)]
    return ROW.format(name, len(seconds), *(1000 * each for each in shares), never)


def _busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def _own_cpu() -> float:
    times = os.times()
    return times.user + times.system


@contextmanager
def _database_url(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'bench.db'}"
        return
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("there is no PostgreSQL on this machine")
    with private_postgres(binaries) as server:
        yield f"{server}/postgres"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--no-pages", action="store_true", help="open no pages while people talk")
    parser.add_argument("--reads", type=int, default=2, help="conversations each worker's page has open")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())

"""``python -m tests.bench.desk_search``: how long the desk's search takes, on SQLite and PostgreSQL."""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from random import Random

from sqlalchemy import func, select, text

from casework import search
from casework.crypto import Cipher, install_cipher
from casework.database import Database
from casework.tables import Case, Member, SearchTerm
from tests.bench.desk_data import NOW, fill
from tests.postgres import find_binaries, private_postgres

CONVERSATIONS = 200
STAFF = 20
ROUNDS = 40
_SIZES = """
SELECT pg_table_size('search_terms') / 1000000, pg_relation_size('pk_search_terms') / 1000000,
    pg_relation_size('ix_search_terms_ref') / 1000000, pg_database_size(current_database()) / 1000000
"""


async def queries(database: Database, random: Random) -> dict[str, list[str]]:
    """What is asked, by kind: taken from what there is."""
    async with database.read() as session:
        count = await session.scalar(select(func.count()).select_from(Case)) or 0
        cases = [
            (
                await session.scalars(
                    select(Case).order_by(Case.opened_at).offset(random.randrange(count)).limit(1)
                )
            ).one()
            for _ in range(ROUNDS)
        ]
        members = [await session.get_one(Member, case.member_id) for case in cases]
    return {
        "common word (2 characters)": ["工资", "工地", "材料", "单位", "上班"],
        "less common word": ["冲床", "火灾", "怀孕", "骨折", "欠条"],
        "nowhere": ["鲸鱼", "量子", "zq"],
        "two common words": ["工资 历下", "工地 截图", "协调 仲裁"],
        "whole employer": [case.facts["employer"] for case in cases],
        "name": [member.name or "" for member in members],
        "phone tail (4 digits)": [(member.phone or "")[-4:] for member in members],
        "whole phone": [member.phone or "" for member in members],
        "case number": [case.number for case in cases],
        "case number, last 5 digits": [case.number.replace("-", "")[-5:] for case in cases],
    }


async def measure(database: Database, random: Random) -> None:
    """Print p50 and p95 of ``search.find`` for each kind of query."""
    for kind, asked in (await queries(database, random)).items():
        times, hits, whole = [], 0, 0
        for n in range(ROUNDS):
            started = time.perf_counter()
            async with database.read() as session:
                results = await search.find(session, asked[n % len(asked)], NOW + timedelta(days=1))
            times.append((time.perf_counter() - started) * 1000)
            hits += len(results.found)
            whole += results.complete
        cuts = statistics.quantiles(times, n=20)
        print(
            f"  {kind:30} p50 {statistics.median(times):7.1f} ms  p95 {cuts[18]:7.1f} ms  "
            f"{hits / ROUNDS:5.1f} hits  {whole * 100 // ROUNDS:3d} % complete",
            flush=True,
        )


async def run(url: str, cases: int, seed: int) -> None:
    """Fill one database and measure it."""
    database = Database(url)
    await database.upgrade()
    started = time.perf_counter()
    await fill(database, cases, CONVERSATIONS, STAFF, seed)
    seconds = time.perf_counter() - started
    async with database.read() as session:
        terms = await session.scalar(select(func.count()).select_from(SearchTerm))
        print(f"{database.engine.dialect.name}: {cases} cases in {seconds:.0f} s, {terms} terms")
        if database.engine.dialect.name == "postgresql":
            sizes = await session.execute(text(_SIZES))
            print("  MB: table {}, primary key {}, by record {}, whole database {}".format(*sizes.one()))
    await measure(database, Random(seed))  # noqa: S311  # picks what is asked
    await database.close()


def main() -> None:
    """Parse the arguments and run on what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sqlite", type=int, default=20_000, help="cases in SQLite (0: leave it out)")
    parser.add_argument("--postgres", type=int, default=100_000, help="cases in PostgreSQL (0: leave it out)")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    install_cipher(Cipher([os.urandom(32)]))
    if chosen.sqlite:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            asyncio.run(run(f"sqlite+aiosqlite:///{path}", chosen.sqlite, chosen.seed))
            print(f"  file: {path.stat().st_size / 1e6:.0f} MB")
    binaries = find_binaries()
    if chosen.postgres and binaries is not None:
        with private_postgres(binaries) as server:
            asyncio.run(run(f"{server}/postgres", chosen.postgres, chosen.seed))


if __name__ == "__main__":
    main()

"""``python -m tests.bench``: reply times, throughput, memory and training time of the running system.

Starts a house of its own on free ports (SQLite, private folder), measures over HTTP, prints a table.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.e2e.conftest import _fingerprint
from tests.e2e.house import ROOT, RunningHouse

MEMBERS = 20
HUMAN_PACE_S = 3.0
SENTENCES = [
    "俺干了仨月没给钱咋办",
    "公司让我明天不用来了",
    "加班费怎么算",
    "没签合同能要双倍工资不",
    "试用期最长多久",
    "辞职要提前几天说",
    "单位不给交社保",
    "上班路上被车撞了算工伤吗",
    "怀孕了公司要辞退我",
    "年假怎么休",
    "高温费一个月多少",
    "40度还让在外面干活",
    "中暑了怎么办",
    "哪里有户外劳动者驿站",
    "孩子考上大学工会有补助吗",
    "请不起律师怎么办",
    "历下区法律援助站在哪",
    "我的工单",
    "怎么入会",
    "你是机器人吗",
]


@dataclass
class Times:
    """Reply times of one scenario, in milliseconds."""

    name: str
    values: list[float]
    seconds: float

    def row(self) -> str:
        """One line of the table."""
        ordered = sorted(self.values)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

        return (
            f"| {self.name} | {len(ordered)} | {at(0.5):.0f} | {at(0.95):.0f} | {at(0.99):.0f} "
            f"| {len(ordered) / self.seconds:.1f} |"
        )


class Caller:
    """One member who writes."""

    def __init__(self, client: httpx.AsyncClient, conversation: str, token: str, seed: int) -> None:
        self._client = client
        self._url = f"/api/v1/conversations/{conversation}/messages"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._choose = random.Random(seed)  # noqa: S311  # a reproducible order, not a secret

    async def say(self) -> float:
        """Send one sentence; milliseconds until the answer. Fails when there is none."""
        body = {"client_message_id": uuid.uuid4().hex, "text": self._choose.choice(SENTENCES)}
        started = time.perf_counter()
        response = await self._client.post(self._url, json=body, headers=self._headers)
        elapsed = (time.perf_counter() - started) * 1000
        response.raise_for_status()
        if not response.json()["messages"]:
            raise AssertionError("the bot said nothing")
        return elapsed


async def callers(client: httpx.AsyncClient, count: int, seed: int) -> list[Caller]:
    """New members, each with a conversation of their own."""
    found = []
    for number in range(count):
        made = (await client.post("/api/v1/conversations", json={"channel": "api"})).json()
        found.append(Caller(client, made["conversation_id"], made["token"], seed + number))
    return found


async def alone(client: httpx.AsyncClient, seed: int, messages: int) -> Times:
    """One member, one message after the other."""
    (caller,) = await callers(client, 1, seed)
    for _ in range(5):
        await caller.say()
    started = time.perf_counter()
    values = [await caller.say() for _ in range(messages)]
    return Times("one member", values, time.perf_counter() - started)


async def human_pace(client: httpx.AsyncClient, seed: int, rounds: int) -> Times:
    """Twenty members, a message every three seconds each, starting at random moments."""
    spread = random.Random(seed)  # noqa: S311  # a reproducible order, not a secret
    started = time.perf_counter()

    async def write(caller: Caller, delay: float) -> list[float]:
        await asyncio.sleep(delay)
        values = []
        for _ in range(rounds):
            begun = time.perf_counter()
            values.append(await caller.say())
            await asyncio.sleep(max(0.0, HUMAN_PACE_S - (time.perf_counter() - begun)))
        return values

    several = await callers(client, MEMBERS, seed)
    done = await asyncio.gather(*(write(one, spread.random() * HUMAN_PACE_S) for one in several))
    return Times(
        f"{MEMBERS} at human pace", [v for values in done for v in values], time.perf_counter() - started
    )


async def closed_loop(client: httpx.AsyncClient, seed: int, rounds: int) -> Times:
    """Twenty members who write again the moment they are answered."""
    several = await callers(client, MEMBERS, seed)

    async def write(caller: Caller) -> list[float]:
        return [await caller.say() for _ in range(rounds)]

    started = time.perf_counter()
    done = await asyncio.gather(*(write(one) for one in several))
    return Times(
        f"{MEMBERS} in a closed loop", [v for values in done for v in values], time.perf_counter() - started
    )


def train(folder: Path) -> tuple[Path, float]:
    """Train a model as ``niangjia train`` does; seconds it took, Rasa's own start included."""
    started = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "nlu.training",
            "--out",
            str(folder),
            "--name",
            "bench.tar.gz",
            "--anew",
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return folder / "bench.tar.gz", time.perf_counter() - started


def memory(house: RunningHouse) -> dict[str, float]:
    """Resident memory of each process in MB."""
    supervisor = psutil.Process(house.process.pid)
    figures = {"supervisor": supervisor.memory_info().rss / 1e6}
    for name, module in (("rasa", "nlu.server"), ("actions", "actions"), ("bot", "bot")):
        figures[name] = psutil.Process(house.pid_of(module)).memory_info().rss / 1e6
    return figures


async def measure(house: RunningHouse, arguments: argparse.Namespace) -> list[Times]:
    """All scenarios, one after the other."""
    limits = httpx.Limits(max_connections=MEMBERS, max_keepalive_connections=MEMBERS)
    async with httpx.AsyncClient(
        base_url=house.base_url, timeout=30, trust_env=False, limits=limits
    ) as client:
        return [
            await alone(client, arguments.seed, arguments.messages),
            await human_pace(client, arguments.seed, arguments.rounds),
            await closed_loop(client, arguments.seed, arguments.rounds),
        ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--messages", type=int, default=200, help="messages of the lone member")
    parser.add_argument("--rounds", type=int, default=20, help="messages of each of the twenty")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, training_s = train(folder)
        began = time.perf_counter()
        house = RunningHouse.start(folder / "house", model)
        ready_s = time.perf_counter() - began
        try:
            results = asyncio.run(measure(house, arguments))
            used = memory(house)
        finally:
            house.stop()
    print(
        f"\nmachine: {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB; "
        f"data {_fingerprint()}"
    )
    print("\n| scenario | messages | p50 ms | p95 ms | p99 ms | messages/s |\n|---|---|---|---|---|---|")
    print("\n".join(times.row() for times in results))
    print(f"\ntraining {training_s:.0f} s (start of Rasa included), ready after {ready_s:.0f} s")
    print(
        "memory "
        + ", ".join(f"{name} {size:.0f} MB" for name, size in used.items())
        + f", together {sum(used.values()):.0f} MB"
    )
    print(f"mean of the lone member {statistics.mean(results[0].values):.0f} ms")


if __name__ == "__main__":
    main()

"""Starts the real processes on free ports with a private var folder, and talks to them as an app would."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 120


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningHouse:
    """``niangjia up`` as a process of its own."""

    var: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    base_url: str
    output: Path
    ports: dict[str, int]
    said_before: int = 0
    """Bytes of the output that an earlier start in the same folder wrote."""

    @classmethod
    def start(cls, var: Path, model: Path, **environment: str) -> RunningHouse:
        """Start on free ports and wait until all three processes answer."""
        ports = {"PORT": free_port(), "RASA_PORT": free_port(), "ACTIONS_PORT": free_port()}
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("TELEGRAM_")},
            **{name: str(port) for name, port in ports.items()},
            "NIANGJIA_VAR": str(var),
            "NIANGJIA_MODEL": str(model),
            "RATE_MESSAGES_PER_MINUTE": "10000",
            "RATE_CONVERSATIONS_PER_HOUR": "10000",
            **environment,
        }
        var.mkdir(parents=True, exist_ok=True)
        output = var / "up.log"
        said_before = output.stat().st_size if output.exists() else 0
        with output.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot", "up"],
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        house = cls(var, env, process, f"http://127.0.0.1:{ports['PORT']}", output, ports, said_before)
        house.wait_until_ready()
        return house

    def wait_until_ready(self) -> None:
        """Wait for the announcement; fails with the output when the house dies or takes too long."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the house ended:\n{self.logs()}")
            said = self.output.read_bytes()[self.said_before :].decode()
            if "is ready" in said and "web page" in said:
                return
            time.sleep(0.2)
        raise AssertionError(f"not ready after {READY_WITHIN_S} s:\n{self.logs()}")

    def logs(self) -> str:
        """What the processes wrote."""
        files = [self.output, *sorted((self.var / "logs").glob("*.log"))]
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-4000:]}" for file in files)

    def stop(self) -> int:
        """Ctrl-C, and wait; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)

    def command(self, *arguments: str) -> str:
        """Run a ``niangjia`` command against this house; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pid_of(self, module: str) -> int:
        """The process id of one of the three processes, by the module it runs."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and module.encode() in words:
                return int(folder.name)
        raise AssertionError(f"no process runs {module}")

    def member(self, channel: str = "api") -> Member:
        """A new member in a conversation of their own."""
        created = httpx.post(
            f"{self.base_url}/api/v1/conversations",
            json={"channel": channel, "consent": True},
            trust_env=False,
            timeout=10,
        )
        assert created.status_code in (200, 201), created.text
        body = created.json()
        return Member(self, body["conversation_id"], body["token"])


@dataclass
class Member:
    """A member who writes through the API."""

    house: RunningHouse
    conversation_id: str
    token: str
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Address of this conversation."""
        return f"{self.house.base_url}/api/v1/conversations/{self.conversation_id}"

    @property
    def headers(self) -> dict[str, str]:
        """The bearer token."""
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, **body: Any) -> httpx.Response:
        """Send one message and return the raw response."""
        body.setdefault("client_message_id", uuid.uuid4().hex)
        return httpx.post(
            f"{self.url}/messages", json=body, headers=self.headers, timeout=30, trust_env=False
        )

    def say(self, text: str) -> str:
        """Say something; everything the bot answered, as one text."""
        return self._heard(self.post(text=text))

    def press(self, title: str) -> str:
        """Press the latest button with this title."""
        for message in reversed(self.said):
            for button in message["buttons"]:
                if button["title"] == title:
                    return self._heard(self.post(payload=button["payload"]))
        titles = [button["title"] for message in self.said for button in message["buttons"]]
        raise AssertionError(f"no button {title!r} among {titles}")

    def share(self, latitude: float, longitude: float) -> str:
        """Share a location."""
        return self._heard(self.post(location={"latitude": latitude, "longitude": longitude}))

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        """The transcript after a message id."""
        got = httpx.get(
            f"{self.url}/messages", params={"after": after}, headers=self.headers, timeout=10, trust_env=False
        )
        assert got.status_code == 200, got.text
        return list(got.json()["messages"])

    def _heard(self, response: httpx.Response) -> str:
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        messages = response.json()["messages"]
        self.said += messages
        return "\n".join(message["text"] for message in messages)

    def last(self) -> dict[str, Any]:
        """The bot's latest message."""
        return self.said[-1]

    def dump(self) -> str:
        """What was said, for a failing test."""
        return json.dumps(self.said, ensure_ascii=False, indent=1)

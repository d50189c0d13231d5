"""A private PostgreSQL for one test run: its own cluster, its own port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_binaries() -> Path | None:
    """The folder with the newest initdb and pg_ctl of this machine, or None."""
    places = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda place: [int(part) for part in re.findall(r"\d+", place.parent.name)],
    )
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    usable = [place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()]
    return usable[-1] if usable else None


@contextmanager
def private_postgres(binaries: Path) -> Iterator[str]:
    """Start a cluster on a free port and give its address without a database's name; stop it at the end."""
    account = _account()
    place = Path(tempfile.mkdtemp(prefix="niangjia-pg-"))
    password = secrets.token_hex(16)
    (place / "password").write_text(password)
    if account is not None:
        for path in (place, place / "password"):
            os.chown(path, account.pw_uid, account.pw_gid)
    cluster = str(place / "data")

    def run(program: str, *arguments: str) -> None:
        # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
        with (place / "output").open("a") as output:
            finished = subprocess.run(
                [str(binaries / program), *arguments],
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                cwd=place,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(place)},
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=90,
                check=False,
            )
        if finished.returncode:
            raise RuntimeError(f"{program} failed:\n{(place / 'output').read_text()[-2000:]}")

    try:
        # Sent as it is, over the loopback only: scram would cost every test its thousands of hashes.
        secret = ("-A", "password", "--pwfile", str(place / "password"))
        run("initdb", "-D", cluster, "-U", "tester", *secret, "-E", "UTF8", "--no-sync")
        port = _free_port()
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place} "
            "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=60"
        )
        run("pg_ctl", "-D", cluster, "-o", options, "-w", "-t", "60", "start")
        try:
            yield f"postgresql+asyncpg://tester:{password}@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-D", cluster, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Whom to be instead of root, whom PostgreSQL refuses to serve; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no account to run PostgreSQL as: neither postgres nor nobody exists")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

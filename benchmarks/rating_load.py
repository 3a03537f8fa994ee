"""Is a vote saved while the rater's finger is still on the key? Fifty raters at once, a hundred votes a second.

    python benchmarks/rating_load.py [--raters 50] [--rate 100] [--seconds 30] [--url postgresql+pg8000://...]

The server runs as `miqanet study serve`. Every rater votes at a steady pace, begun at a random moment, and
fetches the image after the next one, as the page does. A vote's time runs from the moment when it was due, so
that a server which holds up its raters does not look fast. At the end the readings in the database are compared
with what was acknowledged. The raters run beside the server and take their share of the processors. With --url the
rows are kept in an empty database of that PostgreSQL server instead of SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.database.creation import begin
from miqanet.database.png import encode_png
from miqanet.database.query import Database
from miqanet.database.schema import Dataset, Image, Subject
from miqanet.database.study_schema import Reading
from miqanet.study.creation import create_study
from miqanet.study.protocol import CONFIDENCE, LOW_HIGH, QUESTION, TAGS, Protocol, artifact_tags
from miqanet.study.raters_file import Invitee
from phantoms import phantoms

_COMMAND = [sys.executable, "-c", "from miqanet.cli import main; main()", "study", "serve"]
_WARM_UP_SECONDS = 3
_VIEW = {"level": 32768, "width": 65536, "zoom": 2, "inverted": False, "background_boost": False}


@dataclass
class Measured:
    """Seconds a request, after the warm-up; and the votes that were acknowledged, from the start."""

    votes: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)


class Browser:
    """One connection of one rater."""

    def __init__(self, port: int) -> None:
        self._port, self._headers = port, ""

    async def sign_in(self, invitation: str) -> None:
        """Follow an invitation and read the CSRF token off the page."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head, _ = await self._ask("GET", f"/join/{invitation}", expect=303)
        cookie = _group(r"(?i)set-cookie: ([^;]+)", head)
        self._headers = f"Cookie: {cookie}\r\n"
        _, page = await self._ask("GET", "/")
        token = _group(r'name="csrf" content="(.+?)"', page.decode())
        self._headers += f"X-CSRF-Token: {token}\r\n"

    async def get(self, path: str) -> bytes:
        """Return what is at an address."""
        return (await self._ask("GET", path))[1]

    async def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        """Send something, and return the answer."""
        return dict(json.loads((await self._ask("POST", path, json.dumps(content).encode()))[1]))

    async def _ask(self, method: str, path: str, body: bytes = b"", expect: int = 200) -> tuple[str, bytes]:
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._headers}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        length = int(_group(r"(?i)content-length: (\d+)", answer))
        content = await self._reader.readexactly(length)
        status = int(answer.split(" ", 2)[1])
        if status != expect:
            raise SystemExit(f"{method} {path}: {status} {content[:200]!r}")
        return answer, content


def _group(pattern: str, answer: str) -> str:
    """Return what a pattern's group stands for."""
    found = re.search(pattern, answer)
    if found is None:
        raise SystemExit(f"an answer lacks {pattern}: {answer[:200]!r}")
    return found[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raters", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100, help="votes a second of all raters together")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--url", help="of an empty database on a PostgreSQL server")
    options = parser.parse_args()
    votes_each = int(options.rate / options.raters * (options.seconds + _WARM_UP_SECONDS)) + 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "database"
        tokens = _make(folder, options.url, options.raters, votes_each)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen([*_COMMAND, options.url or folder, "--port", str(port)])
        try:
            _wait(port, server)
            measured = Measured()
            before = psutil.Process(server.pid).cpu_times()
            asyncio.run(_load(port, tokens, options.rate, options.seconds, measured))
            after = psutil.Process(server.pid).cpu_times()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
        with Database.open(options.url or folder) as database, database.engine.connect() as connection:
            kept = list(connection.scalars(select(Reading.submission)))
    for name, seconds in (("votes", measured.votes), ("images", measured.images)):
        p50, p95, p99, most = np.percentile(seconds, (50, 95, 99, 100)) * 1000
        print(
            f"{name}: {len(seconds) / options.seconds:.1f} a second, "
            f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, most {most:.1f} ms"
        )
    same = sorted(kept) == sorted(measured.acknowledged)
    print(f"{len(kept)} readings kept, {'all' if same else 'NOT'} as acknowledged")
    used = after.user + after.system - before.user - before.system
    print(f"server: {1000 * used / len(kept):.1f} ms of a processor a vote and image")
    if not same:
        raise SystemExit(1)


def _make(folder: Path, url: str | None, raters: int, images: int) -> list[str]:
    """Make a database of phantoms with a study, and return the raters' invitations."""
    with begin(folder, {"created_by": "benchmarks/rating_load.py"}, url) as database:
        (folder / "images").mkdir()
        with Session(database.engine) as session, session.begin():
            subject = Subject(name="phantom", dataset=Dataset(name="phantoms"))
            for number, pixels in enumerate(phantoms(images)):
                content, path = encode_png(pixels), f"images/{number:06d}.png"
                (folder / path).write_bytes(content)
                session.add(
                    Image(
                        subject=subject,
                        path=path,
                        sha256=hashlib.sha256(content).hexdigest(),
                        rows=pixels.shape[0],
                        columns=pixels.shape[1],
                        body_part="phantom",
                        contrast="",
                        simulated=True,
                        provenance="phantom",
                    )
                )
        protocol = Protocol(
            name="Load",
            question=QUESTION,
            categories=LOW_HIGH,
            tags=artifact_tags(TAGS),
            confidence=CONFIDENCE,
            minimum_viewing_ms=0,
            per_image=raters,
            repeats=0.05,
            seed=0,
            training=(),
        )
        invitees = [Invitee(f"rater {number}", False) for number in range(raters)]
        return [each.token for each in create_study(database.engine, protocol, invitees, datetime.now(UTC))]


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if server.poll() is not None:
                raise SystemExit("the server did not start") from None
            time.sleep(0.1)


async def _load(port: int, tokens: list[str], rate: float, seconds: int, measured: Measured) -> None:
    browsers = [Browser(port) for _ in tokens]
    for browser, token in zip(browsers, tokens, strict=True):
        await browser.sign_in(token)
    interval = len(tokens) / rate
    begun = time.perf_counter() + 0.5
    rng = np.random.default_rng(0)
    starts = begun + rng.uniform(0, interval, len(tokens))
    counted = begun + _WARM_UP_SECONDS
    await asyncio.gather(
        *(
            _rate(browser, start, interval, counted, counted + seconds, measured)
            for browser, start in zip(browsers, starts, strict=True)
        )
    )


async def _rate(
    browser: Browser, due: float, interval: float, counted: float, end: float, measured: Measured
) -> None:
    work = json.loads(await browser.get("/api/work"))
    while due < end:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        submission = str(uuid.uuid4())
        answer = await browser.post(
            "/api/votes",
            {
                "presentation": work["current"]["presentation"],
                "submission": submission,
                "quality": "high",
                "tags": ["motion"],
                "confidence": 2,
                "dwell_ms": 500,
                "view": _VIEW,
            },
        )
        saved = time.perf_counter()
        measured.acknowledged.append(submission)
        work = answer["work"]
        await browser.get(work["next"]["pixels"])
        if due >= counted:
            measured.votes.append(saved - due)
            measured.images.append(time.perf_counter() - saved)
        due += interval


if __name__ == "__main__":
    main()

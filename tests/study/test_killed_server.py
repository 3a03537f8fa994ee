"""A server that is killed while eight raters vote: what it had acknowledged is there, and nothing twice."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import re
import socket
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from miqanet.cli.study import serve
from miqanet.database.query import Database
from miqanet.database.schema import Vote
from miqanet.database.study_schema import Participant, Presentation, Purpose, Reading

pytestmark = pytest.mark.system

ROUNDS = 20
RATERS = tuple(f"rater-{number}" for number in range(8))
MOST_VOTES_A_ROUND = 20
LONGEST_ROUND_SECONDS = 120


@dataclass
class Rater:
    """Votes as fast as is allowed; a vote whose answer did not come is sent again, under the same number."""

    invitation: str
    port: int
    seed: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    """Verdicts by submission."""
    refused: list[tuple[int, bytes]] = field(default_factory=list)
    stop: bool = False

    def run(self) -> None:
        rng = np.random.default_rng(self.seed)
        pending: dict[str, Any] | None = None
        while not self.stop:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                headers = self.sign_in(connection)
                while not self.stop:
                    if pending is None:
                        current = json.loads(self.ask(connection, "GET", "/api/work", headers))["current"]
                        if current is None:
                            return
                        pending = verdict(current["presentation"], rng)
                    self.ask(connection, "POST", "/api/votes", headers, json.dumps(pending))
                    self.acknowledged[pending["submission"]] = pending["quality"]
                    pending = None
                    if rng.random() < 0.1:
                        self.ask(connection, "POST", "/api/undo", headers, accept=(200, 409))
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
            finally:
                connection.close()

    def sign_in(self, connection: http.client.HTTPConnection) -> dict[str, str]:
        connection.request("GET", f"/join/{self.invitation}")
        answer = connection.getresponse()
        answer.read()
        headers = {"Cookie": (answer.getheader("set-cookie") or "").partition(";")[0]}
        page = self.ask(connection, "GET", "/", headers).decode()
        found = re.search(r'name="csrf" content="(\w+)"', page)
        assert found
        return {**headers, "X-CSRF-Token": found[1], "Content-Type": "application/json"}

    def ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: dict[str, str],
        body: str | None = None,
        accept: tuple[int, ...] = (200,),
    ) -> bytes:
        while True:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 429:
                time.sleep(0.05)
                continue
            if answer.status not in accept:
                self.refused.append((answer.status, content))
                raise OSError(answer.status)
            return content


def verdict(presentation: int, rng: np.random.Generator) -> dict[str, Any]:
    view = {"level": 1, "width": 2, "zoom": 1, "inverted": False, "background_boost": False}
    return {
        "presentation": presentation,
        "submission": str(uuid.uuid4()),
        "quality": str(rng.choice(["low", "high"])),
        "tags": [],
        "confidence": None,
        "dwell_ms": 1000,
        "view": view,
    }


def wait_until_served(port: int, process: BaseProcess) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.02)


def votes(raters: list[Rater]) -> int:
    return sum(len(rater.acknowledged) for rater in raters)


def check(place: str, raters: list[Rater]) -> int:
    """Compare what is in the database with what was acknowledged; return how many readings there are."""
    with Database.open(place) as database, database.engine.connect() as connection:
        readings = connection.execute(
            select(Reading.submission, Reading.category, Reading.vote_id, Reading.presentation_id)
        ).all()
        in_votes = set(connection.scalars(select(Vote.id)))
        presentations = {row.id: row for row in connection.execute(select(Presentation))}
        participants = connection.execute(
            select(Participant.id, Participant.done).where(Participant.rater_id.is_not(None))
        ).all()
    kept = {row.submission: row.category for row in readings}
    acknowledged = {key: value for rater in raters for key, value in rater.acknowledged.items()}
    lost = {key for key, value in acknowledged.items() if kept.get(key) != value}
    assert not lost
    doubled = [key for key, times in Counter(row.submission for row in readings).items() if times > 1]
    assert not doubled
    # At most one vote a rater was kept without its answer having come.
    assert len(kept) - len(acknowledged) <= len(raters)
    # Reading and vote are kept together, or neither is.
    read = [presentations[row.presentation_id] for row in readings]
    counted = {row.vote_id for row in readings} - {None}
    assert counted == in_votes
    assert len(counted) == sum(each.purpose is Purpose.RATING for each in read)
    # So is where the rater stands: everything before it was judged.
    judged = {(each.participant_id, each.position) for each in read}
    for participant, done in participants:
        assert {(participant, position) for position in range(done)} <= judged
    return len(readings)


@pytest.mark.timeout(3000)
def test_no_acknowledged_vote_is_lost_and_none_is_doubled(make_study, url: str | None, free_port) -> None:
    # So many images that no rater is done before the last kill.
    study = make_study(images=240, raters=RATERS, per_image=8, minimum_viewing_ms=0)
    place = url or str(study.database.folder)
    study.database.close()
    port, rng = free_port(), np.random.default_rng(5)
    raters = [Rater(study.invitations[name], port, number) for number, name in enumerate(RATERS)]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["miqanet.cli.study", "miqanet.study.app", "miqanet.web.serving"])
    threads = [threading.Thread(target=rater.run) for rater in raters]
    for thread in threads:
        thread.start()
    kept = []
    try:
        for _ in range(ROUNDS):
            process = context.Process(target=serve, args=(place, "127.0.0.1", port))
            process.start()
            wait_until_served(port, process)
            target = votes(raters) + rng.integers(1, MOST_VOTES_A_ROUND)
            deadline = time.monotonic() + LONGEST_ROUND_SECONDS
            while votes(raters) < target and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02))
            process.kill()
            process.join()
            process.close()
            kept.append(check(place, raters))
    finally:
        for rater in raters:
            rater.stop = True
        for thread in threads:
            thread.join()
    # The raters got on between all kills, and none was ever told anything but yes.
    assert len(set(kept)) == ROUNDS
    assert not any(rater.refused for rater in raters)

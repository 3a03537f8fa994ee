"""A database of a few real-looking images with a study, its rows in the folder or on a PostgreSQL server."""

from __future__ import annotations

import hashlib
import re
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from miqanet.artifacts.phantom import phantom
from miqanet.database.creation import begin
from miqanet.database.png import encode_png
from miqanet.database.query import Database
from miqanet.database.schema import Dataset, Image, Subject
from miqanet.study.app import create_app
from miqanet.study.creation import create_study
from miqanet.study.protocol import CONFIDENCE, LOW_HIGH, TAGS, Protocol, artifact_tags
from miqanet.study.raters_file import Invitee

with warnings.catch_warnings():
    # It asks for a successor of httpx; both will do.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

PROTOCOL = Protocol(
    name="Eight doctors",
    question="Is this image of diagnostic quality?",
    categories=LOW_HIGH,
    tags=artifact_tags(TAGS),
    confidence=CONFIDENCE,
    minimum_viewing_ms=100,
    per_image=2,
    repeats=0.25,
    seed=3,
    training=(),
)

SCRIPT = "<script>alert(1)</script>"


def add_images(database: Database, count: int) -> None:
    """Add phantoms whose metadata would run as a script, were it ever shown."""
    (database.folder / "images").mkdir()
    with Session(database.engine) as session, session.begin():
        subject = Subject(name=f"secret-subject {SCRIPT}", dataset=Dataset(name=f"secret-site {SCRIPT}"))
        for number in range(count):
            content = encode_png(phantom((24, 20 + number), seed=number))
            path = f"images/secret-file-{number:02}.png"
            (database.folder / path).write_bytes(content)
            session.add(
                Image(
                    subject=subject,
                    path=path,
                    sha256=hashlib.sha256(content).hexdigest(),
                    rows=24,
                    columns=20 + number,
                    body_part="brain",
                    contrast=SCRIPT,
                    simulated=False,
                    provenance=SCRIPT,
                )
            )


@dataclass
class Study:
    """A study with the tokens of its invitations."""

    database: Database
    protocol: Protocol
    invitations: dict[str, str]
    open: ExitStack

    @cached_property
    def app(self) -> Any:
        app = create_app(self.database)
        self.open.enter_context(TestClient(app))
        return app

    def client(self, name: str | None = None) -> Client:
        """Return a browser, signed in as a participant unless there is no name."""
        client = Client(self.app)
        if name is not None:
            client.sign_in(self.invitations[name])
        return client


class Client(TestClient):
    """A browser that sends the CSRF token of its page."""

    def __init__(self, app: Any) -> None:
        super().__init__(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)

    def sign_in(self, invitation: str) -> None:
        answer = self.get(f"/join/{invitation}", follow_redirects=False)
        assert answer.status_code == 303
        page = self.get("/")
        assert page.status_code == 200
        self.headers["X-CSRF-Token"] = re.search(r'name="csrf" content="(\w+)"', page.text)[1]

    def work(self) -> dict[str, Any]:
        answer = self.get("/api/work")
        assert answer.status_code == 200
        return dict(answer.json())

    def vote(self, quality: str, **changes: Any) -> Any:
        """Judge the current image."""
        if "presentation" not in changes:
            changes["presentation"] = self.work()["current"]["presentation"]
        return self.post("/api/votes", json=self.body(quality=quality, **changes))

    @staticmethod
    def body(**changes: Any) -> dict[str, Any]:
        """Return what the page sends with a verdict."""
        view = {"level": 32768, "width": 65536, "zoom": 1.5, "inverted": False, "background_boost": True}
        return {
            "submission": str(uuid.uuid4()),
            "presentation": 1,
            "quality": "low",
            "tags": [],
            "confidence": None,
            "dwell_ms": 1500,
            "view": view,
        } | changes


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where a database keeps its rows: in its folder (None), or on a PostgreSQL server."""
    if request.param == "sqlite":
        return None
    found: str = request.getfixturevalue("postgresql_url")
    return found


@contextmanager
def study_maker(folder: Path, url: str | None) -> Iterator[Callable[..., Study]]:
    """Give a maker of one study; its arguments change the protocol."""
    with ExitStack() as stack:

        def make(images: int = 6, raters: tuple[str, ...] = ("ann", "ben"), **changes: Any) -> Study:
            database = stack.enter_context(begin(folder, {"created_by": "a test"}, url))
            add_images(database, images)
            protocol = replace(PROTOCOL, **changes)
            invitees = [*(Invitee(name, False) for name in raters), Invitee("boss", True)]
            invitations = create_study(database.engine, protocol, invitees, NOW)
            return Study(database, protocol, {each.name: each.token for each in invitations}, stack)

        yield make


@pytest.fixture
def make_study(tmp_path: Path, url: str | None) -> Iterator[Callable[..., Study]]:
    with study_maker(tmp_path / "database", url) as make:
        yield make


@pytest.fixture
def make_local_study(tmp_path: Path) -> Iterator[Callable[..., Study]]:
    """For what does not depend on where the rows are."""
    with study_maker(tmp_path / "database", None) as make:
        yield make


@pytest.fixture
def make_database(tmp_path: Path) -> Iterator[Callable[[int], tuple[Database, Protocol]]]:
    """Return a maker of a database without a study, and a protocol for one."""
    with ExitStack() as stack:

        def make(images: int) -> tuple[Database, Protocol]:
            database = stack.enter_context(begin(tmp_path / "database", {"created_by": "a test"}))
            add_images(database, images)
            return database, PROTOCOL

        yield make

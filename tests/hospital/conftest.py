"""Series with verdicts, and the judges of DICOM objects: dicom3tools and dcmtk."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Cookies, Response
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

from miqanet.hospital.arrival import Arrival
from miqanet.hospital.config import Config, read_config
from miqanet.hospital.ingest import Ingest
from miqanet.hospital.node_database import open_node_database, upgrade_node_database
from miqanet.hospital.node_schema import AuditMessage
from miqanet.hospital.patient_study import extract
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.records import Device, Identity, ImageReference, ImageResult, SeriesResult
from miqanet.hospital.rest import create_app
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore
from miqanet.hospital.tokens import Permission, Tokens
from miqanet.verdict import Finding, Quality, Verdict


def _verdict(outcome: str, findings: tuple[Finding, ...]) -> Verdict | None:
    if outcome == "error":
        return None
    quality, probability, review = {
        "high": (Quality.HIGH, 0.03, False),
        "low": (Quality.LOW, 0.93, False),
        "review": (Quality.HIGH, 0.45, True),
    }[outcome]
    return Verdict(quality, probability, review, findings, "miqanet 0.1.0", 0.5)


@pytest.fixture
def store(sqlite_engine: Engine) -> NodeStore:
    """The rows of a node on SQLite."""
    return NodeStore(sqlite_engine)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """The spool folder of a node."""
    return Spool(tmp_path / "spool")


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """The pictures in that folder."""
    return Pictures(tmp_path / "spool")


@pytest.fixture
def result() -> Callable[..., ImageResult]:
    """Return a maker of an image's result: `high`, `low`, `review` or `error`."""

    def make(outcome: str, *findings: Finding, number: int = 1, frame: int | None = None) -> ImageResult:
        sop_class = MRImageStorage if frame is None else EnhancedMRImageStorage
        image = ImageReference(sop_class, f"1.2.826.0.1.3.{number}", frame)
        reason = "its pixels are cut short" if outcome == "error" else ""
        return ImageResult(image, _verdict(outcome, findings), reason)

    return make


@pytest.fixture
def patient() -> Dataset:
    """Return what a well-filled image says of patient and study."""
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID, dataset.PatientSex = "Doe^Jane", "4711", "F"
    dataset.PatientBirthDate, dataset.PatientAge = "19700131", "056Y"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260102", "030405", "7"
    dataset.AccessionNumber, dataset.StudyDescription = "A1", "MR knee"
    dataset.ReferringPhysicianName = "Referring^Physician"
    return dataset


@pytest.fixture
def series(patient: Dataset) -> Callable[..., SeriesResult]:
    """Return a maker of a series from the results of its images."""

    def make(*images: ImageResult, source: Dataset = patient) -> SeriesResult:
        return SeriesResult("1.2.826.0.1.1", "1.2.826.0.1.2", images, extract(source))

    return make


@pytest.fixture
def identity() -> Identity:
    """Return what is fixed of a document."""
    created = datetime(2026, 1, 2, 3, 4, 5, 678, timezone(timedelta(hours=2)))
    return Identity("2.25.1001", "2.25.1002", 9001, 1, created)


@pytest.fixture
def device() -> Device:
    """Return a node."""
    return Device("2.25.1003", "MIQANET", "0.1.0")


@pytest.fixture
def reread(tmp_path: Path) -> Callable[[Dataset], Dataset]:
    """Return a function that writes an object to a file and reads it."""

    def read(document: Dataset) -> Dataset:
        path = tmp_path / f"{document.SOPInstanceUID}.dcm"
        document.save_as(path, enforce_file_format=True)
        return dcmread(path)

    return read


@pytest.fixture
def passes_dciodvfy(tmp_path: Path) -> Callable[[Dataset], bool]:
    """Return a check that dciodvfy finds no error in an object; what it finds is printed.

    Tests that use it are system tests.
    """
    if shutil.which("dciodvfy") is None:
        pytest.skip("dicom3tools is not installed")

    def check(document: Dataset) -> bool:
        path = tmp_path / f"{document.SOPInstanceUID}.dcm"
        document.save_as(path, enforce_file_format=True)
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace")
        errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
        print(*errors, sep="\n")
        return done.returncode == 0 and not errors

    return check


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def node_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The engine of an empty node database at the newest revision."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/node.sqlite"
    else:
        url = request.getfixturevalue("postgresql_url")
    engine = open_node_database(url)
    upgrade_node_database(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """The engine of an empty node database in a file, where the kind of database does not matter."""
    engine = open_node_database(f"sqlite:///{tmp_path}/node.sqlite")
    upgrade_node_database(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def mr_image(patient: Dataset) -> Callable[..., Dataset]:
    """Return a maker of whole MR images, of one series, of which a share of the rows is bright."""

    def make(number: int = 1, share: float = 0.5, side: int = 32) -> Dataset:
        dataset = Dataset()
        dataset.update(patient)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, f"1.2.826.0.1.3.{number}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.0.1.1", "1.2.826.0.1.2"
        dataset.Modality, dataset.InstanceNumber, dataset.SeriesNumber = "MR", number, 7
        pixels = np.zeros((side, side), np.uint16)
        pixels[: round(side * share)] = 1000
        dataset.set_pixel_data(pixels, "MONOCHROME2", 12, generate_instance_uid=False)
        return dataset

    return make


@pytest.fixture
def as_file() -> Callable[[Dataset], BytesIO]:
    """Return a function that gives an object as a file in memory."""

    def write(dataset: Dataset) -> BytesIO:
        file = BytesIO()
        dataset.save_as(file, enforce_file_format=True)
        file.seek(0)
        return file

    return write


@pytest.fixture
def arrival(patient: Dataset) -> Callable[[int], Arrival]:
    """Return a maker of arrivals, the images of one series."""

    def make(number: int) -> Arrival:
        return Arrival(
            study_instance_uid="1.2.826.0.1.1",
            series_instance_uid="1.2.826.0.1.2",
            sop_class_uid=MRImageStorage,
            sop_instance_uid=f"1.2.826.0.1.3.{number}",
            path=f"images/{number}",
            instance_number=number,
            series_number=7,
            series_description="T1 sag",
            accession_number="A1",
            scanner="MR-2",
            patient_study=extract(patient),
        )

    return make


@pytest.fixture
def many(node_engine: Engine, arrival: Callable[[int], Arrival], result: Callable[..., ImageResult]) -> None:
    """Nine series of three studies, three scanners; each third one is low."""
    store = NodeStore(node_engine)
    for number in range(9):
        series = replace(
            arrival(number),
            study_instance_uid=f"1.2.{number // 3}",
            series_instance_uid=f"1.2.9.{number}",
            scanner=f"MR {number % 3}",
        )
        # Two at a time come at the same moment.
        store.add_image(series, 1000.0 + number // 2)
        (taken,) = store.take_images(2e9, 1.0, 1)
        store.add_verdicts(taken.id, [result("high" if number % 3 else "low")])


class Client:
    """Asks an application without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.address = "127.0.0.1"
        self.cookies = Cookies()

    def request(self, method: str, address: str, **options: Any) -> Response:
        async def ask() -> Response:
            transport = ASGITransport(self.app, client=(self.address, 4711))
            async with AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8042", cookies=self.cookies
            ) as client:
                answer = await client.request(method, address, **options)
                self.cookies = client.cookies
                return answer

        # In a thread: a browser of other tests may have a loop in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, ask()).result()

    def get(self, address: str, **options: Any) -> Response:
        return self.request("GET", address, **options)

    def post(self, address: str, **options: Any) -> Response:
        return self.request("POST", address, **options)


@dataclass(frozen=True)
class Site:
    """The web side of a node over SQLite, asked without a socket."""

    config: Config
    engine: Engine
    store: NodeStore
    pictures: Pictures
    api: FastAPI
    client: Client
    tokens: Mapping[str, str]
    """By the words of their permissions."""

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def get(self, address: str, who: str = "read", **options: Any) -> Response:
        return self.client.get(address, headers=self.headers(who), **options)

    def sign_in(self, who: str = "read") -> None:
        """Let the page know the client by its cookie from now on."""
        self.client.cookies.set("node", self.tokens[who])

    def audited(self) -> list[str]:
        with Session(self.engine) as session:
            return list(session.scalars(select(AuditMessage.content).order_by(AuditMessage.id)))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The web side of an empty node, with a token of each kind."""
    (tmp_path / "miqanet.toml").write_text(
        '[[dicom.peers]]\nae_title = "SCANNER1"\naddresses = ["10.0.3.17"]\n'
        '[storage]\nspool = "spool"\n'
        '[[archives]]\nname = "pacs"\nurl = "http://127.0.0.1:1"\n'
        "[web]\nrequests_per_second = 1000\n"
        '[web.proxy]\naddresses = ["10.9.9.9"]\nreaders = ["mr"]\nadmins = ["pacs"]\nnames = ["mr"]\n',
        encoding="utf-8",
    )
    config = read_config(tmp_path / "miqanet.toml")
    spool = Spool(config.storage.spool)
    engine = open_node_database(config.storage.database_url)
    upgrade_node_database(engine)
    users = Tokens(config.web.tokens)
    tokens = {
        words: users.add(words, [Permission(word) for word in words.split("+")])
        for words in ("read", "read+names", "send", "admin")
    }
    store = NodeStore(engine)
    application = create_app(engine, config, Ingest(spool, store))
    client = Client(application.served)
    yield Site(config, engine, store, Pictures(config.storage.spool), application.api, client, tokens)
    engine.dispose()

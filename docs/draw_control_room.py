"""Draw the pictures of the control room: phantoms that simulated artifacts spoil, received and judged by a node."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image as Picture
from playwright.sync_api import sync_playwright
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session

from miqanet.artifacts import ARTIFACTS, Noise
from miqanet.artifacts.phantom import phantom
from miqanet.hospital.config import Config, read_config
from miqanet.hospital.ingest import Ingest
from miqanet.hospital.judging import Judge
from miqanet.hospital.node_database import open_node_database, upgrade_node_database
from miqanet.hospital.node_schema import ScoreCount, Series
from miqanet.hospital.pictures import Pictures
from miqanet.hospital.rest import create_app, uvicorn_config
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore
from miqanet.hospital.tallies import BINS, local_day
from miqanet.hospital.tokens import Permission, Tokens
from miqanet.screening.card import default_weights
from miqanet.screening.engine import Engine as Network

FOLDER = Path(__file__).resolve().parent / "images"
PORT = 18_042
IMAGES = 10
"""Of a series."""

_SERIES = (
    ("MR 1", "T2 TSE ax", "", 0.0),
    ("MR 3", "FLAIR ax", "", 0.0),
    ("MR 2", "T1 MPRAGE sag", "noise", 0.85),
    ("MR 1", "DWI b1000 ax", "", 0.0),
    ("MR 2", "T2 FLAIR cor", "noise", 0.35),
    ("MR 3", "T1 SE ax", "", 0.0),
    ("MR 1", "SWI ax", "metal", 1.0),
    ("MR 2", "T2 TSE sag", "", 0.0),
    ("MR 3", "TOF ax", "noise", 1.0),
    ("MR 1", "T1 TSE cor", "", 0.0),
    ("MR 2", "PD FS sag", "zipper", 1.0),
    ("MR 1", "T2 TSE ax", "", 0.0),
    ("MR 3", "STIR cor", "", 0.0),
    ("MR 2", "T1 FS post", "spike", 0.9),
)
"""Scanner, description, and what spoils two thirds of the images, how much."""

_CONFIGURATION = f"""
[[dicom.peers]]
ae_title = "MR1"
addresses = ["127.0.0.1"]

[web]
port = {PORT}

[storage]
spool = "spool"

[[archives]]
name = "PACS"
ae_title = "PACS"
host = "127.0.0.1"
port = 104
"""


def draw(folder: Path = FOLDER) -> None:
    """Write what a browser shows of the list and of the drift."""
    with TemporaryDirectory() as name, running(Path(name)) as token, sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme="dark")
        page.goto(f"http://127.0.0.1:{PORT}/login")
        page.fill("#token", token)
        page.press("#token", "Enter")
        page.wait_for_selector("#detail .heat")
        page.wait_for_load_state("networkidle")
        _save(page.screenshot(), folder / "control-room.png")
        page.goto(f"http://127.0.0.1:{PORT}/drift")
        _save(page.screenshot(), folder / "drift.png")
        browser.close()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Serve the page of a node that has received and judged the series; yield a token that may read."""
    (folder / "miqanet.toml").write_text(_CONFIGURATION, encoding="utf-8")
    config = read_config(folder / "miqanet.toml")
    spool, store, engine = _open(config)
    ingest = Ingest(spool, store)
    pictures = Pictures(config.storage.spool)
    judge = Judge(Network(default_weights(), threads=1), store, spool, pictures, heat_maps=False)
    for number, (scanner, description, kind, severity) in enumerate(_SERIES):
        for content in _series(number, scanner, description, kind, severity):
            ingest(content, scanner)
    while judge.work(time.time()):
        pass
    _spread(engine)
    _seed_history(engine)
    token = Tokens(config.web.tokens).add("control-room", [Permission.READ])
    server = uvicorn.Server(uvicorn_config(create_app(engine, config, ingest).served, config.web))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield token
    finally:
        server.should_exit = True
        thread.join()
        engine.dispose()


def _open(config: Config) -> tuple[Spool, NodeStore, Engine]:
    spool = Spool(config.storage.spool)
    engine = open_node_database(config.storage.database_url)
    upgrade_node_database(engine)
    return spool, NodeStore(engine), engine


def _series(number: int, scanner: str, description: str, kind: str, severity: float) -> Iterator[BytesIO]:
    """Yield the DICOM files of a series."""
    rng = np.random.default_rng(number)
    study, series = generate_uid(), generate_uid()
    spoiled = range(1, 1 + IMAGES * 2 // 3)
    for instance in range(IMAGES):
        pixels = Noise(snr=50, seed=100 * number + instance).apply(
            phantom((256, 256), seed=100 * number + instance)
        )
        if kind and instance in spoiled:
            pixels = ARTIFACTS[kind].draw(rng, pixels.shape).at(severity).apply(pixels)
        dataset = _dataset(pixels)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.AccessionNumber = f"A{20_417 + number // 3}"
        dataset.SeriesNumber, dataset.InstanceNumber = 2 + number % 7, instance + 1
        dataset.SeriesDescription, dataset.StationName = description, scanner
        file = BytesIO()
        dataset.save_as(file, enforce_file_format=True)
        file.seek(0)
        yield file


def _dataset(image: NDArray[np.float32]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, generate_uid()
    dataset.PatientName, dataset.PatientID = "Phantom", "0"
    dataset.Modality = "MR"
    dataset.Rows, dataset.Columns = image.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = np.rint(image * (60_000 / image.max())).astype("<u2").tobytes()
    return dataset


def _spread(engine: Engine) -> None:
    """Let the series have come in one after another, the last of them just now."""
    now = time.time()
    with Session(engine) as session, session.begin():
        for number in range(1, len(_SERIES) + 1):
            ago = 20.0 + 240 * (len(_SERIES) - number)
            values = {"first_received": now - ago - 60, "last_received": now - ago}
            session.execute(update(Series).where(Series.id == number).values(values))


def _seed_history(engine: Engine) -> None:
    """Let there be a month of scores before today: one scanner gets worse from one day on."""
    rng = np.random.default_rng(0)
    rows = []
    for scanner, low_share in (("MR 1", 0.03), ("MR 2", 0.04), ("MR 3", 0.02)):
        for ago in range(1, 30):
            day = local_day(time.time() - 86_400 * ago)
            weekend = datetime.fromisoformat(day).weekday() > 4
            images = int(rng.poisson(60 if weekend else 420))
            share = low_share * (3.5 if scanner == "MR 2" and ago < 9 else 1.0)
            low = rng.random(images) < share
            scores = np.where(low, rng.beta(9, 2, images), rng.beta(0.6, 7, images))
            bins = np.minimum((BINS * scores).astype(int), BINS - 1)
            rows += [
                {
                    "day": day,
                    "scanner": scanner,
                    "bin": each,
                    "judged": int((bins == each).sum()),
                    "low": int(((bins == each) & low).sum()),
                    "review": int(((bins == each) & (scores > 0.35) & (scores < 0.65)).sum()),
                }
                for each in np.unique(bins).tolist()
            ]
    with Session(engine) as session, session.begin():
        session.execute(insert(ScoreCount), rows)


def _save(shot: bytes, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    # By coverage: colors of a few small words count as much as those of the large picture.
    few = Picture.open(BytesIO(shot)).convert("RGB").quantize(256, Picture.Quantize.MAXCOVERAGE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    draw()

"""How long the control room's page takes to answer, with a database of a given number of series.

    python benchmarks/control_room.py [--series 100000] [--images 10] [--url postgresql+pg8000://...]

Prints how long answers of each address take, asked one after another, in milliseconds: the median, the 95th in a
hundred, the slowest, and the processor's time of one answer, which other load on the machine lengthens less. The
target is 200 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from httpx import ASGITransport, AsyncClient
from pydicom import Dataset
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from miqanet.hospital.config import read_config
from miqanet.hospital.ingest import Ingest
from miqanet.hospital.node_database import open_node_database, upgrade_node_database
from miqanet.hospital.node_schema import Image, ScoreCount, Series, SeriesState, Verdict, WorkState
from miqanet.hospital.patient_study import extract
from miqanet.hospital.records import Grade
from miqanet.hospital.rest import create_app
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore
from miqanet.hospital.tallies import BINS, local_day
from miqanet.hospital.tokens import Permission, Tokens
from miqanet.verdict import Quality

SCANNERS = tuple(f"MR {number}" for number in range(1, 9))
DAYS = 90
AT_ONCE = 2_000
REPEATS = 40
TARGET_MS = 200
ADDRESSES = (
    "/",
    "/live",
    "/live?verdict=repeat",
    "/live?scanner=MR+3&verdict=repeat",
    "/live?scanner=MR+3&verdict=check",
    "/live?accession=A77",
    "/series/{middle}",
    "/drift?days=90",
)


def seed(engine: Engine, series: int, images: int) -> None:
    """Fill a database with judged series of the last days: one image in twelve is low."""
    rng = np.random.default_rng(0)
    patient = Dataset()
    patient.PatientName, patient.PatientID = "Benchmark^Of", "0"
    about, now = extract(patient), time.time()
    for first in range(1, series + 1, AT_ONCE):
        ids = range(first, min(first + AT_ONCE, series + 1))
        scores = rng.beta(0.4, 2.5, (len(ids), images))
        rows: dict[type, list[dict[str, object]]] = {Series: [], Image: [], Verdict: []}
        for index, series_id in enumerate(ids):
            received = now - 86_400 * DAYS * (1 - series_id / series)
            own = scores[index]
            worst, low = int(own.argmax()), int((own > 0.5).sum())
            grade = Grade.NON_DIAGNOSTIC if low >= 0.2 * images else Grade.DIAGNOSTIC
            first_image = (series_id - 1) * images + 1
            rows[Series].append(
                {
                    "id": series_id,
                    "study_instance_uid": f"1.2.{series_id // 5}",
                    "series_instance_uid": f"1.3.{series_id}",
                    "series_number": series_id % 5,
                    "series_description": "T2 TSE ax",
                    "accession_number": f"A{series_id // 5}",
                    "scanner": SCANNERS[series_id % len(SCANNERS)],
                    "patient_study": about,
                    "first_received": received,
                    "last_received": received,
                    "state": SeriesState.REPORTED,
                    "revision": 1,
                    "received_images": images,
                    "done_images": images,
                    "judged": images,
                    "low": low,
                    "review": 0,
                    "undisputed": low,
                    "doubtful": low,
                    "grade": grade,
                    "worst_verdict_id": first_image + worst,
                    "worst_probability": float(own[worst]),
                }
            )
            for number in range(images):
                image_id = first_image + number
                rows[Image].append(
                    {
                        "id": image_id,
                        "series_id": series_id,
                        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.4",
                        "sop_instance_uid": f"1.4.{image_id}",
                        "instance_number": number + 1,
                        "path": None,
                        "received": received,
                        "revision": 1,
                        "state": WorkState.DONE,
                        "due": received,
                        "attempts": 1,
                    }
                )
                rows[Verdict].append(
                    {
                        "id": image_id,
                        "image_id": image_id,
                        "frame": 0,
                        "quality": Quality.LOW if own[number] > 0.5 else Quality.HIGH,
                        "probability_low": float(own[number]),
                        "review": False,
                        "findings": [["motion", 0.9]] if own[number] > 0.5 else [],
                        "model_version": "miqanet 1",
                        "threshold": 0.5,
                        "reason": "",
                    }
                )
        with Session(engine) as session, session.begin():
            for row, values in rows.items():
                session.execute(insert(row), values)
    counts = [
        {
            "day": local_day(now - 86_400 * day),
            "scanner": scanner,
            "bin": number,
            "judged": 100,
            "low": 5,
            "review": 3,
        }
        for day in range(DAYS)
        for scanner in SCANNERS
        for number in range(BINS)
    ]
    with Session(engine) as session, session.begin():
        session.execute(insert(ScoreCount), counts)


async def ask(app: object, token: str, address: str) -> tuple[list[float], float]:
    """Return how long answers take, sorted, and the processor's time of one, in milliseconds."""
    transport = ASGITransport(app, client=("127.0.0.1", 1))  # type: ignore[arg-type]
    cookies = {"node": token}
    async with AsyncClient(transport=transport, base_url="http://127.0.0.1:8042", cookies=cookies) as client:
        (await client.get(address)).raise_for_status()
        times = []
        worked = time.process_time()
        for _ in range(REPEATS):
            begin = time.perf_counter()
            answer = await client.get(address)
            times.append(1000 * (time.perf_counter() - begin))
            answer.raise_for_status()
        return sorted(times), 1000 * (time.process_time() - worked) / REPEATS


def main() -> None:
    """Seed a database and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--images", type=int, default=10, help="of each series")
    parser.add_argument("--url", help="of an empty PostgreSQL database; SQLite without it")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        file = Path(name) / "miqanet.toml"
        url = f'database_url = "{options.url}"\n' if options.url else ""
        file.write_text(
            f'[[dicom.peers]]\nae_title = "A"\naddresses = ["127.0.0.1"]\n[storage]\nspool = "spool"\n{url}'
        )
        config = read_config(file)
        spool = Spool(config.storage.spool)
        engine = open_node_database(config.storage.database_url)
        upgrade_node_database(engine)
        begin = time.perf_counter()
        seed(engine, options.series, options.images)
        print(f"{options.series:,} series, {options.series * options.images:,} images, {engine.dialect.name}")
        print(f"seeded in {time.perf_counter() - begin:.0f} s\n")
        token = Tokens(config.web.tokens).add("benchmark", [Permission.READ, Permission.NAMES])
        app = create_app(engine, config, Ingest(spool, NodeStore(engine))).served
        print(f"{'ms':<36}{'median':>8}{'95 %':>8}{'slowest':>9}{'processor':>11}")
        worst = 0.0
        for address in ADDRESSES:
            times, worked = asyncio.run(ask(app, token, address.format(middle=options.series // 2)))
            p95 = times[int(0.95 * len(times))]
            worst = max(worst, p95)
            print(f"{address:<36}{times[len(times) // 2]:>8.1f}{p95:>8.1f}{times[-1]:>9.1f}{worked:>11.1f}")
        verdict = "within" if worst <= TARGET_MS else "BEYOND"
        print(f"\n95th of the slowest address: {worst:.0f} ms, {verdict} the target of {TARGET_MS} ms")
        engine.dispose()


if __name__ == "__main__":
    main()

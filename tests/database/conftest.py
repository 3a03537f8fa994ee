"""A folder of clean images such as a user has, with two datasets and body parts; a database of each make."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from sqlalchemy import Engine

from miqanet.artifacts.phantom import phantom
from miqanet.database.store import connect, open_engine


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(path)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    folder = tmp_path / "clean"
    rows = []
    for number in range(6):
        dataset, body_part = ("site-a", "brain/head") if number < 4 else ("site-b", "knee axial")
        name = f"{dataset}/image_{number}.png"
        save(folder / name, phantom((72, 64), seed=number))
        rows.append((name, dataset, f"subject_{number // 2}", body_part, "T1w", "n"))
    for name, body_part, artifact in (
        ("natural/ghosts.png", "brain", ""),
        ("site-a/noisy.png", "brain", "y (low SNR)"),
        ("site-b/bottle.png", "phantom", "n"),
    ):
        save(folder / name, phantom((72, 64), seed=len(name)))
        rows.append((name, "site-c", "subject_9", body_part, "T2w", artifact))
    with (folder / "MANIFEST.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "dataset", "subject", "body_part", "modality_contrast", "natural_artefact"))
        writer.writerows(rows)
    return folder


@pytest.fixture
def write_dicom(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of MR files that tell their patient: path below `tmp_path`, pixels, elements to set."""

    def write(name: str, pixels: np.ndarray | None = None, **elements: Any) -> Path:
        if pixels is None:
            pixels = phantom((72, 64), seed=zlib.crc32(name.encode()))
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.Modality = MRImageStorage, "MR"
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[name])
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series"])
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Doe^Jane", "4711", "19700101"
        dataset.InstitutionName, dataset.SeriesDescription = "General Hospital", "t2_tse Mrs Doe"
        dataset.Rows, dataset.Columns = pixels.shape[-2:]
        if pixels.ndim == 3:
            dataset.NumberOfFrames = len(pixels)
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = (
            16,
            16,
            15,
            0,
        )
        dataset.PixelData = np.round(pixels * 4000).astype("<u2").tobytes()
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where a database keeps its rows: in its folder (None), or on a PostgreSQL server."""
    if request.param == "sqlite":
        return None
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def engine(url: str | None, tmp_path: Path) -> Iterator[Engine]:
    """The engine of an empty database without tables."""
    made = connect(url) if url else open_engine(tmp_path)
    yield made
    made.dispose()


@pytest.fixture
def a_reading() -> dict[str, dict[str, Any]]:
    """A row a table, up to a rater's vote that an image is low, and its reading."""
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return {
        "datasets": {"id": 1, "name": "site-a"},
        "subjects": {"id": 1, "dataset_id": 1, "name": "sub-01"},
        "images": {
            "id": 1, "subject_id": 1, "path": "images/0.png", "sha256": "a", "rows": 8, "columns": 9,
            "body_part": "knee", "contrast": "T1w", "simulated": False, "provenance": "test",
        },
        "raters": {"id": 1, "name": "ann", "simulated": False},
        "votes": {"id": 1, "image_id": 1, "rater_id": 1, "quality": "low"},
        "protocols": {"id": 1, "version": "v1", "created_at": noon, "content": {}},
        "participants": {
            "id": 1, "name": "ann", "rater_id": 1, "invitation_hash": "a", "total": 1, "done": 1, "reached": 1,
        },
        "presentations": {"id": 1, "participant_id": 1, "position": 0, "image_id": 1, "purpose": "rating"},
        "readings": {
            "id": 1, "presentation_id": 1, "protocol_id": 1, "vote_id": 1, "submission": "s", "category": "low",
            "tags": [], "dwell_ms": 900, "view": {}, "cast_at": noon,
        },
    }  # fmt: skip

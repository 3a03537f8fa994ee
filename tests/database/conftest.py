"""A folder of clean images such as a user has: two datasets, two body parts, several slices a subject."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from miqanet.artifacts.phantom import phantom


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

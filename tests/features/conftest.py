"""What tests of the classical methods share: the values that the authors' releases give for some images."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Reference = tuple[str, NDArray[np.float64], NDArray[np.float64]]
"""Name of an image, its pixels, and its features as the release computes them."""


@pytest.fixture(scope="session")
def nriqa() -> Path:
    """The folder of images and reference values; it is no part of the project."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "nriqa"
    folder = Path(os.environ.get("MIQANET_NRIQA", beside))
    if not folder.is_dir():
        pytest.skip(f"no reference values at {folder}")
    return folder


@pytest.fixture(scope="session")
def references(nriqa: Path) -> Callable[[str], list[Reference]]:
    """Read the reference values of a method, every image of them."""

    def read(method: str) -> list[Reference]:
        with (nriqa / f"reference_{method}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows
        return [
            (
                row["image"],
                np.asarray(Image.open(nriqa / "images" / row["image"]), np.float64),
                np.array([float(value) for key, value in row.items() if key[0] == "f" and key[1:].isdigit()]),
            )
            for row in rows
        ]

    return read

"""What tests of more than one package need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def pool() -> Path:
    """The folder of real MR images that some tests want on top; they are no part of the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "mr-pool"
    folder = Path(os.environ.get("MIQANET_POOL", beside))
    if not folder.is_dir():
        pytest.skip(f"no MR pool at {folder}")
    return folder

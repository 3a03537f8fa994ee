from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from miqanet.artifacts.phantom import phantom
from miqanet.database.build import build
from miqanet.database.checking import check
from miqanet.database.creation import begin
from miqanet.database.importing import import_images
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.database.query import Database


@pytest.fixture
def built(clean: Path, tmp_path: Path) -> Path:
    build(clean, tmp_path / "out", low=2, high=3)
    return tmp_path / "out"


def test_a_database_as_it_was_written_is_sound(built: Path) -> None:
    with Database.open(built) as database:
        summary = check(database)
    assert summary.sound
    assert summary.files == 6 + 5


def test_missing_and_changed_files_are_named(built: Path) -> None:
    (built / "images" / "000001.png").unlink()
    changed = built / "sources" / "000002.png"
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    with Database.open(built) as database:
        summary = check(database)
    assert summary.missing == ["images/000001.png"]
    assert summary.changed == ["sources/000002.png"]
    assert not summary.sound


def test_one_picture_of_two_subjects_is_found_and_two_of_one_subject_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    pixels = 200 * phantom((96, 96), seed=3)
    for name, brighter in (("sub-1_a", 0), ("sub-1_b", 1), ("sub-2_a", 2)):
        Picture.fromarray(np.round(pixels + brighter * (pixels > 0)).astype(np.uint8)).save(
            folder / f"{name}.png"
        )
    with begin(tmp_path / "out", {}) as database:
        assert import_images(folder, database, Pseudonyms(b"k" * 32)).added == 3
        pairs = check(database).near_duplicates
    assert len(pairs) == 2
    assert len({pair.path for pair in pairs} | {pair.other for pair in pairs}) == 3

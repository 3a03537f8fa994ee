from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.database.build import build
from miqanet.database.query import Database
from miqanet.database.records import ImageRecord
from miqanet.database.schema import Image, Label
from miqanet.database.store import FILE_NAME, open_engine
from miqanet.verdict import Quality


def test_subjects_datasets_and_kinds_are_told(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=6, high=10)
    with Database.open(tmp_path / "out" / FILE_NAME) as database:
        subjects, sources, images = database.subjects(), database.sources(), database.images()
        assert database.properties()["seed"] == "0"
    assert sorted((each.dataset, *each.body_parts) for each in subjects) == [
        ("site-a", "brain"),
        ("site-a", "brain"),
        ("site-b", "knee"),
    ]
    assert len(sources) == 6
    assert {image.subject for image in images} <= {each.subject for each in subjects}
    for image in images:
        assert image.low == bool(image.kinds)
        assert set(image.kinds) <= set(image.harms)
        assert image.path.is_file()


def test_two_opinions_on_one_image_are_no_label(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=1)
    engine = open_engine(tmp_path / "out")
    with Session(engine) as session, session.begin():
        image = session.scalars(select(Image)).first()
        assert image is not None
        session.add(Label(image_id=image.id, quality=Quality.LOW, provenance="someone else"))
    engine.dispose()
    with Database.open(tmp_path / "out") as database, pytest.raises(ValueError, match="several provenances"):
        database.images()


def test_no_database_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="miqanet database build"):
        Database.open(tmp_path)


def test_kinds_are_those_that_spoil_the_image() -> None:
    harms = {"zipper": 1.0, "noise": 0.99, "blur": 3.0}
    record = ImageRecord(Path("x"), 1, "d", "brain", "T1w", low=True, harms=harms, simulated=True)
    assert record.kinds == ("blur", "zipper")

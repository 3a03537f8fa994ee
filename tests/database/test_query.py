from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, insert, select, update
from sqlalchemy.orm import Session

from miqanet.database.build import build
from miqanet.database.creation import begin
from miqanet.database.query import Database
from miqanet.database.raters import RATERS
from miqanet.database.records import ImageRecord, VoteRecord
from miqanet.database.schema import Artifact, Base, Label, Rater, Vote
from miqanet.database.store import FILE_NAME, FOLDER, connect, open_engine, upgrade
from miqanet.database.study_schema import Participant, Reading
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
        assert image.low == (image.low_votes > 0.5)
        assert set(image.kinds) <= set(image.harms)
        assert image.path.is_file()


def test_the_severity_is_that_of_the_artifact_that_does_most_harm(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=6, high=6)
    with Database.open(tmp_path / "out") as database:
        with Session(database.engine) as session:
            artifacts = session.scalars(select(Artifact)).all()
        for image in database.images():
            own = [(each.harm, each.severity) for each in artifacts if each.image_id == image.image]
            assert image.severity == (max(own)[1] if own else None)


def test_a_rater_who_votes_again_is_counted_once_by_the_latest_vote(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=1)
    with Database.open(tmp_path / "out") as database:
        before = database.votes()
        assert [rater.name for rater in database.raters()] == [rater.name for rater in RATERS]
        assert all(rater.simulated for rater in database.raters())
        assert len(before) == 16
        changed = before[3]
        with Session(database.engine) as session, session.begin():
            rater = session.scalars(select(Rater).filter_by(name=changed.rater)).one()
            quality = Quality.HIGH if changed.low else Quality.LOW
            session.add(Vote(image_id=changed.image, rater=rater, quality=quality))
        after = database.votes()
    assert after == [VoteRecord(v.image, v.rater, v.low != (v == changed)) for v in before]


def test_a_reading_that_was_taken_back_is_no_vote(
    tmp_path: Path, url: str | None, a_reading: dict[str, dict[str, Any]]
) -> None:
    low, high = (VoteRecord(1, "ann", low=low) for low in (True, False))
    with begin(tmp_path / "out", {"seed": "1"}, url) as database:

        def votes_when(done: int) -> list[VoteRecord]:
            with database.engine.begin() as connection:
                connection.execute(update(Participant).values(done=done))
            return database.votes()

        with database.engine.begin() as connection:
            for table, row in a_reading.items():
                connection.execute(insert(Base.metadata.tables[table]), row)
        assert votes_when(done=1) == [low]
        assert votes_when(done=0) == []
        with database.engine.begin() as connection:
            connection.execute(insert(Vote), a_reading["votes"] | {"id": 2, "quality": Quality.HIGH})
            second = {"id": 2, "vote_id": 2, "submission": "t", "category": "high"}
            connection.execute(insert(Reading), a_reading["readings"] | second)
        assert votes_when(done=1) == [high]
        assert votes_when(done=0) == []
        # Imported votes have no reading that could be taken back.
        with database.engine.begin() as connection:
            connection.execute(insert(Vote), a_reading["votes"] | {"id": 3, "quality": Quality.LOW})
        assert votes_when(done=0) == [low]


def test_two_opinions_on_one_image_are_no_label(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=1)
    with Database.open(tmp_path / "out") as database:
        with Session(database.engine) as session, session.begin():
            session.add(Label(image_id=1, quality=Quality.LOW, provenance="someone else"))
        with pytest.raises(ValueError, match="several provenances"):
            database.images()


def test_no_database_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="miqanet database build"):
        Database.open(tmp_path)


def test_kinds_are_those_that_spoil_the_image() -> None:
    harms = {"zipper": 1.0, "noise": 0.99, "blur": 3.0}
    record = ImageRecord(Path("x"), 1, "d", "brain", "T1w", low=True, harms=harms, simulated=True)
    assert record.kinds == ("blur", "zipper")


def test_hashes_are_those_of_the_files(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=2, high=2)
    with Database.open(tmp_path / "out") as database:
        hashes = database.image_hashes()
        for image in database.images():
            assert hashes.pop(image.image) == hashlib.sha256(image.path.read_bytes()).hexdigest()
    assert not hashes


def test_of_images_from_before_any_were_set_apart_none_is(
    tmp_path: Path, a_reading: dict[str, dict[str, Any]], url: str | None
) -> None:
    engine = connect(url) if url else open_engine(tmp_path)
    upgrade(engine, "0004")
    tables = MetaData()
    label = {"image_id": 1, "quality": "low", "provenance": "majority of votes"}
    folder = {"key": FOLDER, "value": str(tmp_path)}
    with engine.begin() as connection:
        tables.reflect(connection)
        for table, row in {**a_reading, "labels": label, "metadata": folder}.items():
            connection.execute(insert(tables.tables[table]), row)
    with pytest.raises(ValueError, match=r"0004.*miqanet database upgrade"):
        Database.open(url or tmp_path)
    upgrade(engine)
    with Database.open(url or tmp_path) as database:
        assert [(image.low, image.set_apart) for image in database.images()] == [(True, False)]
    engine.dispose()

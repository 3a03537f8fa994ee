from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, insert, select, update

from miqanet.database.build import build
from miqanet.database.creation import begin
from miqanet.database.exporting import export
from miqanet.database.given_votes import GivenVote
from miqanet.database.importing import import_images
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.database.query import Database
from miqanet.database.schema import Base, Vote
from miqanet.database.study_schema import Participant
from miqanet.verdict import Quality


def read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_image_vote_and_label_is_exported(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=2, high=3)
    with Database.open(tmp_path / "out") as database:
        summary = export(database, tmp_path / "plain")
        images = database.images()
    assert (summary.images, summary.votes) == (5, 40)
    rows = read(tmp_path / "plain" / "images.csv")
    labels = {row["image"]: row for row in read(tmp_path / "plain" / "labels.csv")}
    votes = read(tmp_path / "plain" / "votes.csv")
    for row, image in zip(rows, images, strict=True):
        copy = tmp_path / "plain" / row["file"]
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == row["sha256"]
        assert float(row["ssim"]) == image.ssim
        assert row["simulated"] == "true"
        assert row["set_apart"] == "false"
        assert (labels[row["image"]]["quality"] == "low") == image.low
        own = [vote["quality"] for vote in votes if vote["image"] == row["image"]]
        assert own.count("low") == int(labels[row["image"]]["votes_for_low"])
    for row in read(tmp_path / "plain" / "artifacts.csv"):
        assert isinstance(json.loads(row["parameters"]), dict)


def test_parquet_says_the_same_with_types(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=2)
    with Database.open(tmp_path / "out") as database:
        export(database, tmp_path / "plain")
    for name in ("images", "artifacts", "votes", "labels"):
        table = pq.read_table(tmp_path / "plain" / f"{name}.parquet")
        rows = read(tmp_path / "plain" / f"{name}.csv")
        assert table.num_rows == len(rows)
        assert table.column_names == list(rows[0])
    images = pq.read_table(tmp_path / "plain" / "images.parquet")
    types = [str(images.schema.field(name).type) for name in ("seed", "ssim", "simulated", "set_apart")]
    assert types == ["int64", "double", "bool", "bool"]


def test_a_seed_gives_the_same_files_with_any_number_of_workers(clean: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        build(clean, tmp_path / f"built-{workers}", low=3, high=4, workers=workers)
        with Database.open(tmp_path / f"built-{workers}") as database:
            export(database, tmp_path / f"plain-{workers}")
    assert digests(tmp_path / "plain-1") == digests(tmp_path / "plain-2")


def test_real_images_are_exported_with_and_without_label_and_all_their_votes(
    tmp_path: Path, write_dicom: Callable[..., Path], url: str | None
) -> None:
    write_dicom("scans/a.dcm", EchoTime=90)
    write_dicom("scans/b.dcm")
    with begin(tmp_path / "out", {}, url) as database:
        for quality in Quality:
            vote = GivenVote("a.dcm", None, "R1", quality)
            import_images(tmp_path / "scans", database, Pseudonyms(b"k" * 32), votes=[vote])
        export(database, tmp_path / "plain")
        with database.engine.connect() as connection:
            assert connection.scalar(select(func.count(Vote.id))) == 2
    assert [row["echo_time_ms"] for row in read(tmp_path / "plain" / "images.csv")] == ["90.0", ""]
    assert [row["quality"] for row in read(tmp_path / "plain" / "votes.csv")] == ["low", "high"]
    assert [row["quality"] for row in read(tmp_path / "plain" / "labels.csv")] == ["high"]


def test_votes_that_were_taken_back_are_exported_as_such(
    tmp_path: Path, a_reading: dict[str, dict[str, Any]], url: str | None
) -> None:
    with begin(tmp_path / "out", {}, url) as database:
        with database.engine.begin() as connection:
            for table, row in a_reading.items():
                connection.execute(insert(Base.metadata.tables[table]), row)
            connection.execute(insert(Vote), a_reading["votes"] | {"id": 2, "quality": Quality.HIGH})
            connection.execute(update(Participant).values(done=0))
        (tmp_path / "out" / "images").mkdir()
        (tmp_path / "out" / "images" / "0.png").write_bytes(b"")
        export(database, tmp_path / "plain")
    rows = read(tmp_path / "plain" / "votes.csv")
    assert [(row["quality"], row["taken_back"]) for row in rows] == [("low", "true"), ("high", "false")]
    assert str(pq.read_schema(tmp_path / "plain" / "votes.parquet").field("taken_back").type) == "bool"


def test_an_existing_folder_is_not_touched(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=1, high=1)
    with Database.open(tmp_path / "out") as database, pytest.raises(FileExistsError, match="another folder"):
        export(database, clean)


def test_an_interrupted_export_leaves_nothing(clean: Path, tmp_path: Path) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    build(clean, tmp_path / "out", low=1, high=2)
    before = sorted(tmp_path.iterdir())
    with Database.open(tmp_path / "out") as database:
        with pytest.raises(KeyboardInterrupt):
            export(database, tmp_path / "plain", interrupt)
        assert sorted(tmp_path.iterdir()) == before
        (tmp_path / "out" / "images" / "000001.png").unlink()
        with pytest.raises(FileNotFoundError, match=r"000001\.png"):
            export(database, tmp_path / "plain")
    assert sorted(tmp_path.iterdir()) == before

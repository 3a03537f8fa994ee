from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from miqanet.study.exporting import reading_rows, write_readings
from miqanet.study.protocol import TrainingImage


@pytest.fixture
def rated(make_study):
    study = make_study(images=4, training=(TrainingImage(1, "low", ""),))
    ann = study.client("ann")
    ann.vote("low")
    ann.vote("low", tags=["motion", "zipper"], confidence=3, dwell_ms=2345)
    ann.post("/api/undo")
    ann.vote("high")
    ann.vote("low")
    ann.post("/api/undo")
    return study


def exported(study) -> list[dict]:
    with study.database.engine.connect() as connection:
        return reading_rows(connection)


def test_every_reading_is_a_row_in_order(rated) -> None:
    rows = exported(rated)
    assert [(row["position"], row["purpose"], row["category"], row["stands"]) for row in rows] == [
        (0, "training", "low", True),
        (1, "rating", "low", False),
        (1, "rating", "high", True),
        (2, "rating", "low", False),
    ]
    assert [row["reading"] for row in rows] == sorted(row["reading"] for row in rows)
    second = rows[1]
    assert (second["tags"], second["confidence"], second["dwell_ms"]) == ("motion;zipper", 3, 2345)
    assert (second["grade"], second["quality"], second["zoom"], second["inverted"]) == (0, "low", 1.5, False)
    times = [row["cast_at"] for row in rows]
    assert times == sorted(times)
    assert abs((datetime.now(UTC) - times[0]).total_seconds()) < 600
    assert {row["protocol_version"] for row in rows} == {rated.protocol.version}
    assert {row["rater"] for row in rows} == {"ann"}


def test_both_kinds_of_table_say_the_same(rated, tmp_path: Path) -> None:
    rows = exported(rated)
    write_readings(tmp_path / "votes.csv", rows)
    write_readings(tmp_path / "votes.parquet", rows)
    assert pq.read_table(tmp_path / "votes.parquet").to_pylist() == rows
    with (tmp_path / "votes.csv").open(encoding="utf-8", newline="") as stream:
        read = list(csv.DictReader(stream))
    assert list(read[0]) == list(rows[0])
    assert [int(row["reading"]) for row in read] == [row["reading"] for row in rows]
    assert [datetime.fromisoformat(row["cast_at"]) for row in read] == [row["cast_at"] for row in rows]
    assert [row["stands"] for row in read] == ["true", "false", "true", "false"]
    assert read[0]["confidence"] == ""
    assert {path.name for path in tmp_path.glob("*votes*")} == {"votes.csv", "votes.parquet"}


def test_a_study_without_readings_is_an_empty_table(make_local_study, tmp_path: Path) -> None:
    write_readings(tmp_path / "votes.parquet", exported(make_local_study()))
    assert pq.read_table(tmp_path / "votes.parquet").num_rows == 0


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.csv or \.parquet"):
        write_readings(tmp_path / "votes.xlsx", [])
    assert not list(tmp_path.iterdir())

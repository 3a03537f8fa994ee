from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.artifacts import KINDS
from miqanet.artifacts.simulation import simulate
from miqanet.database.build import RULE, BuildSummary, DatabaseExistsError, build
from miqanet.database.png import encode_png, read_png
from miqanet.database.query import Database
from miqanet.database.schema import Artifact, Image, Label, Source
from miqanet.database.store import FILE_NAME, open_engine

COUNTS = {"low": 6, "high": 10}


def hashes(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != FILE_NAME
    }


def rows(out: Path) -> list[object]:
    engine = open_engine(out)
    with Session(engine) as session:
        found = [
            [tuple(row) for row in session.execute(select(*table.__table__.columns).order_by(table.id))]
            for table in (Source, Image, Artifact, Label)
        ]
    engine.dispose()
    return found


def test_counts_are_exact(clean: Path, tmp_path: Path) -> None:
    summary = build(clean, tmp_path / "out", **COUNTS)
    with Database.open(tmp_path / "out") as database:
        images = database.images()
    assert (summary.low, summary.high) == (6, 10)
    assert sum(image.low for image in images) == 6
    assert sum(not image.low for image in images) == 10
    assert all(image.simulated for image in images)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 16


def test_images_are_what_their_rows_say(clean: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(clean, out, **COUNTS)
    engine = open_engine(out)
    with Session(engine) as session:
        for image in session.scalars(select(Image)):
            content = (out / image.path).read_bytes()
            assert hashlib.sha256(content).hexdigest() == image.sha256
            assert read_png(out / image.path).shape == (image.rows, image.columns)
            clean_slice = read_png(out / image.source.path)
            again = simulate(clean_slice, np.random.default_rng(image.seed))
            assert encode_png(again.image) == content
            assert [each.kind for each in image.artifacts] == [each.kind for each in again.artifacts]
            assert [each.harm for each in image.artifacts] == pytest.approx(again.harms)
            assert image.labels[0].provenance == RULE
            assert (image.labels[0].quality == "low") == any(each.harm >= 1 for each in image.artifacts)
        for artifact in session.scalars(select(Artifact)):
            assert artifact.kind in KINDS
            json.dumps(artifact.parameters, allow_nan=False)
    engine.dispose()


def test_only_clean_images_become_sources(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=0, high=1)
    engine = open_engine(tmp_path / "out")
    with Session(engine) as session:
        sources = session.scalars(select(Source).order_by(Source.id)).all()
        assert {source.origin for source in sources} == {
            *(f"site-a/image_{n}.png" for n in range(4)),
            *(f"site-b/image_{n}.png" for n in (4, 5)),
        }
        assert {source.body_part for source in sources} == {"brain", "knee"}
        assert {source.body_part_text for source in sources} == {"brain/head", "knee axial"}
    engine.dispose()


def test_workers_do_not_change_the_result(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "one", **COUNTS, workers=1)
    build(clean, tmp_path / "two", **COUNTS, workers=2)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    assert rows(tmp_path / "one") == rows(tmp_path / "two")


def test_another_seed_gives_other_images(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "one", low=1, high=1, seed=1)
    build(clean, tmp_path / "two", low=1, high=1, seed=2)
    images = [
        {value for name, value in hashes(tmp_path / out).items() if name.startswith("images/")}
        for out in ("one", "two")
    ]
    assert images[0].isdisjoint(images[1])


def test_interrupted_build_continues_to_the_same_result(clean: Path, tmp_path: Path) -> None:
    def interrupt(what: str, done: int, _total: int) -> None:
        if what.startswith("simulating") and done == 40:
            raise KeyboardInterrupt

    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    build(clean, whole, low=20, high=40)
    with pytest.raises(KeyboardInterrupt):
        build(clean, interrupted, low=20, high=40, progress=interrupt)
    with Database.open(interrupted) as database:
        assert 0 < len(database.images()) < 40
    summary = build(clean, interrupted, low=20, high=40)
    assert hashes(interrupted) == hashes(whole)
    assert rows(interrupted) == rows(whole)
    assert summary.redraws == build(clean, whole, low=20, high=40).redraws


def test_killed_build_continues_to_the_same_result(clean: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    counts = {"low": 30, "high": 60}
    child = multiprocessing.get_context("spawn").Process(target=build, args=(clean, killed), kwargs=counts)
    child.start()
    while len(list(killed.glob("images/*.png"))) < 30:
        assert child.is_alive()
        time.sleep(0.01)
    child.kill()
    child.join()
    with Database.open(killed) as database:
        assert 0 < len(database.images()) < 90
        for image in database.images():
            read_png(image.path)
    build(clean, killed, **counts)
    build(clean, whole, **counts)
    assert {path: digest for path, digest in hashes(killed).items() if not path.endswith(".tmp")} == hashes(
        whole
    )
    assert rows(killed) == rows(whole)


def test_same_command_on_a_finished_database_changes_nothing(clean: Path, tmp_path: Path) -> None:
    first = build(clean, tmp_path / "out", **COUNTS)
    before = hashes(tmp_path / "out"), rows(tmp_path / "out")
    again = build(clean, tmp_path / "out", **COUNTS)
    assert again == BuildSummary(6, 10, first.redraws, ())
    assert (hashes(tmp_path / "out"), rows(tmp_path / "out")) == before


@pytest.mark.parametrize("change", [{"seed": 1}, {"low": 7}, {"high": 11}])
def test_a_database_of_other_arguments_is_not_overwritten(
    clean: Path, tmp_path: Path, change: dict[str, int]
) -> None:
    build(clean, tmp_path / "out", **COUNTS)
    before = rows(tmp_path / "out")
    with pytest.raises(DatabaseExistsError, match=f"begun with {next(iter(change))}"):
        build(clean, tmp_path / "out", **{**COUNTS, **change})
    assert rows(tmp_path / "out") == before


def test_a_folder_of_something_else_is_not_touched(clean: Path, tmp_path: Path) -> None:
    with pytest.raises(DatabaseExistsError, match="something else"):
        build(clean, clean, **COUNTS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FILE_NAME).write_text("no database " * 200)
    with pytest.raises(DatabaseExistsError, match="no SQLite database"):
        build(clean, tmp_path / "out", **COUNTS)
    assert (tmp_path / "out" / FILE_NAME).read_text().startswith("no database")


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no clean MR image"):
        build(tmp_path / "empty", tmp_path / "out", **COUNTS)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        build(tmp_path / "nowhere", tmp_path / "out", **COUNTS)


def test_a_class_that_never_comes_ends_the_build(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miqanet.database.build._DRAWS_IN_VAIN", 3)
    with pytest.raises(ValueError, match="no image of high quality came in 4 draws"):
        build(clean, tmp_path / "out", low=0, high=1000, seed=0)

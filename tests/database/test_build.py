from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from threadpoolctl import threadpool_limits

from miqanet.artifacts import KINDS
from miqanet.artifacts.simulation import simulate
from miqanet.database.build import BuildSummary, build
from miqanet.database.creation import DatabaseExistsError
from miqanet.database.drawing import ssim
from miqanet.database.given_votes import GivenVote
from miqanet.database.importing import import_images
from miqanet.database.labels import SIMULATED_MAJORITY
from miqanet.database.png import encode_png, read_png
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.database.query import Database
from miqanet.database.raters import RATERS
from miqanet.database.schema import Artifact, Image, Label, Rater, Source, Vote
from miqanet.database.store import FILE_NAME, open_engine
from miqanet.verdict import Quality

COUNTS = {"low": 6, "high": 10}


def hashes(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != FILE_NAME
    }


def rows(place: Path | str) -> list[object]:
    with Database.open(place) as database, Session(database.engine) as session:
        return [
            [tuple(row) for row in session.execute(select(*table.__table__.columns).order_by(table.id))]
            for table in (Source, Image, Artifact, Rater, Vote, Label)
        ]


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
            with threadpool_limits(1):
                again = simulate(clean_slice, np.random.default_rng(image.seed))
            assert encode_png(again.image) == content
            assert [each.kind for each in image.artifacts] == [each.kind for each in again.artifacts]
            assert [each.harm for each in image.artifacts] == pytest.approx(again.harms)
            assert image.ssim == pytest.approx(ssim(again.reference, again.image))
            assert image.nrmse == pytest.approx(
                np.linalg.norm(again.image - again.reference) / np.linalg.norm(again.reference), rel=1e-4
            )
            assert (image.subject_id, image.contrast) == (image.source.subject_id, image.source.contrast)
            (label,) = image.labels
            low_votes = sum(vote.quality == "low" for vote in image.votes)
            assert [vote.rater.name for vote in image.votes] == [rater.name for rater in RATERS]
            assert (label.votes_for_low, label.votes_in_all) == (low_votes, 8)
            assert (label.quality == "low") == (low_votes > 4)
            assert low_votes != 4
            assert label.provenance == SIMULATED_MAJORITY
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


def test_ties_are_drawn_anew_and_counted(clean: Path, tmp_path: Path) -> None:
    summary = build(clean, tmp_path / "out", low=40, high=40)
    with Database.open(tmp_path / "out") as database:
        properties, images = database.properties(), database.images()
    assert 0 < summary.ties <= summary.redraws
    assert int(properties["ties"]) == summary.ties
    assert int(properties["draws"]) == 80 + summary.redraws
    assert all(image.low_votes is not None and image.low == (image.low_votes > 0.5) for image in images)
    assert any(image.low_votes not in (0, 1) for image in images)


def test_at_least_a_quarter_of_the_images_get_a_split_vote(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out", low=67, high=133)
    with Database.open(tmp_path / "out") as database:
        split = [image.low_votes not in (0, 1) for image in database.images()]
    assert 0.25 <= np.mean(split) <= 0.45


@pytest.mark.system
def test_a_server_gets_the_same_rows_as_a_file(clean: Path, tmp_path: Path, postgresql_url: str) -> None:
    build(clean, tmp_path / "file", **COUNTS)
    summary = build(clean, tmp_path / "server", **COUNTS, url=postgresql_url)
    assert rows(postgresql_url) == rows(tmp_path / "file")
    assert hashes(tmp_path / "server") == hashes(tmp_path / "file")
    with Database.open(postgresql_url) as server, Database.open(tmp_path / "file") as file:
        assert server.votes() == file.votes()
        assert server.subjects() == file.subjects()
        assert server.fingerprint() == file.fingerprint()
        for one, other in zip(server.images(), file.images(), strict=True):
            assert one.path.name == other.path.name
            assert dataclasses.replace(one, path=other.path) == other
    again = build(clean, tmp_path / "server", **COUNTS, url=postgresql_url)
    assert again == dataclasses.replace(summary, unread=())


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


def test_threads_of_matrix_products_do_not_change_the_result(clean: Path, tmp_path: Path) -> None:
    for threads in (1, 4):
        with threadpool_limits(threads):
            build(clean, tmp_path / str(threads), **COUNTS)
    assert hashes(tmp_path / "1") == hashes(tmp_path / "4")


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
    assert again == BuildSummary(6, 10, first.redraws, first.ties, ())
    assert (hashes(tmp_path / "out"), rows(tmp_path / "out")) == before


def test_labels_by_people_do_not_count_for_a_build(clean: Path, tmp_path: Path) -> None:
    first = build(clean, tmp_path / "out", **COUNTS)
    votes = [GivenVote("natural/ghosts.png", None, "R1", Quality.LOW)]
    with Database.open(tmp_path / "out") as database:
        assert import_images(clean, database, Pseudonyms(b"k" * 32), votes=votes).votes == 1
        assert sum(image.low for image in database.images()) == 7
    assert build(clean, tmp_path / "out", **COUNTS) == dataclasses.replace(first, unread=())


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
    with pytest.raises(ValueError, match="no database"):
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

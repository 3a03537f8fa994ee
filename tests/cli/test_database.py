from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from miqanet.artifacts.phantom import phantom
from miqanet.cli.database import app
from miqanet.database.query import Database
from miqanet.database.schema import Label
from miqanet.database.store import open_engine, upgrade

run = CliRunner().invoke


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    folder = tmp_path / "brains"
    folder.mkdir()
    for number in range(4):
        pixels = np.round(phantom((72, 64), seed=number) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"sub-{number}_T1w.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def build(clean: Path, out: Path, *options: str) -> Any:
    return run(app, ["build", str(clean), str(out), "--low", "3", "--high", "4", "--workers", "1", *options])


def test_build_and_info_say_simulated(clean: Path, tmp_path: Path) -> None:
    built = build(clean, tmp_path / "out")
    assert built.exit_code == 0, built.output
    assert "7 simulated images, 3 of low and 4 of high quality" in built.stdout
    assert "the simulated raters were tied" in built.stdout
    assert "broken.png" in built.stderr
    told = run(app, ["info", str(tmp_path / "out")])
    assert told.exit_code == 0
    said = " ".join(told.stdout.split())
    simulated = "simulated artifacts and simulated labels: no radiologist has rated these images"
    assert f"7 labelled images ({simulated})" in said
    assert "56 votes of 8 raters, 8 of them simulated" in said
    assert "brains" in said
    assert "simulated-8" in said
    assert told.stdout.count("(simulated)") == 4


def test_other_arguments_on_an_existing_database_are_wrong_use(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out")
    again = build(clean, tmp_path / "out", "--seed", "5")
    assert again.exit_code == 2
    assert "choose another folder" in again.stderr


def test_no_clean_images_is_wrong_use(tmp_path: Path) -> None:
    assert build(tmp_path / "nowhere", tmp_path / "out").exit_code == 2


def test_info_without_database_is_wrong_use(tmp_path: Path) -> None:
    told = run(app, ["info", str(tmp_path)])
    assert told.exit_code == 2
    assert "miqanet database build" in told.stderr


def test_interruption_says_how_to_continue(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("miqanet.database.build.keep_sources", interrupted)
    stopped = build(clean, tmp_path / "out")
    assert stopped.exit_code == 130
    assert "same command continues" in " ".join(stopped.stderr.split())


def test_an_interrupted_import_says_how_to_go_on_and_does(
    clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    out, key = tmp_path / "out", tmp_path / "key"
    with monkeypatch.context() as patched:
        patched.setattr("miqanet.database.importing.import_images", interrupted)
        stopped = [take(clean, out, key, *options) for options in (["--create-key"], [])]
    assert [each.exit_code for each in stopped] == [130, 130]
    first, second = (" ".join(each.stderr.split()) for each in stopped)
    assert "Interrupted. The same command goes on, without --create-key." in first
    assert "Interrupted. The same command goes on." in second
    again = take(clean, out, key, "--create-key")
    assert again.exit_code == 2
    assert "without --create-key it is used" in " ".join(again.stderr.split())
    assert "4 images added" in take(clean, out, key).stdout


def test_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sqlalchemy" else find(name)
    )
    told = run(app, ["info", str(tmp_path)])
    assert told.exit_code == 2
    assert "pip install 'miqanet[database]'" in told.stderr


def take(clean: Path, out: Path, key: Path, *options: object) -> Any:
    arguments = ["import", clean, out, "--key", key, *options]
    return run(app, [str(argument) for argument in arguments])


def test_a_mistyped_folder_leaves_neither_key_nor_database(clean: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "key"
    for folder, place in ((tmp_path / "nowhere", out), (clean, clean / "database")):
        told = take(folder, place, key, "--create-key")
        assert told.exit_code == 2
        assert not key.exists()
        assert not place.exists()
    assert take(clean, out, key, "--create-key").exit_code == 0


def test_real_images_are_imported_with_votes_checked_and_exported(clean: Path, tmp_path: Path) -> None:
    votes, out, key = tmp_path / "votes.csv", tmp_path / "out", tmp_path / "key"
    votes.write_text(
        "file,rater,quality\nsub-0_T1w.png,R1,low\nsub-1_T1w.png,R1,high\nsub-1_T1w.png,R2,low\nlost.png,R1,low\n"
    )
    first = take(clean, out, key, "--create-key", "--votes", votes)
    assert first.exit_code == 0, first.output
    assert "4 images added, 0 were there; 3 votes added, 1 images await" in " ".join(first.stdout.split())
    assert "broken.png" in first.stderr
    assert "1 votes are on images that were not found" in " ".join(first.stderr.split())
    assert "the first is on lost.png" in " ".join(first.stderr.split())
    again = take(clean, out, key, "--votes", votes)
    assert "0 images added, 4 were there; 0 votes added" in " ".join(again.stdout.split())

    told = " ".join(run(app, ["info", str(out)]).stdout.split())
    assert "1 labelled images;" in told
    assert "3 images without a label" in told
    assert "(simulated)" not in told
    checked = run(app, ["check", str(out)])
    assert (checked.exit_code, checked.stdout.strip()) == (0, f"{out}: 4 files, 0 findings")
    exported = run(app, ["export", str(out), str(tmp_path / "plain")])
    assert exported.stdout.strip() == f"{tmp_path / 'plain'}: 4 images, 3 votes"
    assert run(app, ["export", str(out), str(tmp_path / "plain")]).exit_code == 2


def test_a_senior_reader_breaks_ties_by_a_further_vote(clean: Path, tmp_path: Path) -> None:
    votes, ties, out, key = (tmp_path / name for name in ("votes.csv", "ties.csv", "out", "key"))
    votes.write_text(
        "file,rater,quality\nsub-0_T1w.png,R1,low\nsub-0_T1w.png,R2,high\nsub-1_T1w.png,R1,low\n",
        encoding="utf-8",
    )
    without = take(clean, out, key, "--create-key", "--ties", ties)
    assert without.exit_code == 2
    assert "--votes" in without.stderr
    assert not key.exists()
    first = take(clean, out, key, "--create-key", "--votes", votes, "--ties", ties)
    assert "1 images await a senior reader" in " ".join(first.stdout.split())
    listed = ties.read_text(encoding="utf-8")
    assert listed.splitlines()[1:] == ["sub-0_T1w.png,0,,,1,2"]
    again = take(clean, out, key, "--votes", votes, "--ties", ties)
    assert again.exit_code == 2
    assert "name another file" in " ".join(again.stderr.split())
    assert ties.read_text(encoding="utf-8") == listed

    ties.write_text(listed.replace(",,,", ",senior,high,"), encoding="utf-8")
    decided = take(clean, out, key, "--votes", ties)
    assert "1 votes added, 0 images await" in " ".join(decided.stdout.split())
    with Database.open(out) as database:
        assert [(image.low, image.low_votes) for image in database.images()] == [
            (False, pytest.approx(1 / 3)),
            (True, 1),
        ]


def test_votes_do_not_touch_labels_by_other_means(clean: Path, tmp_path: Path) -> None:
    votes, out, key = tmp_path / "votes.csv", tmp_path / "out", tmp_path / "key"
    take(clean, out, key, "--create-key")
    with Database.open(out) as database, Session(database.engine) as session, session.begin():
        session.add(Label(image_id=1, quality="high", provenance="majority of the study's raters"))
    votes.write_text("file,rater,quality\nsub-0_T1w.png,R1,low\nsub-1_T1w.png,R1,low\n")
    taken = take(clean, out, key, "--votes", votes)
    assert taken.exit_code == 0, taken.output
    assert "2 votes added" in taken.stdout
    assert "1 images with votes keep the labels" in " ".join(taken.stdout.split())
    told = run(app, ["info", str(out)])
    assert told.exit_code == 0, told.output
    assert "2 labelled images;" in " ".join(told.stdout.split())


def test_labels_of_two_provenances_are_told_without_a_traceback(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out")
    with Database.open(tmp_path / "out") as database, Session(database.engine) as session, session.begin():
        session.add(Label(image_id=1, quality="high", provenance="another"))
    told = run(app, ["info", str(tmp_path / "out")])
    assert told.exit_code == 2
    assert "several provenances" in told.stderr
    assert "miqanet study labels --replace" in told.stderr


def test_votes_and_servers_that_cannot_be_read_are_told(clean: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "key"
    folder = take(clean, out, key, "--create-key", "--votes", clean)
    assert folder.exit_code == 2
    assert "Is a directory" in folder.stderr
    away = "postgresql+pg8000://ann:secret@localhost:1/miqanet"
    server = take(clean, out, key, "--create-key", "--url", away)
    assert server.exit_code == 2
    assert "is no database that can be read" in " ".join(server.stderr.split())
    assert "secret" not in server.output
    assert not out.exists()


def test_findings_of_a_check_are_told_by_the_exit_code(clean: Path, tmp_path: Path) -> None:
    build(clean, tmp_path / "out")
    (tmp_path / "out" / "images" / "000000.png").unlink()
    checked = run(app, ["check", str(tmp_path / "out")])
    assert checked.exit_code == 1
    assert "missing: images/000000.png" in checked.stdout


def test_a_key_has_to_be_there_and_apart(clean: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    missing = take(clean, out, tmp_path / "key")
    assert missing.exit_code == 2
    assert "--create-key" in missing.stderr
    for place in (out / "key", clean / "key"):
        beside = take(clean, out, place, "--create-key")
        assert beside.exit_code == 2
        assert "keep it elsewhere" in beside.stderr
        assert not place.exists()
    assert not out.exists()


def test_an_older_database_names_the_command_that_upgrades_it(tmp_path: Path) -> None:
    engine = open_engine(tmp_path)
    upgrade(engine, "0001")
    engine.dispose()
    old = run(app, ["info", str(tmp_path)])
    assert old.exit_code == 2
    assert "miqanet database upgrade" in old.stderr
    done = run(app, ["upgrade", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("schema revision")
    assert run(app, ["info", str(tmp_path)]).exit_code == 0
    assert run(app, ["upgrade", str(tmp_path / "none")]).exit_code == 2


@pytest.mark.system
def test_rows_on_a_server_are_found_by_its_url(clean: Path, tmp_path: Path, postgresql_url: str) -> None:
    built = build(clean, tmp_path / "out", "--url", postgresql_url)
    assert built.exit_code == 0, built.output
    assert "7 labelled images" in " ".join(run(app, ["info", postgresql_url]).stdout.split())
    assert run(app, ["check", postgresql_url]).exit_code == 0
    assert run(app, ["upgrade", postgresql_url]).exit_code == 0


def test_a_password_is_not_printed() -> None:
    for command in ("info", "check", "upgrade"):
        told = run(app, [command, "postgresql+pg8000://me:secret@127.0.0.1:1/none"])
        assert told.exit_code == 2
        assert "127.0.0.1" in told.stderr
        assert "secret" not in told.output

"""What `results.json`, the tables and the report say of a finished benchmark, and what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from miqanet.evaluation.benchmark import Task, fold_file, run_tasks
from miqanet.evaluation.bootstrap import difference
from miqanet.evaluation.catalog import METHODS
from miqanet.evaluation.metrics import auc
from miqanet.evaluation.protocols import Protocol, folds
from miqanet.evaluation.results import read_rows, results, write_results


@pytest.fixture(scope="module")
def stated(done, world):
    return results(done.rows, done.made, METHODS, world)


def test_rows_come_in_the_order_of_the_tables(stated):
    assert [(row["protocol"], row["method"]) for row in stated["rows"]] == [
        ("P1", "miqanet"), ("P1", "brisque"), ("P2", "miqanet"), ("P2", "brisque"),
    ]  # fmt: skip


def test_what_was_not_run_is_named(stated):
    absent = [each["method"] for each in stated["not_run"] if each["protocol"] == "P1"]
    assert absent == [method for method in METHODS if method not in ("miqanet", "brisque")]


def test_labels_are_said_to_be_simulated(stated, world):
    assert stated["data"]["simulated"].startswith("simulated artifacts and simulated labels")
    rated = replace(world, images=[replace(image, label_simulated=False) for image in world.images])
    assert rated.simulated == "simulated artifacts"
    real = replace(rated, images=[replace(image, simulated=False) for image in rated.images])
    assert real.simulated == ""


def test_the_reference_is_compared_image_by_image(stated, done):
    gaps = {(row["protocol"], row["method"]): row["gap"] for row in stated["rows"]}
    assert gaps["P1", "miqanet"] is None
    # Two rotations are missing: not the same images.
    assert gaps["P1", "brisque"] is None
    expected = difference(
        auc, done.rows[Protocol.P2, "miqanet"].judged, done.rows[Protocol.P2, "brisque"].judged
    )
    assert gaps["P2", "brisque"]["auc"]["value"] == expected.value > 0


@pytest.fixture(scope="module")
def partly(done, world, guess, tmp_path_factory):
    """What is stated of the reference with two test subjects left out, beside a method that knows nobody."""
    out = tmp_path_factory.mktemp("partly")
    fold = done.made[Protocol.P1][0]
    known = frozenset({fold.test[0].subject, fold.test[-1].subject, fold.validation[0].subject})
    methods = [guess("miqanet", 0.2, learned_from=known), guess("brisque", 1.0)]
    run_tasks([Task(m, fold, out, "abc") for m in methods], tell=lambda _line: None, done=lambda _task: None)
    rows = read_rows(out, done.made, METHODS, world)
    return known, rows, results(rows, done.made, METHODS, world)


def test_whom_a_method_knew_is_counted_and_named(partly, world):
    known, _, stated = partly
    ours, theirs = stated["rows"]
    assert {name for left in ours["left_out"].values() for name in left["subjects"]} == {
        world.subject_names[subject] for subject in known
    }
    assert {role: left["images"] for role, left in ours["left_out"].items()} == {"validation": 6, "test": 12}
    assert theirs["left_out"]["test"] == {"images": 0, "subjects": []}
    assert (ours["images"], theirs["images"]) == (36, 48)


def test_the_reference_is_compared_on_what_both_judged(partly):
    known, rows, stated = partly
    gap = stated["rows"][1]["gap"]
    reference, other = rows[Protocol.P1, "miqanet"].judged, rows[Protocol.P1, "brisque"].judged
    common = other.take(~np.isin(other.subject, list(known)))
    assert gap["images"] == len(common) == len(reference)
    assert gap["auc"]["value"] == difference(auc, reference, common).value


def test_what_is_left_out_stands_below_the_tables_and_in_the_report(partly, tmp_path):
    _, rows, stated = partly
    write_results(rows, stated, tmp_path)
    note = "Left out of miqanet: 6 validation images of 1 subject and 12 test images of 2 subjects"
    first = (tmp_path / "tables.md").read_text().partition("### Table I\n")[2].partition("###")[0]
    assert first.strip().splitlines()[-1].startswith(note)
    assert (tmp_path / "report.html").read_text().count(note) >= 2


def test_files_are_written_and_hold_no_path_of_the_machine(done, stated, tmp_path, world):
    write_results(done.rows, stated, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(stated))
    assert (tmp_path / "tables.md").read_text().startswith("# Benchmark")
    for name in ("results.json", "tables.md", "report.html"):
        assert str(world.images[0].path.parent) not in (tmp_path / name).read_text(), name


def test_answers_on_another_database_are_refused(done, world):
    other = replace(world, sha256="def")
    with pytest.raises(ValueError, match="of another database"):
        read_rows(done.out, done.made, METHODS, other)


def test_images_that_have_lost_their_labels_are_told(done, world):
    fewer = replace(world, images=world.images[1:])
    made = {Protocol.P1: folds(Protocol.P1, fewer.images, fewer.subjects)}
    with pytest.raises(ValueError, match="labelled otherwise"):
        read_rows(done.out, made, METHODS, fewer)


def test_folds_of_one_row_have_the_same_settings(done, world, guess, tmp_path):
    first, second = done.made[Protocol.P1][:2]
    tasks = [Task(guess(noise=0.1), first, tmp_path, "abc"), Task(guess(noise=0.2), second, tmp_path, "abc")]
    run_tasks(tasks, tell=lambda _line: None, done=lambda _task: None)
    with pytest.raises(ValueError, match="several settings"):
        read_rows(tmp_path, done.made, ["guess"], world)


def test_a_damaged_file_is_named(done, world, tmp_path):
    path = fold_file(tmp_path, "P1", "rotation-0", "brisque")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    with pytest.raises(ValueError, match=r"brisque\.parquet is damaged"):
        read_rows(tmp_path, done.made, METHODS, world)

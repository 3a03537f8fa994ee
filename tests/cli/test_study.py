from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa
from typer.testing import CliRunner, Result

from miqanet.cli import app

TABLE = """Image,Ann,Ben,Cat
a,4,5,3
b,2,2,n/a
c,1,3,2
d,5,5,5
e,3,2,
f,4,4,2
"""


def agreement(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["study", "agreement", "--resamples", "30", *map(str, arguments)])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def printed(result: Result, name: str) -> str:
    """Return the figure that is printed after a name."""
    return re.search(rf"^{re.escape(name)} +(\S+)", result.stdout, re.MULTILINE)[1]


def test_every_statistic_is_printed_with_four_decimals_and_its_interval(table: Path) -> None:
    result = agreement(table)
    assert result.exit_code == 0, result.output
    for name in (
        "percent agreement (as a share)",
        "Fleiss' kappa",
        "Cohen's kappa, mean of pairs",
        "Krippendorff's alpha, nominal",
        "Krippendorff's alpha, ordinal",
        "Krippendorff's alpha, interval",
        "Gwet's AC1",
        "best rater against majority of others",
    ):
        figure = r"-?\d\.\d{4}"
        line = rf"^{re.escape(name)} +{figure} +\[{figure}, {figure}\]"
        assert re.search(line, result.stdout, re.MULTILINE), name


def test_what_columns_were_taken_for_is_said(table: Path) -> None:
    result = agreement(table, "--raters", "Ann,Ben")
    assert "6 items, 12 ratings, 0 missing" in result.stdout
    assert "items are named by: Image" in result.stdout
    assert "raters: Ann, Ben" in result.stdout
    assert "ignored columns: Cat" in result.stdout
    assert "6 items, 16 ratings, 2 missing" in agreement(table, "--item", "Image").stdout


def test_json_has_what_is_printed(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "agreement.json"
    result = agreement(table, "--binarize", 3, "--json", out)
    assert result.exit_code == 0, result.output
    content = json.loads(out.read_text(encoding="utf-8"))
    assert content["binarized_at"] == 3
    assert content["categories"] == [0, 1]
    assert content["item_columns"] == ["Image"]
    for name, key in (("Fleiss' kappa", "fleiss_kappa"), ("Gwet's AC1", "gwet_ac1")):
        assert printed(result, name) == f"{content['overall'][key]['value']:.4f}"
    # b and e have two ratings: b agrees, e is a tie at 3.
    assert content["to_adjudicate"] == ["e"]
    assert "ties for a senior reader to decide: 1" in result.stdout
    assert [label["label"] for label in content["labels"]] == [1, 0, 0, 1, None, 1]


def test_an_existing_file_is_kept_unless_told(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "agreement.json"
    out.write_text("mine", encoding="utf-8")
    refused = agreement(table, "--json", out)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert out.read_text(encoding="utf-8") == "mine"
    assert agreement(table, "--json", out, "--overwrite").exit_code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["items"] == 6


def test_what_is_not_defined_says_so(tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    path.write_text("id,A,B\nx,1,1\ny,1,1\n", encoding="utf-8")
    result = agreement(path, "--json", tmp_path / "same.json")
    assert result.exit_code == 0, result.output
    assert re.search(r"^Fleiss' kappa +not defined", result.stdout, re.MULTILINE)
    assert json.loads((tmp_path / "same.json").read_text(encoding="utf-8"))["overall"]["fleiss_kappa"] == {
        "value": None,
        "least": None,
        "greatest": None,
    }


def test_long_names_of_raters_keep_the_figures_whole(tmp_path: Path) -> None:
    names = [f"Doctor with a rather long name, department {n}" for n in range(3)]
    path = tmp_path / "long.csv"
    rows = "x;1;2;1\ny;2;2;2\nz;1;1;2\n"
    path.write_text(f"id;{';'.join(names)}\n{rows}", encoding="utf-8")
    result = agreement(path)
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"-?\d\.\d{4} +\[-?\d\.\d{4}, -?\d\.\d{4}\]", result.stdout)) > 30


@pytest.mark.parametrize(
    ("text", "message"),
    [("id,A\nx,1\n", "needs two raters"), ("id,A,B\n", "no row"), ("id,A,B\nx,1\n", "cells")],
)
def test_other_tables_are_wrong_use(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text, encoding="utf-8")
    result = agreement(path)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    assert agreement(tmp_path / "nowhere.csv").exit_code == 2


@pytest.mark.pool
@pytest.mark.parametrize("name", ["moco_T1_MPR_scores.csv", "moco_T1_TIRM_scores.csv"])
def test_kappa_of_real_scores_is_statsmodels(pool: Path, tmp_path: Path, name: str) -> None:
    path = pool.parent / "ratings" / name
    if not path.is_file():
        pytest.skip(f"no ratings at {path}")
    result = agreement(path, "--binarize", 3, "--json", tmp_path / "agreement.json")
    assert result.exit_code == 0, result.output
    scores = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(2, 3, 4, 5))
    high = (scores >= 3).sum(axis=1)
    expected = fleiss_kappa(np.column_stack([4 - high, high]))
    content = json.loads((tmp_path / "agreement.json").read_text(encoding="utf-8"))
    assert content["overall"]["fleiss_kappa"]["value"] == pytest.approx(expected, abs=1e-9)
    assert printed(result, "Fleiss' kappa") == f"{expected:.4f}"

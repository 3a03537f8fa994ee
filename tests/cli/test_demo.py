"""Tests of the command `miqanet demo`; tests/system runs it without a network."""

import pytest
from typer.testing import CliRunner

from miqanet.cli import app
from miqanet.screening import demo
from miqanet.screening.results import read_results


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.fixture
def few_artifacts(monkeypatch):
    """Three kinds suffice to see how the command behaves."""
    monkeypatch.setattr(
        demo, "ARTIFACTS", {kind: demo.ARTIFACTS[kind] for kind in ("motion", "noise", "zipper")}
    )
    monkeypatch.setattr(demo, "_CARRIED", demo._CARRIED[:1])


@pytest.mark.usefixtures("few_artifacts")
def test_demo_shows_verdicts_of_images_and_spoiled_copies(here):
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 0, result.output
    for words in (
        "examples_overlay",
        "motion",
        "noise",
        "zipper",
        "of 3 spoiled copies",
        "not a measurement",
    ):
        assert words in result.output
    report = here / "miqanet-demo" / "results" / "report.html"
    assert str(report) in result.output
    assert "examples_overlay-zipper.png" in report.read_text(encoding="utf-8")
    rows = list(read_results(here / "miqanet-demo" / "results" / "results.csv"))
    assert len(rows) == 4
    assert all(not row.error for row in rows)


@pytest.mark.usefixtures("few_artifacts")
def test_second_demo_leaves_the_first_alone(here):
    for _ in range(2):
        assert CliRunner().invoke(app, ["demo"]).exit_code == 0
    assert {path.name for path in here.iterdir()} == {"miqanet-demo", "miqanet-demo-2"}


def test_folder_that_is_not_empty_is_refused(here):
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("keep")
    result = CliRunner().invoke(app, ["demo", "--out", "mine"])
    assert result.exit_code == 2
    assert "not empty" in result.output
    assert [path.name for path in (here / "mine").iterdir()] == ["notes.txt"]


def test_without_any_test_image_nothing_is_judged(here, monkeypatch):
    monkeypatch.setattr(demo, "_CARRIED", ())
    result = CliRunner().invoke(app, ["demo", "--out", str(here / "demo")])
    assert result.exit_code == 3
    assert "no package here carries test images" in result.output

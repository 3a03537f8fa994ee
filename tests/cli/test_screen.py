import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner, Result

from miqanet.cli import app
from miqanet.screening.results import read_results

NAME, ID, BIRTH_DATE = "ZEBRA^QUAGGA", "ZQ-4711", "19510203"


def write_dicom(path: Path, seed: int) -> None:
    dataset = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    pixels = np.random.default_rng(seed).integers(0, 900, (48, 40)).astype(np.uint16)
    dataset.set_pixel_data(pixels, "MONOCHROME2", 12)
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, ID, BIRTH_DATE
    dataset.SOPInstanceUID = f"1.2.3.{seed + 1}"
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "below").mkdir(parents=True)
    for seed, name in enumerate(("IM1", "IM2", "below/IM3")):
        write_dicom(folder / name, seed)
    (folder / "broken").write_bytes((folder / "IM1").read_bytes()[:700])
    (folder / "notes.txt").write_text("no image")
    return folder


def screen(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["screen", *map(str, arguments)])


def test_verdicts_of_all_images_are_written_and_summed_up(data: Path, tmp_path: Path) -> None:
    result = screen(data, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "3 images judged" in result.stdout
    for name in ("results.csv", "results.parquet", "series.csv", "report.html"):
        assert (tmp_path / "out" / name).exists()
        assert f"{tmp_path}/out/{name}" in result.stdout
    rows = list(read_results(tmp_path / "out/results.csv"))
    assert [Path(row.path).name for row in rows] == ["IM1", "IM2", "IM3", "broken", "notes.txt"]
    assert [row.skipped for row in rows] == [False, False, False, False, True]
    assert rows[3].error
    assert rows[0].sop_instance_uid == "1.2.3.1"
    assert pq.read_table(tmp_path / "out/results.parquet").num_rows == 5


def test_json_is_all_that_is_printed(data: Path, tmp_path: Path) -> None:
    result = screen(data, "--out", tmp_path / "out", "--json")
    summary = json.loads(result.stdout)
    assert (summary["images"], summary["skipped"], summary["errors"]) == (3, 1, 1)
    assert summary["high"] + summary["low"] == 3
    assert {Path(path).name for path in summary["outputs"]} >= {"results.csv", "report.html"}


def test_patients_are_named_only_when_asked_for(data: Path, tmp_path: Path) -> None:
    secrets = re.compile("|".join((*NAME.split("^"), ID, BIRTH_DATE)).encode())

    def telling(folder: Path) -> set[str]:
        return {
            path.name for path in folder.rglob("*") if path.is_file() and secrets.search(path.read_bytes())
        }

    # Pages of Parquet are compressed, so that its text has to be looked for in the table.
    result = screen(data, "--out", tmp_path / "out", "--sort-into", tmp_path / "sorted")
    assert not telling(tmp_path / "out")
    assert not secrets.search(str(pq.read_table(tmp_path / "out/results.parquet").to_pylist()).encode())
    assert not secrets.search(result.output.encode())
    assert not any(secrets.search(bytes(path)) for path in (tmp_path / "sorted").rglob("*"))

    screen(data, "--out", tmp_path / "asked", "--with-patient")
    assert "results.csv" in telling(tmp_path / "asked")


def test_low_images_fail_only_when_asked_for(data: Path, tmp_path: Path) -> None:
    result = screen(data, "--out", tmp_path / "out", "--fail-on", "low")
    low = any(row.quality == "low" for row in read_results(tmp_path / "out/results.csv"))
    assert result.exit_code == (1 if low else 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere", "--out", "out"],
        ["data"],
        ["data", "--out", "data/IM1"],
        ["data", "--out", "out", "--fail-on", "high"],
        ["data", "--out", "out", "--resume", "--overwrite"],
        ["data", "--out", "out", "--copy"],
        ["data", "--out", "out", "--weights", "data"],
        ["data", "--out", "out", "--slice-axis", "3"],
        ["data", "--out", "out", "--sort-into", "used"],
    ],
)
def test_wrong_use_is_2(data: Path, monkeypatch, arguments: list[str]) -> None:
    monkeypatch.chdir(data.parent)
    Path("used/high").mkdir(parents=True)
    Path("used/high/image").touch()
    assert screen(*arguments).exit_code == 2
    assert not Path("out/results.csv").exists()


def test_nothing_judged_is_3(data: Path, tmp_path: Path) -> None:
    for folder in ("out", "empty"):
        (tmp_path / folder).mkdir(exist_ok=True)
    assert screen(data / "notes.txt", "--out", tmp_path / "out").exit_code == 3
    assert len(list(read_results(tmp_path / "out/results.csv"))) == 1
    result = screen(tmp_path / "empty", "--out", tmp_path / "out2", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["images"] == 0


def test_results_are_replaced_only_when_asked_for(data: Path, tmp_path: Path) -> None:
    assert screen(data / "below", "--out", tmp_path / "out").exit_code == 0
    result = screen(data / "below", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "--resume" in result.stderr
    assert screen(data, "--out", tmp_path / "out", "--resume").exit_code == 2
    assert screen(data / "below", "--out", tmp_path / "out", "--resume").exit_code == 0
    assert screen(data, "--out", tmp_path / "out", "--overwrite").exit_code == 0
    assert len(list(read_results(tmp_path / "out/results.csv"))) == 5


@pytest.mark.parametrize("option", ["--link", "--copy"])
def test_images_are_sorted_by_verdict(data: Path, tmp_path: Path, option: str) -> None:
    result = screen(data, "--out", tmp_path / "out", "--sort-into", tmp_path / "sorted", option, "--json")
    expected = set()
    for row in read_results(tmp_path / "out/results.csv"):
        if row.quality:
            expected.add(f"{'review' if row.review else row.quality}/{Path(row.path).relative_to(data)}")
    files = [path for path in (tmp_path / "sorted").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "sorted").as_posix() for path in files} == expected
    assert all(path.is_symlink() == (option == "--link") for path in files)
    counts = json.loads(result.stdout)["sorted"]
    assert list(counts) == ["high", "low", "review", "failed"]
    assert (sum(counts.values()), counts["failed"]) == (3, 0)


def test_file_that_cannot_be_sorted_is_named(data: Path, tmp_path: Path) -> None:
    (tmp_path / "sorted").mkdir()
    for bucket in ("high", "low", "review"):
        (tmp_path / "sorted" / bucket).touch()
    result = screen(data / "below", "--out", tmp_path / "out", "--sort-into", tmp_path / "sorted", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["sorted"]["failed"] == 1
    assert f"{data / 'below/IM3'} could not be sorted" in result.stderr
    assert (tmp_path / "out/results.csv").exists()


def test_other_modalities_are_skipped_unless_admitted(data: Path, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(data / "IM1")
    dataset.Modality = "CT"
    dataset.save_as(data / "below/IM3")
    assert screen(data / "below", "--out", tmp_path / "out").exit_code == 3
    assert screen(data / "below", "--out", tmp_path / "out2", "--modality", "ct").exit_code == 0


def test_report_can_be_left_out(data: Path, tmp_path: Path) -> None:
    assert screen(data, "--out", tmp_path / "out", "--no-report").exit_code == 0
    assert not (tmp_path / "out/report.html").exists()


@pytest.mark.system
def test_interrupted_run_says_how_to_go_on_and_does(data: Path, tmp_path: Path) -> None:
    np.save(data / "long.npy", np.random.default_rng(0).random((2000, 8, 8), np.float32))
    command = [sys.executable, "-c", "from miqanet.cli import main; main()", "screen", str(data)]
    command += ["--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    results = tmp_path / "out/results.csv"
    while not (results.exists() and results.stat().st_size > 1000):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in errors
    assert "Traceback" not in errors
    judged = list(read_results(results))
    assert 0 < len(judged) < 2000
    (data / "long.npy").unlink()
    assert subprocess.run([*command, "--resume"], capture_output=True).returncode == 0
    assert list(read_results(results))[: len(judged)] == judged


@pytest.mark.system
def test_command_line_is_light_and_screening_needs_no_torch(data: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from miqanet.cli import app; "
        "assert not {'openvino', 'pydicom', 'pyarrow', 'torch'} & set(sys.modules); "
        f"result = CliRunner().invoke(app, ['screen', {str(data)!r}, '--out', {str(tmp_path / 'out')!r}]); "
        "assert result.exit_code == 0, result.output; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)

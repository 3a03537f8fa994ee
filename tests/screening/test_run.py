import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from miqanet.screening import run as run_module
from miqanet.screening.engine import Engine
from miqanet.screening.results import read_results
from miqanet.screening.run import RunError, ScreeningRun, Selection, Summary

OUTPUTS = ("results.csv", "results.parquet", "series.csv")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    (folder / "below").mkdir(parents=True)
    for name in ("a.png", "below/c.png", "below/d.png", "z.png"):
        Image.fromarray(rng.integers(0, 255, (32, 40), np.uint8)).save(folder / name)
    np.save(folder / "b.npy", rng.random((5, 30, 30), np.float32))
    (folder / "notes.txt").write_text("no image")
    (folder / "empty.dcm").touch()
    return folder


def screen(
    folder: Path, engine: Engine, data: Path, *, stop_after: int | None = None, **options
) -> Summary | None:
    """Screen as the command does; stop, as Ctrl-C would, after a number of rows."""
    run = ScreeningRun(folder, engine, Selection((str(data),)), **options)
    rows = run.rows()
    for number, _ in enumerate(rows, 1):
        if number == stop_after:
            rows.close()
            return None
    return run.finish()


def test_every_image_and_every_other_file_has_a_row(engine: Engine, data: Path, tmp_path: Path) -> None:
    summary = screen(tmp_path / "out", engine, data)
    rows = list(read_results(tmp_path / "out/results.csv"))
    assert [(Path(row.path).relative_to(data).as_posix(), row.frame) for row in rows] == [
        ("a.png", 0),
        *(("b.npy", frame) for frame in range(5)),
        ("below/c.png", 0),
        ("below/d.png", 0),
        ("empty.dcm", 0),
        ("notes.txt", 0),
        ("z.png", 0),
    ]
    assert [Path(row.path).name for row in rows if row.error] == ["empty.dcm", "notes.txt"]
    assert (summary.images, summary.errors, summary.skipped) == (9, 1, 1)
    assert summary.high + summary.low == 9
    assert summary.low == sum(row.quality == "low" for row in rows)
    assert summary.review == sum(row.review for row in rows)
    assert summary.findings == Counter(kind for row in rows for kind in row.kinds)
    assert {Path(path).name for path in summary.outputs} == {*OUTPUTS, "report.html"}


def test_csv_parquet_and_series_agree(engine: Engine, data: Path, tmp_path: Path) -> None:
    screen(tmp_path / "out", engine, data)
    rows = list(read_results(tmp_path / "out/results.csv"))
    table = pq.read_table(tmp_path / "out/results.parquet")
    assert table["probability_low"].to_pylist() == [row.probability_low for row in rows]
    with (tmp_path / "out/series.csv").open(newline="") as file:
        series = list(csv.DictReader(file))
    assert sum(int(cells["images"]) for cells in series) == 9
    assert [cells["images"] for cells in series] == ["1", "5", "1", "1", "1"]


@pytest.mark.parametrize("stop_after", [1, 3, 6, 9, 11])
def test_resumed_run_equals_an_uninterrupted_one(
    engine: Engine, data: Path, tmp_path: Path, stop_after: int
) -> None:
    screen(tmp_path / "whole", engine, data)
    screen(tmp_path / "parts", engine, data, stop_after=stop_after)
    with (tmp_path / "parts/results.csv").open("ab") as file:
        file.write(b'"half a ro\nw')
    assert not (tmp_path / "parts/results.parquet").exists()
    screen(tmp_path / "parts", engine, data, resume=True)
    for name in OUTPUTS:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    whole, parts = ((tmp_path / name / "report.html").read_text() for name in ("whole", "parts"))
    assert parts.count("data:image/jpeg") == whole.count("data:image/jpeg") > 0


def test_resuming_judges_nothing_twice(engine: Engine, data: Path, tmp_path: Path, monkeypatch) -> None:
    screen(tmp_path / "out", engine, data, stop_after=4)
    judged = []
    judge = run_module.judge
    monkeypatch.setattr(
        run_module,
        "judge",
        lambda items, engine, **options: judge((judged.append(i) or i for i in items), engine, **options),
    )
    screen(tmp_path / "out", engine, data, resume=True)
    assert len(judged) == 11 - 4
    judged.clear()
    screen(tmp_path / "out", engine, data, resume=True)
    assert not judged


def test_run_that_was_killed_before_its_first_row_resumes(engine: Engine, data: Path, tmp_path: Path) -> None:
    screen(tmp_path / "out", engine, data, stop_after=1)
    (tmp_path / "out/results.csv").write_bytes(b"path,fra")
    screen(tmp_path / "out", engine, data, resume=True)
    assert len(list(read_results(tmp_path / "out/results.csv"))) == 11


def test_results_are_not_replaced_unasked(engine: Engine, data: Path, tmp_path: Path) -> None:
    screen(tmp_path / "out", engine, data)
    before = (tmp_path / "out/results.csv").read_bytes()
    with pytest.raises(RunError, match="--resume"):
        screen(tmp_path / "out", engine, data)
    assert (tmp_path / "out/results.csv").read_bytes() == before
    screen(tmp_path / "out", engine, data / "below", overwrite=True)
    assert len(list(read_results(tmp_path / "out/results.csv"))) == 2


def test_results_of_something_else_are_not_continued(engine: Engine, data: Path, tmp_path: Path) -> None:
    screen(tmp_path / "out", engine, data)
    with pytest.raises(RunError, match="paths"):
        screen(tmp_path / "out", engine, data / "below", resume=True)
    with pytest.raises(RunError, match="modalities"):
        ScreeningRun(tmp_path / "out", engine, Selection((str(data),), ("CT",)), resume=True)
    (tmp_path / "out/.miqanet/run.json").unlink()
    with pytest.raises(RunError, match=r"run\.json"):
        screen(tmp_path / "out", engine, data, resume=True)


def test_table_of_other_columns_is_not_continued(
    engine: Engine, data: Path, tmp_path: Path, monkeypatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(run_module, "COLUMNS", run_module.COLUMNS[:-1])
        screen(tmp_path / "out", engine, data, stop_after=1)
    with pytest.raises(RunError, match="columns"):
        screen(tmp_path / "out", engine, data, resume=True)


def test_measures_are_in_the_rows_of_images_that_may_be_low(
    engine: Engine, data: Path, tmp_path: Path
) -> None:
    screen(tmp_path / "out", engine, data)
    rows = list(read_results(tmp_path / "out/results.csv"))
    assert [row.efc is not None for row in rows] == [row.review or row.quality == "low" for row in rows]


def test_file_named_twice_is_judged_once(engine: Engine, data: Path, tmp_path: Path) -> None:
    run = ScreeningRun(
        tmp_path / "out", engine, Selection((str(data), str(data / "below"), str(data / "a.png")))
    )
    assert run.remaining() == 7
    assert len(list(run.rows())) == 11


def test_own_output_is_no_input(engine: Engine, data: Path, tmp_path: Path) -> None:
    screen(data, engine, data)
    screen(data, engine, data, resume=True)
    assert len(list(read_results(data / "results.csv"))) == 11
    (tmp_path / "link").symlink_to(data)
    run = ScreeningRun(
        tmp_path / "out", engine, Selection((str(data),)), leave_out=(tmp_path / "link/below",)
    )
    assert not any("below" in row.path for row in run.rows())


def test_report_can_be_left_out(engine: Engine, data: Path, tmp_path: Path) -> None:
    summary = screen(tmp_path / "out", engine, data, report_images=None)
    assert {Path(path).name for path in summary.outputs} == set(OUTPUTS)


def test_listing_error_at_the_end_is_not_repeated(engine: Engine, data: Path, tmp_path: Path) -> None:
    (data / "zz.dcm").symlink_to(data / "nowhere")
    screen(tmp_path / "out", engine, data)
    before = (tmp_path / "out/results.csv").read_bytes()
    assert b"zz.dcm" in before
    screen(tmp_path / "out", engine, data, resume=True)
    assert (tmp_path / "out/results.csv").read_bytes() == before


def test_two_runs_in_one_folder_are_one_too_many(engine: Engine, data: Path, tmp_path: Path) -> None:
    screen(tmp_path / "out", engine, data)
    hold = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]): print('held', flush=True), input()"
    other = [sys.executable, "-c", hold, str(tmp_path / "out/.miqanet.lock")]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        before = (tmp_path / "out/results.csv").read_bytes()
        with pytest.raises(RunError, match="another run is at work in"):
            screen(tmp_path / "out", engine, data, overwrite=True)
        assert (tmp_path / "out/results.csv").read_bytes() == before
        process.kill()
    assert screen(tmp_path / "out", engine, data, resume=True) is not None


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_trouble_of_a_dicomdir_is_told_beside_its_being_skipped(engine: Engine, tmp_path: Path) -> None:
    record = Dataset()
    record.ReferencedFileID = ["..", "elsewhere"]
    dicomdir = Dataset()
    dicomdir.file_meta = FileMetaDataset()
    dicomdir.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dicomdir.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dicomdir.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dicomdir.DirectoryRecordSequence = [record]
    (tmp_path / "cd").mkdir()
    dicomdir.save_as(tmp_path / "cd/DICOMDIR", enforce_file_format=True)
    summary = screen(tmp_path / "out", engine, tmp_path / "cd/DICOMDIR")
    told = [row.error for row in read_results(tmp_path / "out/results.csv")]
    assert told == ["skipped: DICOMDIR index", "DICOMDIR refers to a file outside its folder"]
    assert summary is not None
    assert (summary.errors, summary.skipped) == (1, 1)
    again = screen(tmp_path / "out", engine, tmp_path / "cd/DICOMDIR", resume=True)
    assert again is not None
    assert (again.errors, again.skipped) == (1, 1)

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from miqanet.screening.results import ResultRow
from miqanet.screening.sorting import Placement, sort_files


def row(path: Path, frame: int = 0, quality: str = "high", review: bool = False) -> ResultRow:
    return ResultRow(str(path), frame, quality, 0.9 if quality == "low" else 0.1, review)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("one/scan", "two/scan", "two/image.nii.gz"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "data"


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("placement", Placement)
def test_files_go_by_verdict_and_keep_their_folders(data: Path, tmp_path: Path, placement: Placement) -> None:
    rows = [
        row(data / "one/scan", quality="low"),
        row(data / "two/image.nii.gz", review=True),
        row(data / "two/scan"),
        ResultRow(str(data / "broken"), 0, error="truncated"),
    ]
    counts = sort_files(tmp_path / "out", rows, [str(data)], placement)
    assert counts == {"high": 1, "low": 1, "review": 1, "failed": 0}
    assert contents(tmp_path / "out") == {
        "high/two/scan": "two/scan",
        "low/one/scan": "one/scan",
        "review/two/image.nii.gz": "two/image.nii.gz",
    }
    assert (tmp_path / "out/low/one/scan").is_symlink() == (placement is Placement.LINK)


def test_names_that_meet_are_numbered(data: Path, tmp_path: Path) -> None:
    rows = [row(data / "one/scan"), row(data / "two/scan")]
    sort_files(tmp_path / "out", rows, [str(data / "one"), str(data / "two")])
    assert contents(tmp_path / "out") == {"high/scan": "one/scan", "high/2-scan": "two/scan"}


def test_nothing_is_overwritten_and_what_lies_there_is_not_doubled(data: Path, tmp_path: Path) -> None:
    (tmp_path / "out/high").mkdir(parents=True)
    (tmp_path / "out/high/scan").write_text("somebody else's")
    for _ in range(2):
        sort_files(tmp_path / "out", [row(data / "one/scan")], [str(data / "one")], Placement.COPY)
    assert contents(tmp_path / "out") == {"high/scan": "somebody else's", "high/2-scan": "one/scan"}


def test_file_of_many_frames_goes_as_a_whole(data: Path, tmp_path: Path) -> None:
    scan, image = data / "one/scan", data / "two/image.nii.gz"
    rows = [row(scan, i, "low" if i < 1 else "high") for i in range(10)]
    rows += [row(image, i, "low" if i < 2 else "high") for i in range(10)]
    assert sort_files(tmp_path / "out", rows, [str(data)]) == Counter(high=1, low=1)
    assert set(contents(tmp_path / "out")) == {"high/one/scan", "low/two/image.nii.gz"}


def test_vanished_file_is_counted_and_named(data: Path, tmp_path: Path) -> None:
    failures: list[tuple[str, OSError]] = []
    counts = sort_files(
        tmp_path / "out",
        [row(data / "gone")],
        [str(data)],
        Placement.COPY,
        on_failure=lambda path, error: failures.append((path, error)),
    )
    assert counts == {"high": 0, "low": 0, "review": 0, "failed": 1}
    ((path, error),) = failures
    assert path == str(data / "gone")
    assert isinstance(error, FileNotFoundError)
    assert not contents(tmp_path / "out")


def test_interrupted_copy_leaves_nothing(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Path, target: Path) -> None:
        target.write_text("tw")
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(shutil, "copy2", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sort_files(tmp_path / "out", [row(data / "two/scan")], [str(data)], Placement.COPY)
    assert not contents(tmp_path / "out")
    sort_files(tmp_path / "out", [row(data / "two/scan")], [str(data)], Placement.COPY)
    assert contents(tmp_path / "out") == {"high/two/scan": "two/scan"}


def test_name_that_is_no_utf8_is_found_again(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).write_text("x")
    written = ResultRow.of_error(str(tmp_path / name), 0, "").path
    sort_files(tmp_path / "out", [row(Path(written))], [str(tmp_path)], Placement.COPY)
    assert (tmp_path / "out/high" / name).read_text() == "x"

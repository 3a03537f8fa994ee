"""From what the user names to files: order, links, pipes, DICOMDIR."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

from miqanet.image import MRImage
from miqanet.reading import ReadError, list_files, read_images
from miqanet.reading.quiet import quiet


def errors(paths: list[Path]) -> dict[str, str]:
    return {found.path: found.reason for found in list_files(paths) if isinstance(found, ReadError)}


def test_files_come_sorted_by_name_folder_by_folder(tmp_path: Path) -> None:
    for name in ("b/2", "b/10", "a", "c/x/y", "B"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    below = [str(tmp_path / name) for name in ("B", "a", "b/10", "b/2", "c/x/y")]
    assert list(list_files([tmp_path])) == below
    assert list(list_files([str(tmp_path / "c"), tmp_path / "a"])) == [below[-1], below[1]]


def test_paths_are_the_argument_joined_with_what_is_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1").touch()
    monkeypatch.chdir(tmp_path)
    assert list(list_files(["series"])) == [os.path.join("series", "1")]  # noqa: PTH118


def test_what_does_not_exist_is_one_error(tmp_path: Path) -> None:
    assert errors([tmp_path / "nowhere"]) == {str(tmp_path / "nowhere"): "no such file or folder"}


def test_symbolic_link_to_a_folder_above_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert list(list_files([tmp_path])) == [
        str(tmp_path / "a" / "file"),
        ReadError(str(tmp_path / "a" / "up"), 0, "symbolic link loop: leads back to a folder above it"),
    ]


def test_symbolic_link_to_itself_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "a")
    assert "symbolic links" in errors([tmp_path])[str(tmp_path / "a")]


def test_folder_with_two_names_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").touch()
    (tmp_path / "a").symlink_to(tmp_path / "b")
    first, second = list_files([tmp_path])
    assert first == str(tmp_path / "a" / "file")
    assert isinstance(second, ReadError)
    assert second.reason.startswith("skipped: link")


def test_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    (tmp_path / "a").symlink_to(tmp_path / "b")
    assert list(list_files([tmp_path])) == [str(tmp_path / "a"), str(tmp_path / "b")]


@pytest.mark.timeout(120)
def test_named_pipe_is_skipped_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (row,) = read_images([tmp_path])
    assert row == ReadError(str(tmp_path / "pipe"), 0, "skipped: no regular file (pipe, socket or device)")


def test_folder_without_permission_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("closed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    scandir = os.scandir

    def refuse(path: Path) -> Any:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "scandir", refuse)
    assert list(list_files([tmp_path])) == [
        ReadError(str(tmp_path / "closed"), 0, "no permission to read"),
        str(tmp_path / "open" / "file"),
    ]


def test_folders_may_be_nested_deeply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1100):
        Path("d").mkdir()
        os.chdir("d")
    found = list(list_files([tmp_path]))
    for _ in range(1100):
        os.chdir("..")
        Path("d").rmdir()
    assert found == []


def write_index(path: Path, *file_ids: list[str]) -> None:
    """Write a DICOMDIR: a patient's record, and one record for each file."""
    index = Dataset()
    index.FileSetID = "DISK"
    index.DirectoryRecordSequence = [Dataset()]
    index.DirectoryRecordSequence[0].DirectoryRecordType = "PATIENT"
    for file_id in file_ids:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with quiet:
            record.ReferencedFileID = file_id
        index.DirectoryRecordSequence.append(record)
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = uid.MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    with quiet:
        index.save_as(path, enforce_file_format=True)


@pytest.fixture
def disk(tmp_path: Path, phantom: Callable[..., NDArray[Any]], write_dicom: Callable[..., Path]) -> Path:
    """Return a folder with two images in a DICOMDIR and one that is not."""
    folder = tmp_path / "disk"
    (folder / "SERIES").mkdir(parents=True)
    for name in ("SERIES/IM1", "SERIES/IM2", "UNLISTED"):
        write_dicom(folder / name, phantom())
    write_index(folder / "DICOMDIR", ["SERIES", "IM2"], ["SERIES", "IM1"], ["SERIES", "IM1"])
    return folder


def test_dicomdir_stands_for_the_files_it_refers_to(disk: Path) -> None:
    index, *rows = read_images([disk / "DICOMDIR"])
    assert index == ReadError(str(disk / "DICOMDIR"), 0, "skipped: DICOMDIR index")
    assert [type(row) for row in rows] == [MRImage, MRImage]
    assert [row.path for row in rows] == [str(disk / "SERIES" / name) for name in ("IM2", "IM1")]


def test_dicomdir_in_a_folder_gives_nothing_twice(disk: Path) -> None:
    rows = list(read_images([disk]))
    assert [Path(row.path).name for row in rows] == ["DICOMDIR", "IM1", "IM2", "UNLISTED"]
    assert isinstance(rows[0], ReadError)


def test_file_that_a_dicomdir_misses_is_an_error(disk: Path) -> None:
    (disk / "SERIES" / "IM2").unlink()
    _, missing, image = read_images([disk / "DICOMDIR"])
    assert missing == ReadError(str(disk / "SERIES" / "IM2"), 0, "no such file or folder")
    assert isinstance(image, MRImage)


def test_dicomdir_of_a_copy_with_lowered_names_is_followed(disk: Path) -> None:
    for path in sorted(disk.rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.lower()))
    rows = list(read_images([disk / "dicomdir"]))
    assert sum(isinstance(row, MRImage) for row in rows) == 2


@pytest.mark.parametrize("file_id", [["..", "secret"], ["SERIES", "..", "..", "secret"], ["/etc", "passwd"]])
def test_dicomdir_never_leads_out_of_its_folder(file_id: list[str], disk: Path) -> None:
    (disk.parent / "secret").write_bytes((disk / "UNLISTED").read_bytes())
    write_index(disk / "DICOMDIR", file_id)
    _, row = read_images([disk / "DICOMDIR"])
    assert row == ReadError(str(disk / "DICOMDIR"), 0, "DICOMDIR refers to a file outside its folder")


def test_damaged_dicomdir_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(np.random.default_rng(0).bytes(4000))
    rows = list(read_images([tmp_path / "DICOMDIR"]))
    assert rows
    assert all(isinstance(row, ReadError) for row in rows)

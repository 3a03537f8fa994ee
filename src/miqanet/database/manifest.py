"""What a MANIFEST.csv says of images beside it: dataset, subject, body part, contrast, what to leave out."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from miqanet.database.csv_rows import read_rows
from miqanet.reading import ReadError

FILE_NAME = "MANIFEST.csv"

_COLLECTED = "natural"
"""Folder of images that were collected for their artifacts, from wherever they came."""

_LEFT_OUT_FOLDERS = frozenset({_COLLECTED, "kspace"})
_COLUMNS = ("file", "dataset", "subject", "body_part", "modality_contrast")
_ARTIFACT_COLUMNS = ("natural_artifact", "natural_artefact")
_SOURCE_COLUMNS = ("source_repo", "commit", "licence")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a manifest."""

    dataset: str
    subject: str
    body_part: str
    contrast: str
    clean: bool
    """Whether it is a reference to spoil: no natural artifact, no raw k-space, no phantom."""

    set_apart: bool = False
    """Whether it lies in the folder `natural`, and so stands for no site."""


def read_manifest(folder: Path) -> dict[str, Entry]:
    """Return the entries of the MANIFEST.csv in `folder` (resolved) or its parent by absolute path, if any.

    Raises:
        ValueError: a column is missing, or it is no CSV file in UTF-8.
    """
    path = manifest_path(folder)
    if path is None:
        return {}
    rows = read_rows(path, _COLUMNS)
    return {os.path.normpath(path.parent / row["file"]): _entry(row) for _, row in rows}


def absent(manifest: Mapping[str, Entry], folder: Path, files: Collection[str]) -> list[ReadError]:
    """Return a record for each file below `folder` (resolved) that the manifest names and that is not there.

    Raises:
        ValueError: it names files, and none of those that are there; subjects and datasets would be made up.
    """
    named = set(manifest).intersection(files)
    if manifest and files and not named:
        raise ValueError(
            f"{manifest_path(folder)} names none of the files below {folder}: its column `file` has paths from its "
            "own folder, with forward slashes"
        )
    below = (path for path in manifest if Path(path).is_relative_to(folder) and path not in named)
    return [ReadError(path, 0, "the manifest names it, and it is not there") for path in below]


def read_sources(folder: Path, datasets: Collection[str]) -> list[dict[str, str]]:
    """Return whence these datasets come, by the manifest of `folder`: repositories, commits and licenses.

    Nothing where there is no manifest, or where it does not say.

    Raises:
        ValueError: the manifest lacks a column that it has to have, or is no CSV file in UTF-8.
    """
    path = manifest_path(folder)
    rows = read_rows(path, _COLUMNS) if path else ()
    told = {
        (row["dataset"], *(row.get(name, "") for name in _SOURCE_COLUMNS))
        for _, row in rows
        if row["dataset"] in datasets and row.get("licence")
    }
    return [dict(zip(("dataset", "source", "commit", "license"), each, strict=True)) for each in sorted(told)]


def manifest_path(folder: Path) -> Path | None:
    """Return where the MANIFEST.csv that holds for `folder` lies: in it or its parent; None where there is none."""
    return next((p for p in (folder / FILE_NAME, folder.parent / FILE_NAME) if p.is_file()), None)


def _entry(row: dict[str, str]) -> Entry:
    spoiled = any(row.get(name, "").lower().startswith("y") for name in _ARTIFACT_COLUMNS)
    folders = PurePosixPath(row["file"]).parts[:-1]
    left_out = not _LEFT_OUT_FOLDERS.isdisjoint(folders)
    phantom = "phantom" in row["body_part"].lower()
    return Entry(
        dataset=row["dataset"],
        subject=row["subject"],
        body_part=row["body_part"],
        contrast=row["modality_contrast"],
        clean=not (spoiled or left_out or phantom),
        set_apart=_COLLECTED in folders,
    )

"""What a MANIFEST.csv says of images beside it: dataset, subject, body part, contrast, what to leave out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from miqanet.database.csv_rows import read_rows

FILE_NAME = "MANIFEST.csv"

_COLLECTED = "natural"
"""Folder of images that were collected for their artifacts, from wherever they came."""

_LEFT_OUT_FOLDERS = frozenset({_COLLECTED, "kspace"})
_COLUMNS = ("file", "dataset", "subject", "body_part", "modality_contrast")


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
    path = next((p for p in (folder / FILE_NAME, folder.parent / FILE_NAME) if p.is_file()), None)
    if path is None:
        return {}
    rows = read_rows(path, _COLUMNS)
    return {os.path.normpath(path.parent / row["file"]): _entry(row) for _, row in rows}


def _entry(row: dict[str, str]) -> Entry:
    spoiled = row.get("natural_artefact", "").lower().startswith("y")
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

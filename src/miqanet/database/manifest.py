"""What a MANIFEST.csv says of images beside it: dataset, subject, body part, contrast, what to leave out."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FILE_NAME = "MANIFEST.csv"

_LEFT_OUT_FOLDERS = frozenset({"natural", "kspace"})
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


def read_manifest(folder: Path) -> dict[str, Entry]:
    """Return the entries of the MANIFEST.csv in `folder` (resolved) or its parent by absolute path, if any.

    Raises:
        ValueError: a column is missing.
    """
    path = next((p for p in (folder / FILE_NAME, folder.parent / FILE_NAME) if p.is_file()), None)
    if path is None:
        return {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = set(_COLUMNS).difference(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path} lacks the column {', '.join(sorted(missing))}")
        return {os.path.normpath(path.parent / row["file"]): _entry(row) for row in reader}


def _entry(row: dict[str, str]) -> Entry:
    spoiled = (row.get("natural_artefact") or "").lower().startswith("y")
    set_apart = not _LEFT_OUT_FOLDERS.isdisjoint(PurePosixPath(row["file"]).parts[:-1])
    phantom = "phantom" in row["body_part"].lower()
    return Entry(
        dataset=row["dataset"],
        subject=row["subject"],
        body_part=row["body_part"],
        contrast=row["modality_contrast"],
        clean=not (spoiled or set_apart or phantom),
    )

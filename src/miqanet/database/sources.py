"""Copying the clean slices of a folder into a database: files, subjects, datasets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from miqanet.database.body_parts import normalize_body_part
from miqanet.database.clean import clean_files, read_clean
from miqanet.database.manifest import read_manifest
from miqanet.database.png import encode_png, write_whole
from miqanet.database.schema import Dataset, Source, Subject
from miqanet.reading import ReadError

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def keep_sources(engine: Engine, clean: Path, out: Path, progress: Progress) -> tuple[ReadError, ...]:
    """Copy the clean slices of `clean`, all in one transaction, and return what could not be read.

    Nothing is done where that has been done before. A picture that is there twice is kept once.

    Raises:
        ValueError: no clean image was found.
    """
    with Session(engine) as session, session.begin():
        if session.scalar(select(func.count(Source.id))):
            return ()
        clean = clean.resolve()
        manifest = read_manifest(clean)
        files, unread = clean_files(clean, manifest)
        places = {Path(path).relative_to(clean).as_posix(): i for i, path in enumerate(files, 1)}
        datasets: dict[str, Dataset] = {}
        subjects: dict[tuple[str, str], Subject] = {}
        kept: set[str] = set()
        for image in read_clean(clean, files, manifest):
            if isinstance(image, ReadError):
                unread.append(image)
                continue
            progress("reading clean images", places[image.origin], len(files))
            png = encode_png(image.pixels)
            sha256 = hashlib.sha256(png).hexdigest()
            if sha256 in kept:
                continue
            if image.dataset not in datasets:
                datasets[image.dataset] = Dataset(name=image.dataset)
            person = image.dataset, image.subject
            if person not in subjects:
                subjects[person] = Subject(name=image.subject, dataset=datasets[image.dataset])
            source = Source(
                subject=subjects[person],
                path=f"sources/{len(kept):06d}.png",
                sha256=sha256,
                origin=image.origin,
                frame=image.frame,
                rows=image.pixels.shape[0],
                columns=image.pixels.shape[1],
                body_part=normalize_body_part(image.body_part),
                body_part_text=image.body_part,
                contrast=image.contrast,
            )
            write_whole(out / source.path, png)
            session.add(source)
            kept.add(sha256)
        if not kept:
            raise ValueError(
                f"{clean} holds no clean MR image that can be read ({len(unread)} files could not be)"
            )
    return tuple(unread)

"""Reading a database: its images, clean slices and subjects as plain records."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select

from miqanet.database.records import ImageRecord, SourceRecord, SubjectRecord
from miqanet.database.schema import Artifact, Dataset, Image, Label, Property, Source, Subject
from miqanet.database.store import FILE_NAME, check_revision, open_engine
from miqanet.verdict import Quality


class Database:
    """A database to read from. Close it, or use it in a `with` statement."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        self._engine = engine

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the database in a folder (or its `database.sqlite`).

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is no database of miqanet's, or of another schema revision.
        """
        folder = Path(path)
        if folder.name == FILE_NAME:
            folder = folder.parent
        if not (folder / FILE_NAME).is_file():
            raise FileNotFoundError(f"{folder} holds no {FILE_NAME}; make one with `miqanet database build`")
        engine = open_engine(folder)
        try:
            check_revision(engine)
        except ValueError:
            engine.dispose()
            raise
        return cls(folder, engine)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def properties(self) -> dict[str, str]:
        """Return what holds for the whole database: seed, counts, version that made it."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(Property.key, Property.value)).all()
        return {row.key: row.value for row in rows}

    def fingerprint(self) -> str:
        """Return the SHA-256 of all images and clean slices: which data a model was trained on."""
        digest = hashlib.sha256()
        with self._engine.connect() as connection:
            for column in (Source.sha256, Image.sha256):
                for sha256 in connection.scalars(select(column).order_by(column)):
                    digest.update(sha256.encode())
        return digest.hexdigest()

    def subjects(self) -> list[SubjectRecord]:
        """Return the subjects that have clean slices."""
        query = (
            select(Subject.id, Dataset.name, Source.body_part)
            .join(Subject.dataset)
            .join(Subject.sources)
            .order_by(Subject.id)
            .distinct()
        )
        parts: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        with self._engine.connect() as connection:
            for subject, dataset, body_part in connection.execute(query):
                parts[subject, dataset].add(body_part)
        return [SubjectRecord(subject, dataset, frozenset(p)) for (subject, dataset), p in parts.items()]

    def subject_names(self) -> dict[int, str]:
        """Return each subject's dataset and name, `dataset/name`: what identifies it in other databases, too."""
        query = select(Subject.id, Dataset.name, Subject.name).join(Subject.dataset)
        with self._engine.connect() as connection:
            return {number: f"{dataset}/{name}" for number, dataset, name in connection.execute(query)}

    def sources(self) -> list[SourceRecord]:
        """Return the clean slices."""
        query = (
            select(
                Source.path,
                Subject.id.label("subject"),
                Dataset.name.label("dataset"),
                Source.body_part,
                Source.contrast,
            )
            .join(Source.subject)
            .join(Subject.dataset)
            .order_by(Source.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            SourceRecord(self.folder / row.path, row.subject, row.dataset, row.body_part, row.contrast)
            for row in rows
        ]

    def images(self) -> list[ImageRecord]:
        """Return the labelled images with what spoils them.

        Raises:
            ValueError: an image has labels of several provenances, so that its class is a matter of choice.
        """
        harms: defaultdict[int, dict[str, float]] = defaultdict(dict)
        query = (
            select(
                Image.id,
                Image.path,
                Image.simulated,
                Subject.id.label("subject"),
                Dataset.name.label("dataset"),
                Source.body_part,
                Source.contrast,
                Label.quality,
            )
            .join(Image.source)
            .join(Source.subject)
            .join(Subject.dataset)
            .join(Image.labels)
            .order_by(Image.id)
        )
        with self._engine.connect() as connection:
            for image, kind, harm in connection.execute(
                select(Artifact.image_id, Artifact.kind, Artifact.harm)
            ):
                harms[image][kind] = max(harm, harms[image].get(kind, 0.0))
            rows = connection.execute(query).all()
        if len({row.id for row in rows}) < len(rows):
            raise ValueError(f"{self.folder} holds images with labels of several provenances")
        return [
            ImageRecord(
                path=self.folder / row.path,
                subject=row.subject,
                dataset=row.dataset,
                body_part=row.body_part,
                contrast=row.contrast,
                low=row.quality is Quality.LOW,
                harms=harms[row.id],
                simulated=row.simulated,
            )
            for row in rows
        ]

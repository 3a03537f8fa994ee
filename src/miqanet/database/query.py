"""Reading a database: its images, clean slices and subjects as plain records."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, func, select

from miqanet.database.labels import SIMULATED
from miqanet.database.records import ImageRecord, RaterRecord, SourceRecord, SubjectRecord, VoteRecord
from miqanet.database.schema import Artifact, Dataset, Image, Label, Property, Rater, Source, Subject, Vote
from miqanet.database.store import FOLDER, check_revision, open_existing
from miqanet.database.study_schema import TAKEN_BACK
from miqanet.verdict import Quality


class Database:
    """A database to read from. Close it, or use it in a `with` statement."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder = folder
        """Of the image files."""

        self.engine = engine
        """For those who write."""

    @classmethod
    def open(cls, place: Path | str) -> Self:
        """Open the database in a folder (or its `database.sqlite`), or on the server at a URL.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is no database of miqanet's, or of another schema revision.
        """
        engine = open_existing(place)
        try:
            check_revision(engine)
            folder = _folder(engine)
        except ValueError:
            engine.dispose()
            raise
        return cls(folder, engine)

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def properties(self) -> dict[str, str]:
        """Return what holds for the whole database: seed, counts, version that made it."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Property.key, Property.value)).all()
        return {row.key: row.value for row in rows}

    def fingerprint(self) -> str:
        """Return the SHA-256 of all images and clean slices: which data a model was trained on."""
        digest = hashlib.sha256()
        with self.engine.connect() as connection:
            for column in (Source.sha256, Image.sha256):
                for sha256 in connection.scalars(select(column).order_by(column)):
                    digest.update(sha256.encode())
        return digest.hexdigest()

    def subjects(self) -> list[SubjectRecord]:
        """Return the subjects that have clean slices or images."""
        parts: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        with self.engine.connect() as connection:
            for table in (Source, Image):
                query = (
                    select(Subject.id, Dataset.name, table.body_part)
                    .join(Subject.dataset)
                    .join(table, table.subject_id == Subject.id)
                    .distinct()
                )
                for subject, dataset, body_part in connection.execute(query):
                    parts[subject, dataset].add(body_part)
        return [
            SubjectRecord(subject, dataset, frozenset(found))
            for (subject, dataset), found in sorted(parts.items())
        ]

    def subject_names(self) -> dict[int, str]:
        """Return each subject's dataset and name, `dataset/name`: what identifies it in other databases, too."""
        query = select(Subject.id, Dataset.name, Subject.name).join(Subject.dataset)
        with self.engine.connect() as connection:
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
        with self.engine.connect() as connection:
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
        severities: dict[int, float] = {}
        images = (
            select(
                Image.id,
                Image.path,
                Image.subject_id,
                Dataset.name.label("dataset"),
                Image.body_part,
                Image.contrast,
                Image.simulated,
                Image.set_apart,
                Image.ssim,
                Image.nrmse,
                Label.quality,
                Label.provenance.in_(SIMULATED).label("label_simulated"),
                Label.votes_for_low,
                Label.votes_in_all,
            )
            .join(Image.subject)
            .join(Subject.dataset)
            .join(Image.labels)
            .order_by(Image.id)
        )
        with self.engine.connect() as connection:
            artifacts = select(Artifact.image_id, Artifact.kind, Artifact.harm, Artifact.severity)
            for image, kind, harm, severity in connection.execute(artifacts.order_by(Artifact.id)):
                if harm > max(harms[image].values(), default=-1.0):
                    severities[image] = severity
                harms[image][kind] = max(harm, harms[image].get(kind, 0.0))
            rows = connection.execute(images).all()
        if len({row.id for row in rows}) < len(rows):
            raise ValueError(
                f"{self.folder} holds images with labels of several provenances, and an image has one class; "
                "`miqanet study labels --replace` keeps those of a study"
            )
        return [
            ImageRecord(
                path=self.folder / row.path,
                subject=row.subject_id,
                dataset=row.dataset,
                body_part=row.body_part,
                contrast=row.contrast,
                low=row.quality is Quality.LOW,
                harms=harms[row.id],
                simulated=row.simulated,
                label_simulated=row.label_simulated,
                image=row.id,
                low_votes=row.votes_for_low / row.votes_in_all if row.votes_in_all else None,
                ssim=row.ssim,
                nrmse=row.nrmse,
                severity=severities.get(row.id),
                set_apart=row.set_apart,
            )
            for row in rows
        ]

    def image_hashes(self) -> dict[int, str]:
        """Return the SHA-256 of each image's file by the number of the image."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Image.id, Image.sha256).order_by(Image.id)).all()
        return {row.id: row.sha256 for row in rows}

    def image_count(self) -> int:
        """Return how many images there are, with a label or without."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count(Image.id))) or 0

    def raters(self) -> list[RaterRecord]:
        """Return who has judged images."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Rater.name, Rater.simulated).order_by(Rater.id)).all()
        return [RaterRecord(row.name, row.simulated) for row in rows]

    def votes(self) -> list[VoteRecord]:
        """Return what each rater says of each image, by image: the latest vote that was not taken back."""
        query = (
            select(Vote.image_id, Rater.name, Vote.quality)
            .join(Vote.rater)
            .where(~TAKEN_BACK)
            .order_by(Vote.id)
        )
        with self.engine.connect() as connection:
            latest = {(row.image_id, row.name): row.quality for row in connection.execute(query)}
        return [
            VoteRecord(image, rater, quality is Quality.LOW)
            for (image, rater), quality in sorted(latest.items())
        ]


def _folder(engine: Engine) -> Path:
    """Return the folder of a database's image files."""
    if engine.dialect.name == "sqlite":
        return Path(str(engine.url.database)).parent
    with engine.connect() as connection:
        folder = connection.scalar(select(Property.value).where(Property.key == FOLDER))
    if folder is None:
        raise ValueError(f"the creation of {engine.url} was interrupted; do it again")
    return Path(folder)

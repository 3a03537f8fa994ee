"""A labelled database as the evaluation needs it, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from miqanet.database.query import Database
from miqanet.database.records import ImageRecord, SourceRecord, SubjectRecord, VoteRecord, what_is_simulated


@dataclass(frozen=True, eq=False)
class Data:
    """The records of a database."""

    images: Sequence[ImageRecord]
    subjects: Sequence[SubjectRecord]
    subject_names: Mapping[int, str]
    """What identifies each subject in other databases, too."""

    sources: Sequence[SourceRecord]
    votes: Sequence[VoteRecord]
    """Of those whose judgement the labels are: people's, or simulated raters' where they alone have rated."""

    image_hashes: Mapping[int, str]
    sha256: str
    """Fingerprint of the database."""

    @classmethod
    def read(cls, place: Path | str) -> Self:
        """Read the database in a folder or at a URL.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is no database of miqanet's, of another revision, or has no labelled images.
        """
        with Database.open(place) as database:
            images = database.images()
            made_up = {image.image: image.label_simulated for image in images}
            simulated = {rater.name: rater.simulated for rater in database.raters()}
            data = cls(
                images=images,
                subjects=database.subjects(),
                subject_names=database.subject_names(),
                sources=database.sources(),
                votes=[vote for vote in database.votes() if made_up.get(vote.image) is simulated[vote.rater]],
                image_hashes=database.image_hashes(),
                sha256=database.fingerprint(),
            )
            if not data.images:
                raise ValueError(f"the database with its images in {database.folder} holds none with a label")
        return data

    @cached_property
    def by_number(self) -> Mapping[int, ImageRecord]:
        """The images by their numbers."""
        return {image.image: image for image in self.images}

    @property
    def simulated(self) -> str:
        """What is simulated of it, in words; empty where nothing is."""
        return what_is_simulated(self.images)

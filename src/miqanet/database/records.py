"""What a database says of its images, as plain records without SQLAlchemy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """A person who was imaged, and the strata that he or she belongs to."""

    subject: int
    dataset: str
    body_parts: frozenset[str]
    """Normalized body parts, see `miqanet.database.body_parts`."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A clean slice, from which simulated images are made."""

    path: Path
    subject: int
    dataset: str
    body_part: str
    contrast: str


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """A labelled image."""

    path: Path
    subject: int
    dataset: str
    body_part: str
    contrast: str
    low: bool
    """True where the label is low diagnostic quality: the positive class."""

    harms: Mapping[str, float]
    """The greatest harm of each kind of artifact in the image; at 1, half of the simulated raters are expected to
    say low. What they said is `low`, which may differ."""

    simulated: bool
    label_simulated: bool = False
    """Whether the label is by simulated raters rather than by people."""

    image: int = 0
    """The number by which votes name it."""

    low_votes: float | None = None
    """Share of the raters who said low; unknown where the label comes from no votes."""

    ssim: float | None = None
    """Structural similarity to the same acquisition without artifacts; unknown of real images."""

    nrmse: float | None = None
    """Root mean square difference from that, over its root mean square."""

    severity: float | None = None
    """Of the artifact that does the greatest harm, as a factor on its strength; unknown without artifacts."""

    set_apart: bool = False
    """Whether it was collected for its artifact, and so stands for no site."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of artifact that spoil the image (harm of at least 1), sorted: its multi-label."""
        return tuple(sorted(kind for kind, harm in self.harms.items() if harm >= 1))


def labels(images: Iterable[ImageRecord]) -> list[tuple[int, bool, float | None]]:
    """Return images with their labels and votes, by number."""
    return sorted((image.image, image.low, image.low_votes) for image in images)


def labels_sha256(images: Iterable[ImageRecord]) -> str:
    """Return a hash of images with their labels and votes: other than pixels, these may change."""
    return hashlib.sha256(json.dumps(labels(images)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RaterRecord:
    """Someone who judges images, under a pseudonym, or a simulation of one."""

    name: str
    simulated: bool


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """What a rater says of an image."""

    image: int
    rater: str
    low: bool


def what_is_simulated(images: Sequence[ImageRecord]) -> str:
    """Return in words what is simulated of images and of their labels; nothing where nothing is."""
    artifacts = _share("simulated artifacts", [image.simulated for image in images])
    labels = _share("simulated labels", [image.label_simulated for image in images])
    said = " and ".join(filter(None, (artifacts, labels)))
    return said if not labels or "partly" in labels else f"{said}: no radiologist has rated these images"


def _share(what: str, made_up: Sequence[bool]) -> str:
    return "" if not any(made_up) else what if all(made_up) else f"partly {what}"

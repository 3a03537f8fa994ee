"""Draws of the simulation, as worker processes make them: everything about an image but its acceptance."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.metrics import normalized_root_mse, structural_similarity

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.simulation import simulate
from miqanet.database.labels import majority_low
from miqanet.database.png import encode_png, read_png
from miqanet.database.raters import cast_votes
from miqanet.database.records import SourceRecord
from miqanet.database.sampling import EvenSampler

_RATERS_STREAM = 0
"""Of a ticket's seed, apart from the numbers that make the image: more raters would leave images as they are."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the draw of one image starts from."""

    number: int
    source: SourceRecord
    seed: int


def ticket(number: int, database_seed: int, sampler: EvenSampler) -> Ticket:
    """Return the ticket of draw `number`; draws are independent, so that any worker may make any of them."""
    rng = np.random.default_rng(np.random.SeedSequence(database_seed, spawn_key=(number,)))
    return Ticket(number, sampler.draw(rng), int(rng.integers(2**63)))


@dataclass(frozen=True, slots=True)
class DrawnArtifact:
    """An artifact in an image, ready for its row."""

    kind: str
    severity: float
    parameters: dict[str, Any]
    harm: float


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """A simulated image, ready for its file and row."""

    ticket: Ticket
    png: bytes
    sha256: str
    rows: int
    columns: int
    artifacts: tuple[DrawnArtifact, ...]
    votes: tuple[bool, ...]
    """What each of `miqanet.database.raters.RATERS` says: True for low."""

    low: bool | None
    """Their majority; None where they are tied."""

    ssim: float
    nrmse: float


def draw_image(ticket: Ticket) -> DrawnImage:
    """Simulate the image of a ticket and the raters' votes on it, which hang on its worst artifact."""
    simulated = simulate(read_png(ticket.source.path), np.random.default_rng(ticket.seed))
    png = encode_png(simulated.image)
    rows, columns = simulated.image.shape
    artifacts = tuple(
        DrawnArtifact(artifact.kind, float(artifact.severity), _parameters(artifact), float(harm))
        for artifact, harm in zip(simulated.artifacts, simulated.harms, strict=True)
    )
    rng = np.random.default_rng(np.random.SeedSequence(ticket.seed, spawn_key=(_RATERS_STREAM,)))
    votes = cast_votes(max(simulated.harms, default=0.0), rng)
    return DrawnImage(
        ticket=ticket,
        png=png,
        sha256=hashlib.sha256(png).hexdigest(),
        rows=rows,
        columns=columns,
        artifacts=artifacts,
        votes=votes,
        low=majority_low(votes),
        ssim=ssim(simulated.reference, simulated.image),
        nrmse=float(normalized_root_mse(simulated.reference, simulated.image)),
    )


def ssim(reference: Image, image: Image) -> float:
    """Structural similarity in the form of Wang et al., IEEE Trans. Image Process. 13, 2004, section III-C."""
    return float(
        structural_similarity(
            reference,
            image,
            data_range=float(reference.max() - reference.min()),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def _parameters(artifact: Artifact) -> dict[str, Any]:
    """Return an artifact's parameters, its severity apart, in JSON's types."""
    fields = dataclasses.asdict(artifact)
    del fields["severity"]
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value

"""What speaks against an image, in plain words: the measures that few clean images reach.

A measure is unusual beyond the 95th percentile of clean images (below the 5th, where low is bad). So one clean image
in twenty is unusual by each measure, and images that the reference lacks more often: the words ask, they do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from miqanet.features.measures import Measures
from miqanet.features.reference import Reference


@dataclass(frozen=True, slots=True)
class Plain:
    """A measure in plain words."""

    name: str
    """What it is, in two or three words."""

    unusual: str
    """What an unusual value looks like, and what to look for."""

    low_is_bad: bool = False


PLAIN: dict[str, Plain] = {
    "nyquist_ghost_ratio": Plain(
        "Ghost at half the field of view",
        "There may be a faint copy of the body, shifted by half the image: ghosting or motion?",
    ),
    "qi1": Plain(
        "Artifact in air",
        "There is much signal in the air around the body, where only noise should be: ghosting, motion or a zipper?",
    ),
    "qi2": Plain(
        "Artifact and noise in air",
        "The noise in the air around the body is not like ordinary noise: interference, wrap-around or faint ghosts?",
    ),
    "snr_dietrich": Plain(
        "Signal to noise in air",
        "The signal is weak for the noise in the air around the body: the right coil, connected and in place?",
        low_is_bad=True,
    ),
    "snr": Plain(
        "Signal to noise in the body",
        "The body looks grainy: too much noise for the signal?",
        low_is_bad=True,
    ),
    "fber": Plain(
        "Body over air",
        "The air around the body is bright compared with the body: noise, ghosting or interference?",
        low_is_bad=True,
    ),
    "efc": Plain(
        "Spread of brightness",
        "Brightness is spread over the whole image rather than gathered in the body: noise, ghosting or motion?",
    ),
    "sharpness": Plain(
        "Sharpness",
        "Edges are soft: blur, motion or a coarse matrix?",
        low_is_bad=True,
    ),
}
"""In the order in which they are told: what points at one artifact comes before what points at many."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A measure of an image that is unusual."""

    measure: str
    value: float
    limit: float
    """What 95 of 100 clean images do not exceed, or do not fall below."""

    @property
    def plain(self) -> Plain:
        """The measure in plain words."""
        return PLAIN[self.measure]


def reasons(measures: Measures, reference: Reference) -> tuple[Reason, ...]:
    """Return the unusual measures of an image in the order of `PLAIN`; what could not be measured is none."""
    found = []
    for name, plain in PLAIN.items():
        value, usual = getattr(measures, name), reference.ranges[name]
        limit = usual.p5 if plain.low_is_bad else usual.p95
        # Both comparisons are false for NaN.
        if value < limit if plain.low_is_bad else value > limit:
            found.append(Reason(name, value, limit))
    return tuple(found)

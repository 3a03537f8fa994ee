"""Parts of the images that are looked at apart: where does a method do well, and where not?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from miqanet.database.contrasts import normalize_contrast
from miqanet.database.records import ImageRecord

HARM_LIMITS = (0.25, 0.5, 0.8, 1.25, 2.0, 4.0)
"""Of the worst artifact in an image; 1 is where raters differ most."""


SEVERITY_LIMITS = (0.25, 0.5, 0.75, 1.0)
"""Of the same artifact; 1 is what was drawn for it."""


def artifact(image: ImageRecord) -> str | None:
    """Return the kind of the worst artifact, whether it spoils the image or not; none of real images."""
    if image.harms:
        return max(image.harms, key=lambda kind: image.harms[kind])
    return "none" if image.simulated else None


def harm(image: ImageRecord) -> str | None:
    """Return between which limits the harm of the worst artifact lies; none of real images."""
    return _between(max(image.harms.values(), default=0.0), HARM_LIMITS) if image.simulated else None


def severity(image: ImageRecord) -> str | None:
    """Return between which limits the severity of the worst artifact lies; none without artifacts."""
    return None if image.severity is None else _between(image.severity, SEVERITY_LIMITS)


def _between(value: float, limits: Sequence[float]) -> str:
    place = sum(value >= limit for limit in limits)
    if place == len(limits):
        return f"{limits[-1]:g} and more"
    return f"{(0.0, *limits)[place]:g} to {limits[place]:g}"


def votes(image: ImageRecord) -> str | None:
    """Return whether the raters were of one mind; none without votes."""
    if image.low_votes is None:
        return None
    return "unanimous" if image.low_votes in (0.0, 1.0) else "split"


STRATA: dict[str, Callable[[ImageRecord], str | None]] = {
    "artifact": artifact,
    "severity": severity,
    "harm": harm,
    "votes": votes,
    "body_part": lambda image: image.body_part,
    # A manifest has its own words, such as "T1W ax".
    "contrast": lambda image: normalize_contrast(image.contrast) or image.contrast or "unknown",
    "dataset": lambda image: image.dataset,
}
"""From an image to the name of its part; None leaves it out."""


def parts(images: Sequence[ImageRecord], stratum: str) -> dict[str, NDArray[np.intp]]:
    """Return the places of the images of each part of a stratum, by name; what has limits in their order."""
    names = [STRATA[stratum](image) for image in images]
    order = sorted({name for name in names if name is not None}, key=lambda name: _key(stratum, name))
    return {name: np.asarray([i for i, n in enumerate(names) if n == name], np.intp) for name in order}


def _key(stratum: str, name: str) -> tuple[float, str]:
    return (float(name.split()[0]) if stratum in ("harm", "severity") else 0.0, name)

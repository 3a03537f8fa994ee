"""Which values of the measures are usual: percentiles over clean images, with where they come from.

`reference.json` is written by `benchmarks/measure_reference.py`. A body part of few subjects has no reference of its
own; it and what states no body part are compared with all images. Contrasts, coils and filters beyond those of the
reference have other usual values: one outside is a reason to look, and no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike

FILE_NAME = "reference.json"

ALL = "all"
"""Name of the reference of all body parts together."""


@dataclass(frozen=True, slots=True)
class Range:
    """What clean images measure: nine in ten lie between `p5` and `p95`. NaN where none could be measured."""

    p5: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Reference:
    """The usual values of all measures, and of which images."""

    body_part: str
    """One of `miqanet.database.body_parts.BODY_PARTS`, or `ALL`."""

    images: int
    subjects: int
    ranges: Mapping[str, Range]
    """By name of the measure."""


def shipped_reference(body_part: str) -> Reference:
    """Return the shipped reference of a body part, or that of all images where it has none of its own."""
    references = _shipped()
    return references.get(body_part, references[ALL])


@cache
def _shipped() -> dict[str, Reference]:
    content = json.loads(resources.files("miqanet.features").joinpath(FILE_NAME).read_text(encoding="utf-8"))
    return {
        body_part: Reference(
            body_part=body_part,
            images=int(known["images"]),
            subjects=int(known["subjects"]),
            ranges={
                name: Range(*(float("nan") if limit is None else float(limit) for limit in limits))
                for name, limits in known["ranges"].items()
            },
        )
        for body_part, known in content["body_parts"].items()
    }


def usual_range(values: ArrayLike, weights: ArrayLike) -> Range:
    """Return the percentiles of weighted values, (N,) each; NaN among the values was not measured.

    A percentile is the least value up to which that share of the weight lies.
    """
    measured, weight = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    known = ~np.isnan(measured)
    if not known.any():
        return Range(float("nan"), float("nan"), float("nan"))
    order = np.argsort(measured[known], kind="stable")
    ordered, share = measured[known][order], np.cumsum(weight[known][order])
    places = np.searchsorted(share, np.array([0.05, 0.5, 0.95]) * share[-1])
    return Range(*(float(value) for value in ordered[np.minimum(places, ordered.size - 1)]))

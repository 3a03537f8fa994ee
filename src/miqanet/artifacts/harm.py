"""How much an artifact harms an image: one documented rule a kind, the ground truth of every simulated label.

A rule is a measure of the difference between the spoiled image and its clean reference, and the level of that
measure from which the image is called low. Harm is their ratio: at 1 and above an image is low, just under 1 it
shows the artifact without losing its diagnostic value. The levels were set by eye on contact sheets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from miqanet.artifacts.base import Image
from miqanet.artifacts.body import body_mask

Mask = NDArray[np.bool_]
Measure = Callable[[Image, Image, Mask], float]

_LOCAL_SHARE = 0.01
"""Share of the body's pixels that a local artifact has to spoil: about one line of a 100-line body."""


def _difference(reference: Image, image: Image, body: Mask) -> tuple[NDArray[np.float32], float]:
    """Return the difference in the body after the best common gain, and the reference's RMS there."""
    before, after = reference[body], image[body]
    energy = float(np.vdot(before, before))
    gain = float(np.vdot(after, before)) / max(float(np.vdot(after, after)), np.finfo(np.float32).tiny)
    # A display windows any constant gain away; a gain that would hide most of the image is none.
    return np.clip(gain, 0.5, 2.0) * after - before, float(np.sqrt(energy / before.size))


def change(reference: Image, image: Image, body: Mask) -> float:
    """Relative root mean square difference within the body (NRMSE by the reference's RMS)."""
    difference, rms = _difference(reference, image, body)
    return float(np.sqrt(np.mean(np.square(difference)))) / rms


def local_change(reference: Image, image: Image, body: Mask) -> float:
    """Relative root mean square difference within the most changed hundredth of the body."""
    difference, rms = _difference(reference, image, body)
    squares = np.square(difference)
    count = max(1, round(_LOCAL_SHARE * squares.size))
    worst = np.partition(squares, squares.size - count)[-count:]
    return float(np.sqrt(worst.mean())) / rms


def line_change(reference: Image, image: Image, body: Mask) -> float:
    """Relative root mean square difference within the most changed hundredth of the whole field of view.

    A zipper beside the body counts as one across it: it takes the window's bright end for itself.
    """
    difference = np.sort(np.square(image - reference), axis=None)
    worst = difference[-max(1, round(_LOCAL_SHARE * difference.size)) :]
    return float(np.sqrt(worst.mean() / np.square(reference[body]).mean()))


def detail_loss(reference: Image, image: Image, body: Mask) -> float:
    """Share of the body's edge strength (RMS of the Sobel gradient) that is gone."""
    before, after = (_edge_strength(x, body) for x in (reference, image))
    return max(0.0, 1.0 - after / max(before, np.finfo(np.float32).tiny))


def _edge_strength(image: Image, body: Mask) -> float:
    squares = sum(np.square(ndimage.sobel(image, axis)[body]).mean() for axis in (0, 1))
    return float(np.sqrt(squares))


@dataclass(frozen=True, slots=True)
class Rule:
    """From `level` of `measure` on, an image is low."""

    measure: Measure
    level: float


RULES: dict[str, Rule] = {
    "bias_field": Rule(change, 0.35),
    "blur": Rule(detail_loss, 0.35),
    "chemical_shift": Rule(change, 0.28),
    "epi_distortion": Rule(change, 0.35),
    "ghosting": Rule(change, 0.12),
    "gibbs": Rule(change, 0.10),
    "low_resolution": Rule(detail_loss, 0.35),
    "metal": Rule(local_change, 0.8),
    "motion": Rule(change, 0.15),
    "noise": Rule(change, 0.18),
    "spike": Rule(change, 0.07),
    "wrap_around": Rule(change, 0.15),
    "zipper": Rule(line_change, 0.6),
}


def harm(kind: str, reference: Image, image: Image) -> float:
    """Return the harm that an artifact of `kind` did: its measure over the level of its rule (1 and above: low).

    `reference` and `image` are (rows, columns) on one intensity scale. Raises KeyError for an unknown kind.
    """
    rule = RULES[kind]
    body = body_mask(reference)
    if not body.any():
        raise ValueError("the reference shows no body to measure harm in")
    return rule.measure(reference, image, body) / rule.level

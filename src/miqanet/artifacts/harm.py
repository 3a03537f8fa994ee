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
    gain = float(np.vdot(after, before)) / max(float(np.vdot(after, after)), float(np.finfo(np.float32).tiny))
    # A display windows any constant gain away; a gain that would hide most of the image is none.
    return np.clip(gain, 0.5, 2.0) * after - before, float(np.sqrt(energy / before.size))


def change(reference: Image, image: Image, body: Mask) -> float:
    """Relative root mean square difference within the body (NRMSE by the reference's RMS)."""
    difference, rms = _difference(reference, image, body)
    return float(np.sqrt(np.mean(np.square(difference)))) / rms


def broad_change(reference: Image, image: Image, body: Mask) -> float:
    """`change` of what is left after smoothing by a pixel of a 256 matrix.

    A shift by half a pixel rewrites the finest texture without hiding anything that a reader looks for.
    """
    return change(_smooth(reference), _smooth(image), body)


def _smooth(image: Image) -> Image:
    """Smooth away noise and the finest texture, by a pixel of a 256 matrix."""
    return np.asarray(ndimage.gaussian_filter(image, max(image.shape) / 256), np.float32)


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
    """Share of the body's edges that is gone: one less the regression of the image's gradient on the reference's.

    Blocks of a nearest-neighbor zoom have edges too, but not where the anatomy has them. Noise is smoothed away
    first: its loss harms nobody.
    """
    kept = total = 0.0
    smooth = _smooth(reference), _smooth(image)
    for axis in (0, 1):
        before, after = (ndimage.sobel(x, axis)[body] for x in smooth)
        kept += float(np.vdot(before, after))
        total += float(np.vdot(before, before))
    return max(0.0, 1.0 - kept / max(total, float(np.finfo(np.float32).tiny)))


@dataclass(frozen=True, slots=True)
class Rule:
    """From `level` of `measure` on, an image is low."""

    measure: Measure
    level: float


RULES: dict[str, Rule] = {
    "bias_field": Rule(change, 0.45),
    "blur": Rule(detail_loss, 0.35),
    "chemical_shift": Rule(broad_change, 0.26),
    "epi_distortion": Rule(broad_change, 0.28),
    "ghosting": Rule(change, 0.12),
    "gibbs": Rule(change, 0.12),
    "low_resolution": Rule(detail_loss, 0.35),
    "metal": Rule(local_change, 0.8),
    "motion": Rule(broad_change, 0.08),
    "noise": Rule(change, 0.18),
    "spike": Rule(change, 0.08),
    "wrap_around": Rule(change, 0.20),
    "zipper": Rule(line_change, 0.5),
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

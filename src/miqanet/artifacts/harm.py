"""How much an artifact harms an image: one documented rule a kind, the ground truth behind every simulated label.

A rule is a measure of the difference between the spoiled image and its clean reference, and the level of that
measure at which the image loses its diagnostic value. Harm is their ratio. By the rule alone an image is low from 1
on; simulated raters, who see more or less than that, say so more often the further above 1 it is. The levels were
set by eye on contact sheets.
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

_REACH = 0.02
"""How far tissue may move, as a fraction of the longer side: 5 pixels of a 256 matrix."""


def _gain(reference: Image, image: Image, body: Mask) -> np.float32:
    """Return the best common gain: a display windows it away, unless it would hide most of the image."""
    before, after = reference[body], image[body]
    gain = float(np.vdot(after, before)) / max(float(np.vdot(after, after)), float(np.finfo(np.float32).tiny))
    return np.float32(np.clip(gain, 0.5, 2.0))


def _difference(reference: Image, image: Image, body: Mask) -> tuple[NDArray[np.float32], float]:
    """Return the difference in the body after the best common gain, and the reference's RMS there."""
    before = reference[body]
    difference = _gain(reference, image, body) * image[body] - before
    return difference, float(np.sqrt(np.mean(np.square(before))))


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


def overlaid_change(reference: Image, image: Image, body: Mask) -> float:
    """`change` of the part of the body that is shown: what the field of view has cut off is black, and not counted.

    Nobody misses a part that another field of view would have left out; two parts in one place hide each other.
    """
    shown = body & (image > 0)
    return change(reference, image, shown) if shown.any() else 0.0


def pile_up(reference: Image, image: Image, body: Mask) -> float:
    """Relative root mean square of what is brighter, or darker, than all that the reference has near by.

    Tissue that has moved a little looks like another anatomy; nothing but a field off resonance makes tissue
    pile up and thin out. Signal that was moved into the air counts, too.
    """
    before, after = (ndimage.gaussian_filter(x, 0.4 * _REACH * max(x.shape)) for x in (reference, image))
    after *= _gain(reference, image, body)
    near = 2 * max(1, round(_REACH * max(image.shape))) + 1
    beyond = after - np.clip(
        after, ndimage.minimum_filter(before, near), ndimage.maximum_filter(before, near)
    )
    return float(np.sqrt(np.square(beyond).sum() / np.square(before[body]).sum()))


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
    """At `level` of `measure`, harm is 1."""

    measure: Measure
    level: float


RULES: dict[str, Rule] = {
    "bias_field": Rule(change, 0.45),
    "blur": Rule(detail_loss, 0.35),
    "chemical_shift": Rule(broad_change, 0.26),
    "epi_distortion": Rule(pile_up, 0.13),
    "ghosting": Rule(change, 0.12),
    "gibbs": Rule(change, 0.12),
    "low_resolution": Rule(detail_loss, 0.35),
    "metal": Rule(local_change, 0.8),
    "motion": Rule(broad_change, 0.08),
    "noise": Rule(change, 0.18),
    "spike": Rule(change, 0.08),
    "wrap_around": Rule(overlaid_change, 0.22),
    "zipper": Rule(line_change, 0.5),
}


def harm(kind: str, reference: Image, image: Image) -> float:
    """Return the harm that an artifact of `kind` did: its measure over the level of its rule.

    `reference` and `image` are (rows, columns) on one intensity scale. Raises KeyError for an unknown kind.
    """
    rule = RULES[kind]
    body = body_mask(reference)
    if not body.any():
        raise ValueError("the reference shows no body to measure harm in")
    return rule.measure(reference, image, body) / rule.level

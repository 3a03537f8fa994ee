"""Wrap-around: tissue outside the field of view appears at its opposite side.

Lines of k-space 1/L apart cannot tell positions L apart: along phase encoding the image is the sum of all
copies of the body at multiples of L (Nyquist; Bernstein, King and Zhou, "Handbook of MRI Pulse Sequences",
chapter 11). The sum is complex, so overlapping tissues interfere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.body import body_mask
from miqanet.artifacts.checks import not_negative, one_of
from miqanet.artifacts.fourier import Complex, smooth_phase

_DEEPEST = 0.9
"""Greatest overlap: a copy that covers the body exactly would hide itself."""


@dataclass(frozen=True, kw_only=True)
class WrapAround(Artifact):
    """A field of view smaller than the body along phase encoding.

    Either the image itself is folded (`rectangular`): its field of view is `overlap` of the body shorter than
    the body, and the rest of the matrix is black. Or the body goes on beyond the image, as a spine or abdomen
    does: copies of it stand for what is there and reach into the image by `overlap` of the field of view.
    """

    kind: ClassVar[str] = "wrap_around"

    phase_encode_axis: int
    overlap: float
    rectangular: bool
    gain: tuple[float, float]
    """Coil sensitivity beyond the first and the last row, relative to that inside; 0 where nothing is."""
    offset: float = 0.0
    """Displacement of the field of view from the body's middle, -1 to 1 from one edge to the other."""
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of((0, 1), phase_encode_axis=self.phase_encode_axis)
        if not 0 < self.overlap < 1:
            raise ValueError(f"overlap lies between 0 and 1, not {self.overlap}")
        if not -1 <= self.offset <= 1:
            raise ValueError(f"offset lies from -1 to 1, not {self.offset}")
        for sensitivity in self.gain:
            not_negative(gain=sensitivity)

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:  # noqa: ARG003
        """Draw a field of view too small, on one side or on both."""
        rectangular = bool(rng.random() < 0.4)
        side = rng.integers(3)
        return cls(
            phase_encode_axis=int(rng.integers(2)),
            overlap=float(rng.uniform(0.2, 0.5) if rectangular else rng.uniform(0.25, 0.6)),
            rectangular=rectangular,
            gain=(
                0.0 if side == 1 and not rectangular else float(rng.uniform(0.6, 1.1)),
                0.0 if side == 2 and not rectangular else float(rng.uniform(0.6, 1.1)),
            ),
            offset=float(rng.uniform(-1, 1)),
            seed=int(rng.integers(2**31)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the image with tissue folded in."""
        body = image * smooth_phase((image.shape[0], image.shape[1]), self.seed)
        turn = self.phase_encode_axis == 1
        body = body.T if turn else body
        rows = np.flatnonzero(body_mask(image).any(axis=1 - self.phase_encode_axis))
        first, last = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, body.shape[0])
        folded = self._fold(body, first, last) if self.rectangular else self._reach_in(body, first, last)
        return np.abs(folded.T if turn else folded)

    def _fold(self, body: Complex, first: int, last: int) -> Complex:
        """Sum the copies of the whole image within a shorter field of view; black outside."""
        size = body.shape[0]
        overlap = min(self.severity * self.overlap, _DEEPEST)
        shortened = (last - first) * overlap
        # From the whole image to the body's extent the air is cut first, so that a slight wrap stays slight.
        length = max(1, round(last - first - shortened))
        start = round((first + last - length) / 2 + self.offset * shortened / 2)
        start = min(max(start, 0), size - length)
        result = np.zeros_like(body)
        window = result[start : start + length]
        window[:] = body[start : start + length]
        for top in range(start % length - length, size, length):
            if top != start:
                low, high = max(top, 0), min(top + length, size)
                if low < high:
                    gain = np.float32(self.gain[0] if top < start else self.gain[1])
                    window[low - top : high - top] += gain * body[low:high]
        return result

    def _reach_in(self, body: Complex, first: int, last: int) -> Complex:
        """Add the copies that lie beyond the first and the last row."""
        size = body.shape[0]
        depth = round(min(self.severity * self.overlap, _DEEPEST) * size)
        result: NDArray[np.complex64] = body.copy()
        for gain, shift in ((self.gain[0], depth - last), (self.gain[1], size - first - depth)):
            if shift < 0:
                result[: size + shift] += np.float32(gain) * body[-shift:]
            elif 0 < shift < size:
                result[shift:] += np.float32(gain) * body[: size - shift]
        return result

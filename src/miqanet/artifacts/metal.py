"""Metal: an implant's own field empties its surroundings and heaps their signal up elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts import checks
from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.body import body_mask
from miqanet.artifacts.field import GAMMA_BAR_HZ_PER_TESLA, displace

Field = NDArray[np.float32]

CYLINDER, SPHERE = "cylinder", "sphere"

_METALS_PPM = (35.0, 182.0, 900.0, 1300.0, 3000.0, 6000.0)
"""Susceptibility against tissue: gold and amalgam, titanium, cobalt-chromium, its wrought kind, steels."""


@dataclass(frozen=True, kw_only=True)
class Metal(Artifact):
    """Signal void, geometric distortion and pile-up around a metallic implant.

    A body of susceptibility X in the main field B0 adds a dipole's field. For a cylinder of radius a (screw,
    stem of a prosthesis) that crosses the slice it is B0 X/2 (a/r)^2 cos 2t; for a sphere (clip, dental
    work) cut through the middle, B0 X/3 (a/r)^3 (3 cos^2 t - 1), t being the angle to B0 (Schenck, Med. Phys.
    1996). Spins so detuned appear displaced along the readout by field x gamma-bar / bandwidth per pixel,
    which empties some places and piles up signal in others; those beyond the excitation's bandwidth give
    none. In a gradient echo the field's gradient across the voxel dephases its signal besides. The metal
    itself gives no signal.

    Severity multiplies both susceptibility and radius, from a speck of weak metal to the implant drawn.
    """

    kind: ClassVar[str] = "metal"

    susceptibility_ppm: float
    """Difference of the metal from tissue; negative is diamagnetic."""

    radius: float
    """Of the metal, in pixels."""

    position: tuple[float, float]
    """Center as fractions (row, column) of the body's bounding box; moved to the nearest tissue if in air."""

    field_tesla: float = 1.5
    bandwidth_hz: float = 200.0
    """Receive bandwidth per pixel along the readout."""

    excitation_hz: float = 4000.0
    """Bandwidth of the exciting pulse, full width at half maximum."""

    echo_time_ms: float = 0.0
    """Of a gradient echo; 0 is a spin echo, which refocuses."""

    slice_pixels: float = 5.0
    """Thickness of the slice in pixels, across which a gradient echo dephases."""

    b0_degrees: float = 0.0
    """Angle of B0 in the image plane from the column direction (downward)."""

    form: str = CYLINDER
    readout_axis: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive(
            radius=self.radius,
            field_tesla=self.field_tesla,
            bandwidth_hz=self.bandwidth_hz,
            excitation_hz=self.excitation_hz,
            slice_pixels=self.slice_pixels,
        )
        checks.not_negative(echo_time_ms=self.echo_time_ms)
        checks.fraction(row=self.position[0], column=self.position[1])
        checks.one_of((CYLINDER, SPHERE), form=self.form)
        checks.one_of((0, 1), readout_axis=self.readout_axis)
        if not np.isfinite((self.susceptibility_ppm, self.b0_degrees)).all():
            raise ValueError(
                f"susceptibility and angle are finite: {self.susceptibility_ppm}, {self.b0_degrees}"
            )

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw a metal and a scanner, and the size of the implant from the reach of its distortion.

        The reach, where the displacement has fallen to one pixel, is 14 to 45 % of the shorter side: clips
        and screws to hip prostheses.
        """
        form = str(rng.choice([CYLINDER, SPHERE]))
        power = 2 if form == CYLINDER else 3
        metal = float(rng.choice(_METALS_PPM)) * float(rng.uniform(0.8, 1.2))
        field = float(rng.choice([0.3, 0.55, 1.0, 1.5, 3.0], p=[0.05, 0.1, 0.1, 0.45, 0.3]))
        bandwidth = float(np.exp(rng.uniform(np.log(60), np.log(600))))
        reach = np.exp(rng.uniform(np.log(0.14), np.log(0.45))) * min(shape)
        at_surface = metal * 1e-6 / power * GAMMA_BAR_HZ_PER_TESLA * field / bandwidth
        return cls(
            susceptibility_ppm=metal,
            radius=float(np.clip(reach / at_surface ** (1 / power), 0.3, 0.07 * min(shape))),
            position=(float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.15, 0.85))),
            field_tesla=field,
            bandwidth_hz=bandwidth,
            excitation_hz=float(np.exp(rng.uniform(np.log(1500), np.log(15000)))),
            echo_time_ms=float(rng.uniform(2, 12)) if rng.random() < 0.4 else 0.0,
            slice_pixels=float(rng.uniform(1, 5)),
            b0_degrees=float(rng.choice([0.0, 90.0, rng.uniform(0, 180)])),
            form=form,
            readout_axis=int(rng.integers(2)),
        )

    def _spoil(self, image: Image) -> Image:
        """Return the image with the implant in it."""
        field, distance = self.field_hz(image)
        signal = image * np.clip(distance - self._radius + 0.5, 0, 1)
        signal /= 1 + np.square(np.square(field * np.float32(2 / self.excitation_hz)))
        if self.echo_time_ms:
            along_rows, along_columns = np.gradient(field)
            # The signal of a voxel whose phase spreads evenly over so many turns.
            turns = np.float32(self.echo_time_ms * 1e-3 * self.slice_pixels)
            signal *= np.abs(np.sinc(turns * np.hypot(along_rows, along_columns)))
        return displace(signal, field / np.float32(self.bandwidth_hz), self.readout_axis)

    @property
    def _radius(self) -> float:
        return self.radius * self.severity

    def field_hz(self, image: Image) -> tuple[Field, Field]:
        """Return the dipole's field in Hz and the distance from its center in pixels, (rows, columns)."""
        row, column = self._center(image)
        y, x = (np.arange(n, dtype=np.float32) - c for n, c in zip(image.shape, (row, column), strict=True))
        angle = np.deg2rad(self.b0_degrees)
        along = y[:, None] * np.float32(np.cos(angle)) + x * np.float32(np.sin(angle))
        squared = (y * y)[:, None] + x * x
        outside = np.maximum(squared, np.float32(max(self._radius, 0.5) ** 2))
        cosine_squared = along * along / np.maximum(squared, np.float32(1e-6))
        hertz = GAMMA_BAR_HZ_PER_TESLA * self.field_tesla * self.susceptibility_ppm * 1e-6 * self.severity
        ratio = np.float32(self._radius**2) / outside
        if self.form == CYLINDER:
            field = np.float32(hertz / 2) * ratio * (2 * cosine_squared - 1)
        else:
            field = np.float32(hertz / 3) * ratio * np.sqrt(ratio) * (3 * cosine_squared - 1)
        return field, np.sqrt(squared)

    def _center(self, image: Image) -> tuple[int, int]:
        """Return the row and column of the tissue nearest to `position`."""
        rows, columns = np.nonzero(body_mask(image))
        if not rows.size:
            return image.shape[0] // 2, image.shape[1] // 2
        row, column = (
            low + share * (high - low)
            for share, low, high in zip(
                self.position, (rows.min(), columns.min()), (rows.max(), columns.max()), strict=True
            )
        )
        nearest = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
        return int(rows[nearest]), int(columns[nearest])

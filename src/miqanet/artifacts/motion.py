"""Rigid motion between excitations: lines of k-space that saw the body in different poses.

A translation by d multiplies a line of k-space by exp(-2 pi i k d), a rotation turns the line in k-space by
the same angle (Fourier shift and rotation theorems; Zaitsev, Maclaren and Herbst, "Motion artifacts in MRI",
JMRI 2015). Lines of one shot (echo train) share a pose; the order in which shots fill k-space decides whether
the image shows blur, ringing or ghosts. Poses are relative to the pose in which the center of k-space was
taken, because that is where the body appears in the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from miqanet.artifacts.base import Artifact, Image
from miqanet.artifacts.checks import fraction, one_of, positive
from miqanet.artifacts.fourier import Complex, smooth_phase, to_image, to_kspace, unit_phasor

Order = Literal["sequential", "interleaved", "centric"]
Pattern = Literal["jumps", "drift", "random_walk", "nods"]
Reals = NDArray[np.float64]
Reals32 = NDArray[np.float32]


def shots_of_lines(lines: int, shots: int, order: Order) -> NDArray[np.intp]:
    """Return which shot (0 .. shots - 1 in time) acquires each line of k-space, most negative line first."""
    line = np.arange(lines)
    if order == "interleaved":
        return line % shots
    if order == "centric":
        outward = np.argsort(np.abs(line - lines // 2), kind="stable")
        line[outward] = np.arange(lines)
    return line * shots // lines


def kspace_of_poses(image: Complex, shift_px: Reals, rotation_deg: Reals) -> Complex:
    """Return the k-space of which each line saw the body in its own pose.

    `image` is (lines, columns), phase encoding along axis 0. `shift_px` is (lines, 2), displacement in
    rows and columns; `rotation_deg` is (lines,), about the middle of the image, positive from rows towards
    columns. The body turns first and then moves. Lines and the result are in the order of `to_kspace`.
    """
    frequency = [fft.fftshift(fft.fftfreq(n)).astype(np.float32) for n in image.shape]
    kspace = to_kspace(image)
    turned = np.flatnonzero(rotation_deg)
    if turned.size:
        kspace[turned] = _turned_lines(image, frequency[0][turned], frequency[1], rotation_deg[turned])
    down, across = shift_px.T.astype(np.float32)
    turns = (down * frequency[0])[:, None] + np.outer(across, frequency[1])
    kspace *= unit_phasor(np.float32(-2 * np.pi) * turns)
    return kspace


def _turned_lines(image: Complex, down: Reals32, across: Reals32, rotation_deg: Reals) -> Complex:
    """Return k-space at the lines of frequency `down`, each turned by its own angle.

    Gridding in reverse (Jackson et al., IEEE TMI 1991): quadratic B-splines between the points of a twofold
    oversampled k-space, their apodization, sinc cubed, divided out of the image. Any number of angles costs
    the same; the error is under 1 % where the body usually lies.
    """
    size = [2 * fft.next_fast_len(n) for n in image.shape]
    apodization = [np.sinc((np.arange(n) - n // 2) / m) ** 3 for n, m in zip(image.shape, size, strict=True)]
    dense = image * np.float32(np.sqrt(1 / image.size)) / np.outer(*apodization).astype(np.float32)
    for axis in (1, 0):
        dense = _oversampled(dense, size[axis], axis)

    angle = np.deg2rad(rotation_deg)
    cos, sin = np.cos(angle).astype(np.float32)[:, None], np.sin(angle).astype(np.float32)[:, None]
    row = (cos * down[:, None] + sin * across + np.float32(0.5)) * np.float32(size[0])
    column = (cos * across - sin * down[:, None] + np.float32(0.5)) * np.float32(size[1])
    nearest_row, nearest_column = np.rint(row), np.rint(column)
    nearest = nearest_row.astype(np.intp) * size[1] + nearest_column.astype(np.intp)
    column_weights = _spline(column - nearest_column)

    lines, along, point = (np.zeros(nearest.shape, np.complex64) for _ in range(3))
    # Buffers are reused, for memory is what costs here. A column outside k-space lands in the next row, where
    # there is as little signal as in the corner that it stands for.
    for down_by, row_weight in zip((-1, 0, 1), _spline(row - nearest_row), strict=True):
        along[:] = 0
        for across_by, column_weight in zip((-1, 0, 1), column_weights, strict=True):
            np.take(dense, nearest + (down_by * size[1] + across_by), mode="wrap", out=point)
            point *= column_weight
            along += point
        along *= row_weight
        lines += along
    return lines


def _spline(distance: Reals32) -> tuple[Reals32, Reals32, Reals32]:
    """Return the quadratic B-spline's weights of the previous, the nearest and the next point of a grid."""
    previous, following = np.square(0.5 - distance) / 2, np.square(0.5 + distance) / 2
    return previous, 1 - previous - following, following


def _oversampled(data: Complex, size: int, axis: int) -> Complex:
    """Return the spectrum along `axis`, zero frequency in the middle, of data zero-filled to even `size`."""
    count = data.shape[axis]
    # The sign alternates so that the spectrum comes out centered.
    signs = np.where((np.arange(count) - count // 2) % 2, -1, 1).astype(np.float32)
    data = data * (signs[:, None] if axis == 0 else signs)
    negative, positive = np.split(data, [count // 2], axis)
    shape = list(data.shape)
    shape[axis] = size - count
    padded = np.concatenate((positive, np.zeros(shape, np.complex64), negative), axis)
    return np.asarray(fft.fft(padded, axis=axis, overwrite_x=True), np.complex64)


@dataclass(frozen=True, kw_only=True)
class Motion(Artifact):
    """A patient who moves during the scan.

    `translation_px` (rows, columns) and `rotation_deg` are the largest excursions; `pattern` is their course
    over the shots: sudden `jumps`, slow `drift`, `random_walk`, or periodic `nods`.
    """

    kind: ClassVar[str] = "motion"

    phase_encode_axis: int
    order: Order
    shots: int
    """Excitations that fill k-space; each takes lines / shots lines (the turbo factor) in one pose."""
    pattern: Pattern
    translation_px: tuple[float, float]
    rotation_deg: float
    onset: float
    """Part of the scan, 0 to 1, during which the patient still lies quietly."""
    events: float
    """Jumps or nods after the onset; without meaning for drift and random walk."""
    acquired: float = 1.0
    """Middle part of the lines that was acquired; those of interpolation beyond follow the outermost."""
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of((0, 1), phase_encode_axis=self.phase_encode_axis)
        one_of(get_args(Order), order=self.order)
        one_of(get_args(Pattern), pattern=self.pattern)
        positive(shots=self.shots, events=self.events, acquired=self.acquired)
        fraction(acquired=self.acquired)
        if not 0 <= self.onset < 1:
            raise ValueError(f"onset lies from 0 to below 1, not {self.onset}")

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: tuple[int, int]) -> Self:
        """Draw a restless patient and a sequence for an image of `shape` (rows, columns)."""
        axis = int(rng.integers(2))
        order: Order = get_args(Order)[rng.integers(3)]
        pattern: Pattern = get_args(Pattern)[rng.choice(4, p=(0.35, 0.2, 0.25, 0.2))]
        turbo = 1 if order != "interleaved" and rng.random() < 0.5 else int(rng.integers(2, 33))
        reach = max(shape) * rng.uniform(0.012, 0.05)
        direction = rng.uniform(0, 2 * np.pi)
        turned = rng.uniform(2.0, 10.0)
        only = rng.random()
        return cls(
            phase_encode_axis=axis,
            order=order,
            shots=max(4, shape[axis] // turbo),
            pattern=pattern,
            translation_px=(0.0, 0.0)
            if only < 0.15
            else (float(reach * np.cos(direction)), float(reach * np.sin(direction))),
            rotation_deg=0.0 if only > 0.75 else float(turned * rng.choice((-1, 1))),
            onset=float(rng.uniform(0, {"sequential": 0.45, "interleaved": 0.25, "centric": 0.05}[order])),
            events=float(rng.integers(1, 7) if pattern == "jumps" else rng.uniform(1.5, 25)),
            acquired=1.0 if rng.random() < 0.4 else float(rng.uniform(0.35, 1)),
            seed=int(rng.integers(2**31)),
        )

    def excursions(self, shots: int) -> Reals:
        """Return the course of rows, columns and rotation over the shots, (3, shots), each within -1 to 1."""
        rng = np.random.default_rng(self.seed)
        time = (np.arange(shots) + 0.5) / shots
        moving = np.clip((time - self.onset) / (1 - self.onset), 0, None)
        if self.pattern == "jumps":
            count = max(1, round(self.events))
            levels = np.hstack((np.zeros((3, 1)), rng.uniform(-1, 1, (3, count))))
            times = np.sort(np.append(0.02, rng.uniform(0.02, 0.9, count - 1)))
            course = levels[:, np.searchsorted(times, moving)]
        elif self.pattern == "drift":
            course = rng.choice((-1, 1), (3, 1)) * moving ** rng.uniform(0.5, 2, (3, 1))
        elif self.pattern == "random_walk":
            course = np.cumsum(rng.normal(size=(3, shots)) * (moving > 0), axis=1)
        else:
            course = np.sin(2 * np.pi * self.events * moving) * rng.uniform(0.5, 1, (3, 1))
        peak = np.abs(course).max(axis=1, keepdims=True)
        return np.asarray(course / np.where(peak > 0, peak, 1))

    def poses(self, lines: int) -> tuple[Reals, Reals]:
        """Return each line's displacement in px, (lines, 2), and rotation in degrees, (lines,)."""
        acquired = max(1, round(self.acquired * lines))
        shots = min(self.shots, acquired)
        line = np.clip(np.arange(lines) - (lines // 2 - acquired // 2), 0, acquired - 1)
        course = self.excursions(shots)[:, shots_of_lines(acquired, shots, self.order)[line]]
        course = self.severity * (course - course[:, lines // 2, None])
        return course[:2].T * np.asarray(self.translation_px), course[2] * self.rotation_deg

    def _spoil(self, image: Image) -> Image:
        """Return the image of which every line of k-space was taken in its own pose."""
        shift, rotation = self.poses(image.shape[self.phase_encode_axis])
        body = image * smooth_phase((image.shape[0], image.shape[1]), self.seed)
        if self.phase_encode_axis == 1:
            kspace = kspace_of_poses(body.T, shift[:, ::-1], -rotation).T
        else:
            kspace = kspace_of_poses(body, shift, rotation)
        return np.abs(to_image(kspace))

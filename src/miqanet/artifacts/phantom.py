"""A numerical phantom of the project's own: a clean slice to spoil in tests, contact sheets and docs."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from miqanet.artifacts.base import Image

_AIR, _MUSCLE, _BONE, _FAT = 0.0, 0.42, 0.06, 1.0


def phantom(shape: tuple[int, int] = (256, 256), seed: int = 0) -> Image:
    """Return a slice (rows, columns), 0..1, somewhat like a T1-weighted head, free of artifacts and noise.

    From outside in: air, subcutaneous fat, muscle, bone, and folded gray and white matter with ventricles,
    deep nuclei, a lesion, vessels and a bar pattern of shrinking width. The seed varies sizes, places and
    folds. Edges are anti-aliased over one pixel.
    """
    rng = np.random.default_rng(seed)
    rows, columns = shape
    scale = 0.45 * min(rows, columns)
    y = ((np.arange(rows) - (rows - 1) / 2) / scale).astype(np.float32)[:, None]
    x = ((np.arange(columns) - (columns - 1) / 2) / scale).astype(np.float32)
    image = np.full(shape, _AIR, np.float32)

    def ellipse(
        row: float, column: float, height: float, width: float, value: float, degrees: float = 0.0
    ) -> None:
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        along, across = c * (y - row) + s * (x - column), -s * (y - row) + c * (x - column)
        radius = np.hypot(along / height, across / width)
        # First-order distance to the edge, exact enough over the one pixel that it blends.
        slope = np.maximum(np.hypot(along / height**2, across / width**2), 1e-6)
        cover = np.clip(radius * (1 - radius) / slope * scale + 0.5, 0, 1)
        cover[radius < 0.5] = 1
        image[...] = image * (1 - cover) + np.float32(value) * cover

    height, width = 0.98 + rng.uniform(-0.03, 0.02), 0.80 + rng.uniform(-0.06, 0.06)
    ellipse(0, 0, height, width, _FAT)
    fat, muscle, bone = rng.uniform(0.06, 0.09), rng.uniform(0.03, 0.05), rng.uniform(0.04, 0.06)
    for depth, value in ((fat, _MUSCLE), (fat + muscle, _BONE), (fat + muscle + bone, 0.2)):
        ellipse(0, 0, height - depth, width - depth, value)

    # Folds: gray and white matter where a band-limited random field changes sign.
    inner_height, inner_width = height - fat - muscle - bone - 0.03, width - fat - muscle - bone - 0.03
    folds = ndimage.zoom(
        rng.normal(size=(24, 24)), (rows / 24, columns / 24), order=3, mode="grid-wrap", grid_mode=True
    )
    radius = np.sqrt((y / inner_height) ** 2 + (x / inner_width) ** 2)
    white = 1 / (1 + np.exp(-8 * (folds + 3.2 * (0.72 - radius))))
    brain = (0.48 + 0.24 * white).astype(np.float32)
    cover = np.clip((1 - radius) * inner_width * scale + 0.5, 0, 1)
    image[...] = image * (1 - cover) + brain * cover

    gap = 0.15 + rng.uniform(-0.02, 0.03)
    ellipse(0, 0, inner_height, 0.012, 0.2)
    for side in (-1, 1):
        ellipse(-0.05, side * gap, 0.26, 0.07, 0.18, degrees=side * rng.uniform(8, 18))
        ellipse(0.16, side * (gap + 0.13), 0.12, 0.08, 0.55, degrees=side * 20)
    ellipse(rng.uniform(-0.4, -0.2), rng.choice([-1, 1]) * rng.uniform(0.3, 0.4), 0.06, 0.05, 0.86)
    for _ in range(8):
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.85)
        ellipse(
            reach * inner_height * np.sin(angle),
            reach * inner_width * np.cos(angle),
            rng.uniform(0.01, 0.02),
            rng.uniform(0.01, 0.02),
            float(rng.choice([0.1, 0.95])),
        )
    for bar in range(6):
        ellipse(
            0.5, -0.18 + 0.055 * bar + 0.004 * bar**2 * np.sign(2.5 - bar), 0.09, 0.022 - 0.003 * bar, 0.15
        )
    return np.clip(image, 0, 1)

"""CORNIA's codebook: which small patterns images are made of, learned without labels.

Patches are whitened by ZCA (decorrelated and brought to unit variance, as near to the original as that allows), and
the codebook's atoms are the K-means of the result: Ye et al., CVPR 2012, section 3.1; Coates et al., AISTATS 2011.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from miqanet.features.checks import checked
from miqanet.features.kmeans import kmeans
from miqanet.features.patches import LENGTH, SIDE, draw_patches, normalized_patches

_EPSILON = 0.1
"""Added to variances before whitening divides by their root; the direction of a patch's mean has none."""

_PATCHES_PER_ATOM = 20


@dataclass(frozen=True, eq=False, slots=True)
class CorniaCodebook:
    """How normalized patches are whitened, and the atoms that they are compared with."""

    mean: NDArray[np.float64]
    """(49,), of normalized patches."""

    whitening: NDArray[np.float64]
    """(49, 49), symmetric."""

    atoms: NDArray[np.float64]
    """(49, K), of any length: CORNIA divides by it."""

    def __post_init__(self) -> None:
        shapes = {
            "mean": (LENGTH,),
            "whitening": (LENGTH, LENGTH),
            "atoms": (LENGTH, self.atoms.size // LENGTH),
        }
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values.shape != shape or not values.size:
                raise ValueError(
                    f"a codebook's {name} of shape {values.shape} is not of patches of {LENGTH} pixels"
                )
            if values.dtype != np.float64 or not np.isfinite(values).all():
                raise ValueError(f"a codebook's {name} holds what is no finite float64")

    @classmethod
    def fit(cls, images: Collection[ArrayLike], k: int = 10_000, seed: int = 0) -> Self:
        """Learn a codebook of `k` atoms from training images (rows, columns) with values 0..255.

        As many patches of every image, 20 for each atom in all, are drawn by `seed`.

        Raises:
            ValueError: `k` is below 1, the images hold fewer patches than that, or one of them is no proper image.
        """
        if k < 1:
            raise ValueError(f"a codebook has at least one atom, not {k}")
        rng = np.random.default_rng(seed)
        share = -(-_PATCHES_PER_ATOM * k // max(len(images), 1))
        patches = np.concatenate(
            [np.empty((0, LENGTH)), *(_draw(checked(image, "CORNIA", SIDE), rng, share) for image in images)]
        )
        if len(patches) < k:
            raise ValueError(f"{k} atoms need as many patches; {len(images)} images gave {len(patches)}")
        mean = patches.mean(axis=0)
        centered = patches - mean
        variances, axes = np.linalg.eigh(centered.T @ centered / len(centered))
        whitening = (axes / np.sqrt(np.maximum(variances, 0) + _EPSILON)) @ axes.T
        return cls(mean, whitening, kmeans(centered @ whitening, k, rng).T)

    def save(self, path: str | Path) -> None:
        """Write the codebook as an NPZ of three arrays, without pickle; a file that is there is replaced."""
        path = Path(path)
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as file:
            np.savez(file, mean=self.mean, whitening=self.whitening, atoms=self.atoms)
        partial.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a codebook.

        Raises:
            ValueError: there is no such file, or it is no codebook; the message names it.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except FileNotFoundError:
            raise ValueError(
                f"no codebook at {path}: fit one on training images, and save it there"
            ) from None
        except Exception as error:  # damaged archives and array headers raise nearly anything
            raise ValueError(f"{path} is no CORNIA codebook: {error}") from error


def _draw(image: NDArray[np.float64], rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return normalized_patches(image, draw_patches(image.shape, rng, count))

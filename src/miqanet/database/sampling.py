"""Even sampling of clean slices: by body part, then dataset, then subject, then slice.

A pool is lopsided: one volume has two hundred slices, another set one slice a person. Drawn by slice, a
network would see little but the volume; drawn level by level, each part, dataset and subject has its share.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from miqanet.database.records import SourceRecord


class EvenSampler:
    """Draws clean slices, each level of the tree uniformly."""

    def __init__(self, sources: Iterable[SourceRecord]) -> None:
        tree: dict[str, dict[str, dict[int, list[SourceRecord]]]] = {}
        for source in sorted(sources, key=lambda each: each.path):
            datasets = tree.setdefault(source.body_part, {})
            datasets.setdefault(source.dataset, {}).setdefault(source.subject, []).append(source)
        if not tree:
            raise ValueError("there is no clean image to draw from")
        self._tree = [
            [list(subjects.values()) for _, subjects in sorted(datasets.items())]
            for _, datasets in sorted(tree.items())
        ]

    def draw(self, rng: np.random.Generator) -> SourceRecord:
        """Return one slice."""
        datasets = self._tree[rng.integers(len(self._tree))]
        subjects = datasets[rng.integers(len(datasets))]
        slices = subjects[rng.integers(len(subjects))]
        return slices[rng.integers(len(slices))]

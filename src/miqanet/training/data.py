"""What training sees: stored images with their labels, or clean slices spoiled afresh every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from miqanet.artifacts.simulation import Simulated, simulate
from miqanet.database.png import read_png
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.database.sampling import EvenSampler
from miqanet.preprocessing import SIZE, prepare

_AGREEMENT = 6.0
"""Inverse of the spread of raters' thresholds, on a logarithmic scale."""

_TRIES = 2
"""Draws more where the first came out mild: nearly even classes, without losing what is mild."""


class Sample(NamedTuple):
    """Images and their targets, stacked along the first axis."""

    image: Tensor
    """(N, 1, size, size) in 0..1."""

    low: Tensor
    """(N,) float32: probability that a rater calls the image low; 0 or 1 where only a label is known."""

    kinds: Tensor
    """(N, kinds) float32: probability that a rater finds the image spoiled by each kind of artifact."""


def _sample(
    images: Sequence[NDArray[np.float32]],
    low: Sequence[float],
    spoiled: Sequence[Mapping[str, float]],
    kinds: Sequence[str],
    size: int,
) -> Sample:
    return Sample(
        torch.from_numpy(np.stack([prepare(image, size)[None] for image in images])),
        torch.tensor(low, dtype=torch.float32),
        torch.tensor([[named.get(kind, 0.0) for kind in kinds] for named in spoiled]),
    )


def collate(samples: Sequence[Sample]) -> Sample:
    """Join samples into one batch."""
    return Sample(*(torch.cat(parts) for parts in zip(*samples, strict=True)))


class StoredImages(Dataset[Sample]):
    """The images of a database with their labels: one image a sample."""

    def __init__(self, records: Sequence[ImageRecord], kinds: Sequence[str], size: int) -> None:
        self.records = list(records)
        self._kinds, self._size = tuple(kinds), size

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Sample:
        record = self.records[index]
        return _sample(
            [read_png(record.path)], [record.low], [dict.fromkeys(record.kinds, 1.0)], self._kinds, self._size
        )


def vote(harm: float) -> float:
    """Return the share of raters who would call an image low to which an artifact does this harm.

    Raters agree on what is plain and differ near the threshold (harm 1), where one would say low and the other
    high. A log-logistic spread of their thresholds by about a sixth puts 9 of 10 votes at harm 1.45. The label,
    harm 1 and above, is their majority; learning from the share does not punish doubt where doubt is right.
    """
    odds = float(harm**_AGREEMENT)
    return odds / (1 + odds)


class FreshPairs(Dataset[Sample]):
    """Clean slices, drawn evenly by body part and dataset, spoiled anew at every epoch: two images a sample.

    The pair is one acquisition without and with artifacts. Seen side by side in a batch, anatomy and contrast
    cannot tell the two apart: what is left to learn from is the artifact.
    """

    def __init__(
        self, sources: Sequence[SourceRecord], kinds: Sequence[str], size: int, pairs: int, seed: int = 0
    ) -> None:
        self._sampler = EvenSampler(sources)
        self._kinds, self._size, self._pairs, self._seed = tuple(kinds), size, pairs, seed

    def __len__(self) -> int:
        return self._pairs

    def __getitem__(self, index: int) -> Sample:
        """Make the pair of any index: those from `len` on belong to later epochs."""
        rng = np.random.default_rng([self._seed, index])
        made = self._simulate(rng)
        for _ in range(_TRIES):
            if made.low:
                break
            made = self._simulate(rng)
        votes = {a.kind: vote(harm) for a, harm in zip(made.artifacts, made.harms, strict=True)}
        low = max(votes.values(), default=0.0)
        return _sample([made.reference, made.image], [0.0, low], [{}, votes], self._kinds, self._size)

    def _simulate(self, rng: np.random.Generator) -> Simulated:
        return simulate(read_png(self._sampler.draw(rng).path), rng, scale=self._size / SIZE)


class FreshIndices(Sampler[int]):
    """Indices that no earlier epoch had, so that `FreshPairs` makes others; a resumed epoch has its own again."""

    def __init__(self, pairs: int) -> None:
        self._pairs, self._epoch = pairs, 0

    def __len__(self) -> int:
        return self._pairs

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._epoch * self._pairs, (self._epoch + 1) * self._pairs))

"""What training sees: stored images with their labels, or clean slices spoiled afresh every time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed
from torch.utils.data import Dataset, Sampler

from miqanet.artifacts import KINDS
from miqanet.artifacts.simulation import Simulated, simulate
from miqanet.database.png import read_png
from miqanet.database.raters import expected_vote
from miqanet.database.records import ImageRecord, SourceRecord
from miqanet.database.sampling import EvenSampler
from miqanet.preprocessing import SIZE, prepare
from miqanet.training.anatomy import invent
from miqanet.training.augmentation import vary

_TRIES = 2
"""Draws more where the first came out mild: nearly even classes, without losing what is mild."""

_LEARNED_LAST = ("chemical_shift", "ghosting", "metal", "wrap_around")
"""Kinds that look like anatomy, or in one body unlike in another."""

_LAST_SHARE = 0.4
"""Share of the images that these kinds have for themselves."""


class Sample(NamedTuple):
    """Images and their targets, stacked along the first axis."""

    image: Tensor
    """(N, 1, size, size) in 0..1."""

    low: Tensor
    """(N,) float32: probability that a rater calls the image low; 0 or 1 where only a label is known."""

    kinds: Tensor
    """(N, kinds) float32: probability that a rater finds the image spoiled by each kind of artifact; NaN where
    nobody has said what is wrong with it."""


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
    """The images of a database as they are, with their labels: one image a sample."""

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


class VariedImages(Dataset[Sample]):
    """The images of a database to learn from: shown another way every time, with the votes as targets."""

    def __init__(
        self, records: Sequence[ImageRecord], kinds: Sequence[str], size: int, seed: int = 0
    ) -> None:
        self._records = list(records)
        self._kinds, self._size, self._seed = tuple(kinds), size, seed

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Sample:
        """Show the image of any index: those from `len` on belong to later epochs."""
        record = self._records[index % len(self._records)]
        image = vary(read_png(record.path), np.random.default_rng([self._seed, index]))
        low = float(record.low) if record.low_votes is None else record.low_votes
        named = {kind: expected_vote(harm) for kind, harm in record.harms.items()}
        sample = _sample([image], [low], [named], self._kinds, self._size)
        return sample if record.simulated else sample._replace(kinds=torch.full_like(sample.kinds, torch.nan))


class FreshPairs(Dataset[Sample]):
    """Clean slices, spoiled anew at every epoch: two images a sample.

    Half of the slices are drawn evenly by body part and dataset, half by subject: no body part is rare, and a
    single subject is not all that is seen of one. Their anatomy is varied beyond that of the subjects.

    The pair is one anatomy, acquired and spoiled twice: as for a database, mostly mildly, and once more, rather so
    that it is low. Seen side by side in a batch, anatomy and contrast cannot tell the two apart: what is left to
    learn from is the artifact, and how much of it is too much.
    """

    def __init__(
        self, sources: Sequence[SourceRecord], kinds: Sequence[str], size: int, pairs: int, seed: int = 0
    ) -> None:
        anywhere = [replace(source, body_part="", dataset="") for source in sources]
        self._samplers = EvenSampler(sources), EvenSampler(anywhere)
        self._kinds, self._size, self._pairs, self._seed = tuple(kinds), size, pairs, seed

    def __len__(self) -> int:
        return self._pairs

    def __getitem__(self, index: int) -> Sample:
        """Make the pair of any index: those from `len` on belong to later epochs."""
        rng = np.random.default_rng([self._seed, index])
        sampler = self._samplers[rng.integers(2)]
        clean, other = (_clean(sampler.draw(rng).path) for _ in range(2))
        # Of all kinds: a network that names none still has to see them.
        kinds = _LEARNED_LAST if rng.random() < _LAST_SHARE else KINDS
        spoil = partial(simulate, invent(clean, other, rng), rng, kinds=kinds, scale=self._size / SIZE)
        as_drawn, rather_low = spoil(), spoil()
        for _ in range(_TRIES):
            if rather_low.low:
                break
            rather_low = spoil()
        images = as_drawn.image, rather_low.image
        votes = [_votes(as_drawn), _votes(rather_low)]
        low = [max(named.values(), default=0.0) for named in votes]
        return _sample(images, low, votes, self._kinds, self._size)


def _votes(made: Simulated) -> dict[str, float]:
    """Return for each artifact in an image the share of raters who are expected to call it low for that."""
    return {a.kind: expected_vote(harm) for a, harm in zip(made.artifacts, made.harms, strict=True)}


@lru_cache(maxsize=600)
def _clean(path: Path) -> NDArray[np.float32]:
    """Read a clean slice; slices come again every epoch, and to decode one takes half as long as to spoil it."""
    image = read_png(path)
    image.flags.writeable = False
    return image


class EpochIndices(Sampler[int]):
    """Indices that no earlier epoch had, so that a dataset makes others; a resumed epoch has its own again.

    Processes that train side by side deal them out among themselves.
    """

    def __init__(self, length: int, seed: int = 0) -> None:
        self._length, self._seed, self._epoch = length, seed, 0

    def __len__(self) -> int:
        return self._length // _processes()[1]

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rank, processes = _processes()
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._length)
        return iter((self._epoch * self._length + order[rank::processes][: len(self)]).tolist())


def _processes() -> tuple[int, int]:
    """Return which of how many processes that train one network this is."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1

"""What training sees, and that it is the same again for the same index."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from miqanet.artifacts import KINDS
from miqanet.database.png import read_png
from miqanet.database.records import SourceRecord
from miqanet.preprocessing import prepare
from miqanet.training.data import FreshIndices, FreshPairs, StoredImages, collate, vote


@pytest.fixture
def pairs(data):
    return FreshPairs(data.sources, KINDS, 64, pairs=6, seed=3)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_index_is_always_the_same_pair(data, pairs):
    again = FreshPairs(data.sources, KINDS, 64, pairs=6, seed=3)
    later = again[7]
    for index in (5, 0, 7):
        assert same(pairs[index], again[index])
    assert same(later, again[7])


def test_other_epochs_and_other_seeds_give_other_pairs(data, pairs):
    assert not torch.equal(pairs[0].image, pairs[6].image)
    assert not torch.equal(pairs[0].image, FreshPairs(data.sources, KINDS, 64, 6, seed=4)[0].image)


def test_a_pair_is_one_acquisition_without_and_with_artifacts(pairs):
    low = 0
    for index in range(12):
        image, votes, kinds = pairs[index]
        assert image.shape == (2, 1, 64, 64)
        assert image.dtype == torch.float32
        assert image.min() >= 0
        assert image.max() <= 1
        assert votes[0] == 0
        assert not kinds[0].any()
        assert kinds.shape == (2, len(KINDS))
        # The image is as bad as the worst of its artifacts.
        assert votes[1] == kinds[1].max()
        low += int(votes[1] >= 0.5)
    assert 4 <= low <= 12


def test_votes_agree_on_what_is_plain_and_split_at_the_threshold():
    assert vote(0) == 0
    assert vote(1) == pytest.approx(0.5)
    assert vote(1.45) == pytest.approx(0.9, abs=0.01)
    assert vote(0.5) < 0.02
    assert vote(30) > 0.999
    shares = [vote(harm) for harm in np.linspace(0, 3, 50)]
    assert shares == sorted(shares)


def test_slices_are_drawn_evenly_by_body_part(data):
    brains = [
        SourceRecord(data.sources[0].path, subject, "phantoms", "brain", "T1w") for subject in range(200)
    ]
    knee = SourceRecord(data.sources[4].path, 999, "phantoms", "knee", "T1w")
    sampler = FreshPairs([*brains, knee], KINDS, 64, pairs=1)._sampler
    rng = np.random.default_rng(0)
    drawn = [sampler.draw(rng).body_part for _ in range(300)]
    assert 110 < drawn.count("knee") < 190


def test_pairs_travel_to_worker_processes(pairs):
    assert same(pickle.loads(pickle.dumps(pairs))[1], pairs[1])  # noqa: S301


def test_indices_of_an_epoch_are_its_own():
    indices = FreshIndices(5)
    assert len(indices) == 5
    assert list(indices) == [0, 1, 2, 3, 4]
    indices.set_epoch(2)
    assert list(indices) == list(indices) == [10, 11, 12, 13, 14]


def test_stored_images_come_with_their_labels(data):
    stored = StoredImages(data.images, KINDS, 64)
    assert len(stored) == 6
    for record, sample in zip(data.images, stored, strict=False):
        np.testing.assert_array_equal(sample.image[0, 0], prepare(read_png(record.path), 64))
        assert sample.low.tolist() == [float(record.low)]
        named = [kind for kind, present in zip(KINDS, sample.kinds[0], strict=True) if present]
        assert named == list(record.kinds) == (["noise"] if record.low else [])


def test_samples_are_joined_along_the_first_axis(data, pairs):
    batch = collate([pairs[0], pairs[1], StoredImages(data.images, KINDS, 64)[1]])
    assert batch.image.shape == (5, 1, 64, 64)
    assert batch.low.shape == (5,)
    assert batch.kinds.shape == (5, len(KINDS))
    assert batch.low[4] == 1

"""What training sees, and that it is the same again for the same index."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from miqanet.artifacts import KINDS
from miqanet.database.png import read_png
from miqanet.database.raters import expected_vote
from miqanet.database.records import SourceRecord
from miqanet.preprocessing import prepare
from miqanet.training import data as module
from miqanet.training.data import EpochIndices, FreshPairs, StoredImages, VariedImages, collate


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


def test_a_pair_is_one_anatomy_spoiled_as_drawn_and_rather_so_that_it_is_low(pairs, monkeypatch):
    asked = []
    simulate = module.simulate

    def ask(clean, *arguments, **options):
        asked.append(clean)
        return simulate(clean, *arguments, **options)

    monkeypatch.setattr(module, "simulate", ask)
    low = np.zeros(2, int)
    for index in range(40):
        asked.clear()
        image, votes, kinds = pairs[index]
        assert 2 <= len(asked) <= 4
        assert all(clean is asked[0] for clean in asked)
        assert image.shape == (2, 1, 64, 64)
        assert image.dtype == torch.float32
        assert image.min() >= 0
        assert image.max() <= 1
        assert kinds.shape == (2, len(KINDS))
        # The image is as bad as the worst of its artifacts.
        assert torch.equal(votes, kinds.max(dim=1).values)
        low += (votes >= 0.5).numpy()
    assert low[0] < low[1] < 40
    assert low[0] < 20 < low[1]


def test_half_of_the_slices_are_drawn_by_body_part_and_half_by_subject(data):
    brains = [
        SourceRecord(data.sources[0].path, subject, "phantoms", "brain", "T1w") for subject in range(200)
    ]
    knee = SourceRecord(data.sources[4].path, 999, "phantoms", "knee", "T1w")
    evenly, by_subject = FreshPairs([*brains, knee], KINDS, 64, pairs=1)._samplers
    rng = np.random.default_rng(0)
    assert 110 < [evenly.draw(rng).body_part for _ in range(300)].count("knee") < 190
    assert [by_subject.draw(rng).subject for _ in range(300)].count(999) < 10


def test_kinds_that_are_learned_last_come_more_often(data, monkeypatch):
    asked = []
    simulate = module.simulate

    def ask(*arguments, kinds, **options):
        asked.append(tuple(kinds))
        return simulate(*arguments, kinds=kinds, **options)

    monkeypatch.setattr(module, "simulate", ask)
    pairs = FreshPairs(data.sources, KINDS, 64, pairs=60, seed=3)
    for index in range(60):
        pairs[index]
    few = {kinds for kinds in asked if kinds != KINDS}
    assert few == {tuple(kind for kind in KINDS if kind in module._LEARNED_LAST)}
    assert set(module._LEARNED_LAST) < set(KINDS)
    assert 0.2 < 1 - asked.count(KINDS) / len(asked) < 0.5


def test_a_network_that_names_few_kinds_or_none_sees_the_same_images(data):
    all_named = FreshPairs(data.sources, KINDS, 64, pairs=8)
    assert FreshPairs(data.sources, ("noise",), 64, pairs=2)[0].kinds.shape == (2, 1)
    unnamed = FreshPairs(data.sources, (), 64, pairs=8)
    for index in range(8):
        assert torch.equal(unnamed[index].image, all_named[index].image)
        assert torch.equal(unnamed[index].low, all_named[index].low)
        assert unnamed[index].kinds.shape == (2, 0)
    assert max(float(unnamed[index].low.max()) for index in range(8)) > 0.5


def test_pairs_travel_to_worker_processes(pairs):
    assert same(pickle.loads(pickle.dumps(pairs))[1], pairs[1])  # noqa: S301


def test_indices_of_an_epoch_are_its_own():
    indices = EpochIndices(5, seed=1)
    assert len(indices) == 5
    assert sorted(indices) == [0, 1, 2, 3, 4]
    indices.set_epoch(2)
    assert list(indices) == list(indices)
    assert sorted(indices) == [10, 11, 12, 13, 14]
    orders = set()
    for epoch in range(4):
        indices.set_epoch(epoch)
        orders.add(tuple(index - 5 * epoch for index in indices))
    assert len(orders) > 1


def test_processes_that_train_side_by_side_deal_out_the_indices(monkeypatch):
    dealt = []
    for rank in range(2):
        monkeypatch.setattr(module, "_processes", lambda rank=rank: (rank, 2))
        indices = EpochIndices(7)
        indices.set_epoch(1)
        dealt.append(list(indices))
        assert len(indices) == len(dealt[-1]) == 3
    assert len({*dealt[0], *dealt[1]}) == 6
    assert {*dealt[0], *dealt[1]} < set(range(7, 14))


def test_stored_images_come_with_their_labels(data):
    stored = StoredImages(data.images, KINDS, 64)
    assert len(stored) == 6
    for record, sample in zip(data.images, stored, strict=False):
        np.testing.assert_array_equal(sample.image[0, 0], prepare(read_png(record.path), 64))
        assert sample.low.tolist() == [float(record.low)]
        named = [kind for kind, present in zip(KINDS, sample.kinds[0], strict=True) if present]
        assert named == list(record.kinds) == (["noise"] if record.low else [])


def test_images_to_learn_from_look_another_way_every_time_and_the_same_again_for_an_index(data):
    varied = VariedImages(data.images, KINDS, 64, seed=1)
    assert len(varied) == 6
    again = VariedImages(data.images, KINDS, 64, seed=1)
    assert same(varied[2], again[2])
    shown = [varied[2 + 6 * epoch] for epoch in range(4)]
    assert not all(torch.equal(shown[0].image, other.image) for other in shown[1:])
    assert all(torch.equal(shown[0].low, other.low) for other in shown)


def test_votes_are_the_targets_and_labels_where_nobody_voted(data):
    voted = replace(data.images[1], low_votes=0.625)
    varied = VariedImages([data.images[1], voted], KINDS, 64)
    assert varied[0].low.tolist() == [1.0]
    assert varied[1].low.tolist() == [0.625]
    kinds = dict(zip(KINDS, varied[1].kinds[0].tolist(), strict=True))
    assert kinds["noise"] == pytest.approx(expected_vote(2.0))
    assert kinds["blur"] == pytest.approx(expected_vote(0.4))
    assert kinds["zipper"] == 0
    # What is watched is judged by its label.
    assert StoredImages([voted], KINDS, 64)[0].low.tolist() == [1.0]


def test_of_real_images_nobody_says_what_is_wrong(data):
    real = replace(data.images[1], simulated=False, harms={})
    assert VariedImages([real], KINDS, 64)[0].kinds.isnan().all()


def test_samples_are_joined_along_the_first_axis(data, pairs):
    batch = collate([pairs[0], pairs[1], StoredImages(data.images, KINDS, 64)[1]])
    assert batch.image.shape == (5, 1, 64, 64)
    assert batch.low.shape == (5,)
    assert batch.kinds.shape == (5, len(KINDS))
    assert batch.low[4] == 1

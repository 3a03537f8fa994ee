"""Raters and model by the same yardstick, checked against the consensus of raters and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from miqanet.consensus import against_others, ceiling, model_against_others, percent_agreement
from miqanet.database.records import ImageRecord, VoteRecord
from miqanet.evaluation.human_frame import human_frame, ratings
from miqanet.evaluation.metrics import Judged


def judged_of(images, probability):
    return Judged(
        np.asarray(probability, float),
        np.array([image.low for image in images]),
        np.array([image.subject for image in images]),
    )


def image(number, low=False):
    return ImageRecord(Path("x"), number, "d", "brain", "", low=low, harms={}, simulated=True, image=number)


def test_votes_become_a_table_in_the_order_of_the_images():
    votes = [
        VoteRecord(7, "b", True),
        VoteRecord(5, "a", False),
        VoteRecord(5, "b", True),
        VoteRecord(1, "c", True),
    ]
    table = ratings([image(7), image(5)], votes)
    assert table.raters == ("a", "b", "c")
    np.testing.assert_array_equal(table.values, [[np.nan, 1, np.nan], [0, 1, np.nan]])


def test_figures_are_those_of_the_consensus(world):
    rng = np.random.default_rng(1)
    probability = np.array([0.2 + 0.6 * i.low for i in world.images]) + rng.normal(0, 0.3, len(world.images))
    table = ratings(world.images, world.votes)
    frame = human_frame(table, judged_of(world.images, probability))
    expected = against_others(table)
    assert [frame["raters"][name].value for name in table.raters] == pytest.approx(expected.tolist())
    assert frame["ceiling"].value == pytest.approx(ceiling(table))
    assert frame["best_rater"] == table.raters[int(np.argmax(expected))]
    assert frame["pairwise"].value == pytest.approx(percent_agreement(table))
    places = model_against_others(table, (probability >= 0.5).astype(float))
    assert frame["model"].value == pytest.approx(places.mean(), abs=0.005)
    for figure in (frame["ceiling"], frame["pairwise"], frame["model"]):
        assert figure.least < figure.value < figure.greatest


def test_the_majority_cannot_be_beaten_by_its_own_measure(world):
    table = ratings(world.images, world.votes)
    perfect = judged_of(world.images, [float(i.low) for i in world.images])
    frame = human_frame(table, perfect)
    assert frame["model"].value >= frame["ceiling"].value


def test_who_judged_a_few_images_is_no_ceiling(world):
    # A visitor is right about the one image that they have seen.
    seen = world.images[0]
    votes = [*world.votes, VoteRecord(seen.image, "visitor", seen.low)]
    frame = human_frame(ratings(world.images, votes), judged_of(world.images, [0.0] * len(world.images)))
    assert frame["raters"]["visitor"].value == 1
    assert frame["best_rater"] != "visitor"
    assert frame["ceiling"].value < 1


def test_without_votes_there_is_no_frame():
    images = [image(1), image(2, low=True)]
    assert human_frame(ratings(images, []), judged_of(images, [0, 1])) is None
    one_vote = [VoteRecord(1, "a", True)]
    assert human_frame(ratings(images, one_vote), judged_of(images, [0, 1])) is None

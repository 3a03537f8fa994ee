from __future__ import annotations

import numpy as np

from miqanet.database.similarity import BITS, DISTANCE
from miqanet.evaluation.duplicates import near_duplicates
from miqanet.evaluation.protocols import Protocol, folds


def test_images_that_look_like_what_was_learned_from_are_counted(world):
    rng = np.random.default_rng(0)
    hashes = {image.image: rng.random(BITS) < 0.5 for image in world.images}
    # The two images of subject 1 are alike but for some bits; so are one of subject 2 and one of subject 3.
    hashes[2] = hashes[1] ^ (np.arange(BITS) < DISTANCE)
    by_subject = {s: [i.image for i in world.images if i.subject == s] for s in (2, 3)}
    hashes[by_subject[3][0]] = hashes[by_subject[2][0]]
    made = {protocol: folds(protocol, world.images, world.subjects) for protocol in Protocol}
    found = near_duplicates(made, hashes)["protocols"]
    assert {each["tested"] for each in found.values()} == {len(world.images)}
    # Everybody is tested once, and the other of the pair is then in training or not.
    assert 1 <= found["P0"]["with_near_duplicate_in_training"] <= 4
    assert found["P0"]["of_other_subjects"] <= 2
    assert found["P1"]["with_near_duplicate_in_training"] == found["P1"]["of_other_subjects"]
    # Subjects 2 and 3 are of one dataset: held out together.
    assert found["P2"]["with_near_duplicate_in_training"] == 0


def test_more_bits_apart_are_no_duplicates(world):
    rng = np.random.default_rng(0)
    hashes = {image.image: rng.random(BITS) < 0.5 for image in world.images}
    hashes[2] = hashes[1] ^ (np.arange(BITS) <= DISTANCE)
    made = {Protocol.P0: folds(Protocol.P0, world.images, world.subjects)}
    assert near_duplicates(made, hashes)["protocols"]["P0"]["with_near_duplicate_in_training"] == 0

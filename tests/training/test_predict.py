"""What a checkpoint says of images is what its network says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logit

from miqanet.artifacts import KINDS
from miqanet.database.png import read_png
from miqanet.networks import make_network
from miqanet.preprocessing import prepare
from miqanet.training import predict as module
from miqanet.training.checkpoints import BEST_CHECKPOINT, trained_network
from miqanet.training.predict import predict


def test_every_image_gets_its_answer(data, short_run):
    checkpoint = short_run[0] / BEST_CHECKPOINT
    low, artifacts = predict(checkpoint, data.images, size=64, batch=4)
    assert low.shape == (6,)
    assert artifacts.shape == (6, len(KINDS))
    images = np.stack([prepare(read_png(image.path), 64)[None] for image in data.images])
    with torch.inference_mode():
        answer = trained_network(checkpoint)(torch.from_numpy(images))
    # It is computed in reduced precision.
    np.testing.assert_allclose(low, answer.quality.softmax(1)[:, 1], atol=0.01)
    np.testing.assert_allclose(artifacts, answer.artifacts.sigmoid(), atol=0.01)


def test_what_is_in_doubt_is_judged_by_the_mean_of_two_looks(data, short_run, monkeypatch):
    checkpoint = short_run[0] / BEST_CHECKPOINT
    first = predict(checkpoint, data.images, size=64)
    unturned = module._Prepared.__getitem__
    monkeypatch.setattr(module._Prepared, "__getitem__", lambda *given: unturned(*given).flip(1, 2))
    second = predict(checkpoint, data.images, size=64)
    monkeypatch.undo()
    logits = [logit(answer.probability_low) for answer in (first, second)]
    limit = np.median(np.abs(logits[0]))
    twice = np.abs(logits[0]) < limit
    assert 0 < twice.sum() < len(twice)
    answer = predict(checkpoint, data.images, size=64, doubt=limit)
    expected = np.where(twice, (logits[0] + logits[1]) / 2, logits[0])
    np.testing.assert_allclose(logit(answer.probability_low), expected, atol=0.02)
    named = (first.artifacts + second.artifacts) / 2
    np.testing.assert_allclose(answer.artifacts[twice], named[twice], atol=0.01)
    np.testing.assert_allclose(answer.artifacts[~twice], first.artifacts[~twice], atol=0.01)


def test_clean_slices_in_processes_of_their_own_are_judged_alike(data, short_run):
    checkpoint = short_run[0] / BEST_CHECKPOINT
    alone = predict(checkpoint, data.sources, size=64, batch=2)
    beside = predict(checkpoint, data.sources, size=64, batch=2, workers=1)
    np.testing.assert_array_equal(alone.probability_low, beside.probability_low)
    np.testing.assert_array_equal(alone.artifacts, beside.artifacts)


def test_rivals_name_no_artifacts(data, tmp_path):
    state = make_network("squeezenet").state_dict()
    content = {
        "hyper_parameters": {"kinds": (), "network": "squeezenet"},
        "state_dict": {f"network.{name}": value for name, value in state.items()},
    }
    torch.save(content, tmp_path / BEST_CHECKPOINT)
    low, artifacts = predict(tmp_path / BEST_CHECKPOINT, data.images, size=64)
    assert ((low > 0) & (low < 1)).all()
    assert artifacts.shape == (6, 0)


def test_nothing_to_judge_is_told(short_run):
    with pytest.raises(ValueError, match="no image to judge"):
        predict(short_run[0] / BEST_CHECKPOINT, [])

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from miqanet.screening.card import CARD_FILE, MODEL_FILE, WeightsError, default_weights
from miqanet.screening.engine import Engine
from miqanet.screening.scaling import Scaling, logits


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).random((3, 1, 512, 512), np.float32)


def test_answer_has_the_promised_shapes_and_ranges(engine: Engine, batch: np.ndarray) -> None:
    probability_low, artifacts, activation_map = engine.infer(batch)
    assert probability_low.shape == (3,)
    assert artifacts.shape == (3, len(engine.card.artifact_kinds))
    assert activation_map.shape == (3, 16, 16)
    assert ((probability_low >= 0) & (probability_low <= 1)).all()
    assert ((artifacts >= 0) & (artifacts <= 1)).all()


def test_no_images_give_no_answers(engine: Engine, batch: np.ndarray) -> None:
    assert engine.infer(batch[:0]).probability_low.shape == (0,)


def test_probabilities_are_scaled_as_the_card_says(engine: Engine, batch: np.ndarray, tmp_path: Path) -> None:
    shutil.copytree(engine.weights, tmp_path, dirs_exist_ok=True)
    content = json.loads((tmp_path / CARD_FILE).read_text())
    further = Scaling(3, -0.5)
    scaling = engine.card.scaling.then(further)
    (tmp_path / CARD_FILE).write_text(json.dumps(content | asdict(scaling)))
    scaled, own = Engine(tmp_path).infer(batch), engine.infer(batch)
    np.testing.assert_allclose(scaled.probability_low, further.apply(own.probability_low), atol=1e-4)
    np.testing.assert_allclose(scaled.artifact_probabilities, own.artifact_probabilities, atol=1e-4)


def test_what_is_in_doubt_is_judged_by_the_mean_of_two_looks(
    engine: Engine, batch: np.ndarray, tmp_path: Path
) -> None:
    shutil.copytree(engine.weights, tmp_path, dirs_exist_ok=True)
    content = json.loads((tmp_path / CARD_FILE).read_text()) | asdict(Scaling())

    def judging(doubt: float) -> Engine:
        (tmp_path / CARD_FILE).write_text(json.dumps(content | {"doubt": doubt}))
        return Engine(tmp_path)

    turned = np.ascontiguousarray(batch[..., ::-1, ::-1])
    once = judging(0)
    first, second = once.infer(batch), once.infer(turned)
    limit = float(np.median(np.abs(logits(first.probability_low))))
    answer = judging(limit).infer(batch)
    twice = np.abs(logits(first.probability_low)) < limit
    assert 0 < twice.sum() < len(batch)
    both = (logits(first.probability_low) + logits(second.probability_low)) / 2
    expected = np.where(twice, both, logits(first.probability_low))
    np.testing.assert_allclose(logits(answer.probability_low), expected, atol=0.02)
    for there, back in ((1, second.artifact_probabilities), (2, second.activation_map[:, ::-1, ::-1])):
        np.testing.assert_allclose(answer[there][~twice], first[there][~twice], atol=0.02)
        np.testing.assert_allclose(answer[there][twice], (first[there] + back)[twice] / 2, atol=0.02)


def test_threads_get_their_own_answers(engine: Engine, batch: np.ndarray) -> None:
    together = engine.infer(batch)
    with ThreadPoolExecutor(3) as pool:
        alone = list(pool.map(lambda i: engine.infer(batch[i % 3][None]), range(9)))
    for i, prediction in enumerate(alone):
        for one, all_ in zip(prediction, together, strict=True):
            np.testing.assert_allclose(one[0], all_[i % 3], atol=1e-4)


def test_wrong_shape_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"\(N, 1, 512, 512\)"):
        engine.infer(np.zeros((1, 512, 512), np.float32))


def test_damaged_network_names_its_file(tmp_path: Path) -> None:
    shutil.copy(default_weights() / CARD_FILE, tmp_path)
    with pytest.raises(WeightsError, match="no network"):
        Engine(tmp_path)
    (tmp_path / MODEL_FILE).write_text("<net")
    with pytest.raises(WeightsError, match="cannot load"):
        Engine(tmp_path)


@pytest.mark.system
def test_engine_needs_no_torch_and_tells_nobody(tmp_path: Path) -> None:
    program = (
        "import sys; from miqanet import Screener; Screener(); "
        "assert 'torch' not in sys.modules; assert sys.modules.get('openvino_telemetry') is None"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ | {"HOME": str(tmp_path)})
    assert not list(tmp_path.iterdir()), "OpenVINO's telemetry leaves an identifier at home"

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from miqanet.features.measures import Measures, measure
from miqanet.image import MRImage
from miqanet.reading import ReadError
from miqanet.screening import pipeline
from miqanet.screening.pipeline import judge

MakeImage = Callable[..., MRImage]


def test_results_keep_the_order_of_the_images(brightness_engine, make_image: MakeImage, monkeypatch) -> None:
    infer = brightness_engine.infer
    waits = iter(np.random.default_rng(0).uniform(0, 0.01, 100))

    def infer_unevenly(batch: np.ndarray):
        time.sleep(next(waits))
        return infer(batch)

    monkeypatch.setattr(brightness_engine, "infer", infer_unevenly)
    images = [make_image(f"{i}.dcm") for i in range(50)]
    assert [judged.item.path for judged in judge(images, brightness_engine)] == [i.path for i in images]


def test_errors_stay_in_their_place(brightness_engine, make_image: MakeImage) -> None:
    items = [make_image("a"), ReadError("b", 0, "truncated"), make_image("c"), ReadError("d", 0, "empty")]
    judged = list(judge(items, brightness_engine))
    assert [each.item.path for each in judged] == ["a", "b", "c", "d"]
    assert [each.verdict is None for each in judged] == [False, True, False, True]


def test_verdict_belongs_to_its_image(brightness_engine, make_image: MakeImage) -> None:
    shares = [0.1, 0.9, 0.2, 0.8]
    judged = list(judge([make_image(bright_share=share) for share in shares], brightness_engine))
    assert [each.verdict.quality for each in judged] == ["high", "low", "high", "low"]
    for each in judged:
        assert each.prepared.shape == (512, 512)
        assert each.verdict.probability_low == pytest.approx(each.prepared.mean(), abs=1e-5)


def test_only_images_that_may_be_low_are_measured(brightness_engine, make_image: MakeImage) -> None:
    images = [make_image(bright_share=share) for share in (0.1, 0.45, 0.9)]
    assert [each.measures for each in judge(images, brightness_engine)] == [None, None, None]
    plain, review, low = judge(images, brightness_engine, measured=True)
    assert (plain.verdict.review, review.verdict.review, low.verdict.review) == (False, True, False)
    assert plain.measures is None
    for judged in (review, low):
        assert judged.measures == measure(judged.item.pixels)


def test_reading_runs_only_a_bounded_way_ahead(brightness_engine, make_image: MakeImage) -> None:
    read = 0

    def images() -> Iterator[MRImage]:
        nonlocal read
        for i in range(1000):
            read += 1
            yield make_image(f"{i}.dcm")

    results = judge(images(), brightness_engine)
    for _ in range(3):
        next(results)
    results.close()
    assert read < 50


def test_broken_network_is_not_taken_for_a_broken_file(
    brightness_engine, make_image: MakeImage, monkeypatch
) -> None:
    def fail(_: np.ndarray) -> None:
        raise RuntimeError("device lost")

    monkeypatch.setattr(brightness_engine, "infer", fail)
    with pytest.raises(RuntimeError, match="device lost"):
        list(judge([make_image()], brightness_engine))


@pytest.mark.parametrize("error", [ValueError, FloatingPointError, MemoryError])
def test_image_that_cannot_be_measured_keeps_its_verdict(
    brightness_engine, make_image: MakeImage, monkeypatch, error: type[Exception]
) -> None:
    def fail(_: np.ndarray) -> None:
        raise error

    monkeypatch.setattr(pipeline, "measure", fail)
    (judged,) = judge([make_image(bright_share=0.9)], brightness_engine, measured=True)
    assert judged.verdict.quality == "low"
    assert judged.measures == Measures()

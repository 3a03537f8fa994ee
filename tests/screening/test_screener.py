from pathlib import Path

import numpy as np
import pytest

from miqanet import MRImage, Quality, Screener
from miqanet.reading import ReadError


@pytest.fixture(scope="module")
def screener() -> Screener:
    return Screener()


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 1000, (40, 50)).astype(np.int16)


def test_array_image_and_file_get_the_same_verdict(
    screener: Screener, pixels: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", pixels)
    image = MRImage(pixels=pixels.astype(np.float32), path="a")
    verdicts = [
        screener.screen(each) for each in (pixels, image, tmp_path / "a.npy", str(tmp_path / "a.npy"))
    ]
    assert len({verdict.probability_low for verdict in verdicts}) == 1


def test_verdict_agrees_with_the_card(screener: Screener, pixels: np.ndarray) -> None:
    verdict = screener.screen(pixels)
    assert (verdict.quality is Quality.LOW) == (verdict.probability_low >= screener.card.threshold)
    assert verdict.model_version == screener.card.model_version
    assert verdict.heat_map is not None
    assert verdict.heat_map.shape == (16, 16)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3)),
        np.zeros((0, 4)),
        np.zeros((4, 4), complex),
        np.full((4, 4), np.nan),
        np.full((4, 4), 7),
        np.arange(64).reshape(1, 64),
        np.eye(4) * 1e39,
    ],
)
def test_array_that_is_no_image_is_refused(screener: Screener, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="image"):
        screener.screen(image)


def test_file_that_is_no_image_is_named(screener: Screener, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    for path in (tmp_path / "notes.txt", tmp_path / "nowhere.dcm", tmp_path):
        with pytest.raises(ValueError, match=path.name):
            screener.screen(path)


def test_file_of_many_images_is_for_screen_all(
    screener: Screener, pixels: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "many.npy", np.stack([pixels, pixels.T[:40, :40].repeat(2, 1)[:, :50], pixels]))
    with pytest.raises(ValueError, match="screen_all"):
        screener.screen(tmp_path / "many.npy")
    answers = list(screener.screen_all(tmp_path / "many.npy"))
    assert [item.frame for item, _ in answers] == [0, 1, 2]
    assert answers[0][1].probability_low == answers[2][1].probability_low


def test_screen_all_passes_errors_on(screener: Screener, pixels: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / "b.txt").write_text("no image")
    np.save(tmp_path / "c.npy", pixels)
    items, verdicts = zip(*screener.screen_all([tmp_path]), strict=True)
    assert [type(item) for item in items] == [MRImage, ReadError, MRImage]
    assert [verdict is None for verdict in verdicts] == [False, True, False]

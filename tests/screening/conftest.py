"""What the tests of screening share: the shipped network, and a network that need not be run."""

from collections.abc import Callable

import numpy as np
import pytest

from miqanet.image import MRImage
from miqanet.screening.card import Card, default_weights
from miqanet.screening.engine import Engine, Prediction

KINDS = ("motion", "ghosting", "noise")


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(default_weights())


@pytest.fixture
def card() -> Card:
    return Card(
        name="test",
        version="1",
        size=512,
        artifact_kinds=KINDS,
        threshold=0.5,
        review_band=(0.4, 0.6),
        artifact_thresholds={"motion": 0.5, "ghosting": 0.3, "noise": 0.7},
    )


class BrightnessEngine:
    """Stands in for the network: the brighter an image on average, the lower its quality."""

    streams = 2

    def __init__(self, card: Card) -> None:
        self.card = card

    def infer(self, batch: np.ndarray) -> Prediction:
        number = len(batch)
        return Prediction(
            batch.mean((1, 2, 3)),
            np.full((number, len(self.card.artifact_kinds)), 0.4, np.float32),
            np.zeros((number, 16, 16), np.float32),
        )


@pytest.fixture
def brightness_engine(card: Card) -> BrightnessEngine:
    return BrightnessEngine(card)


@pytest.fixture
def make_image() -> Callable[..., MRImage]:
    def make(path: str = "a.dcm", frame: int = 0, *, bright_share: float = 0.5, **known: str) -> MRImage:
        """Return an image of which a share of the rows is bright."""
        pixels = np.zeros((64, 64), np.float32)
        pixels[: round(64 * bright_share)] = 1000
        return MRImage(pixels=pixels, path=path, frame=frame, **known)

    return make

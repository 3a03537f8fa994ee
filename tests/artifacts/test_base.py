from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from miqanet.artifacts.base import Artifact
from miqanet.artifacts.blur import Blur
from miqanet.artifacts.ghosting import Ghosting
from miqanet.artifacts.gibbs import Gibbs
from miqanet.artifacts.low_resolution import LowResolution
from miqanet.artifacts.motion import Motion
from miqanet.artifacts.wrap_around import WrapAround

KSPACE = (Blur, Ghosting, Gibbs, LowResolution, Motion, WrapAround)


def draws(cls: type[Artifact], shape: tuple[int, int], count: int = 8) -> Iterator[Artifact]:
    rng = np.random.default_rng(3)
    return (cls.draw(rng, shape) for _ in range(count))


@pytest.mark.parametrize("cls", KSPACE)
class TestEveryKSpaceArtifact:
    def test_zero_severity_is_identity(self, cls: type[Artifact], disc: NDArray[np.float32]) -> None:
        for artifact in draws(cls, disc.shape):
            np.testing.assert_array_equal(artifact.at(0).apply(disc), disc)

    def test_vanishing_severity_hardly_changes_the_image(
        self, cls: type[Artifact], disc: NDArray[np.float32]
    ) -> None:
        for artifact in draws(cls, disc.shape):
            change = np.linalg.norm(artifact.at(1e-4).apply(disc) - disc)
            assert change < 0.03 * np.linalg.norm(disc)

    def test_change_grows_with_severity(self, cls: type[Artifact], disc: NDArray[np.float32]) -> None:
        for artifact in draws(cls, disc.shape):
            changes = [np.linalg.norm(artifact.at(s).apply(disc) - disc) for s in (0.05, 0.3, 1.0)]
            # Once lines are out of phase, more motion can bring some of them back into phase.
            assert changes[0] <= changes[1] <= 1.5 * changes[2]
            assert changes[0] < changes[2]

    def test_same_draw_gives_the_same_image(self, cls: type[Artifact], disc: NDArray[np.float32]) -> None:
        pairs = zip(draws(cls, disc.shape, 3), draws(cls, disc.shape, 3), strict=True)
        for first, second in pairs:
            assert first == second
            before = disc.copy()
            np.testing.assert_array_equal(first.apply(disc), second.apply(disc))
            np.testing.assert_array_equal(disc, before)

    def test_image_scales_with_intensity(self, cls: type[Artifact], disc: NDArray[np.float32]) -> None:
        for artifact in draws(cls, disc.shape):
            scaled = artifact.apply(np.float32(37.5) * disc)
            np.testing.assert_allclose(scaled, 37.5 * artifact.apply(disc), rtol=1e-3, atol=0.5)

    @pytest.mark.parametrize("shape", [(64, 64), (75, 64), (61, 97), (130, 33)])
    def test_any_shape_stays_a_magnitude_image(self, cls: type[Artifact], shape: tuple[int, int]) -> None:
        image = np.random.default_rng(0).random(shape, np.float32)
        for artifact in draws(cls, shape):
            spoiled = artifact.apply(image)
            assert spoiled.shape == shape
            assert spoiled.dtype == np.float32
            assert np.all(np.isfinite(spoiled))
            assert spoiled.min() >= 0

    def test_empty_image_stays_empty(self, cls: type[Artifact]) -> None:
        for artifact in draws(cls, (64, 48)):
            np.testing.assert_array_equal(artifact.apply(np.zeros((64, 48), np.float32)), 0)

    def test_negative_severity_is_refused(self, cls: type[Artifact]) -> None:
        artifact = next(draws(cls, (64, 64)))
        with pytest.raises(ValueError, match="severity"):
            artifact.at(-0.1)

    def test_draws_vary_the_phase_encode_axis(self, cls: type[Artifact]) -> None:
        axes = {getattr(a, "phase_encode_axis", i % 2) for i, a in enumerate(draws(cls, (64, 64), 16))}
        assert axes == {0, 1}

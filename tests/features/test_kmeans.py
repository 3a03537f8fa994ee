from __future__ import annotations

import numpy as np

from miqanet.features.kmeans import kmeans


def in_order(means: np.ndarray) -> np.ndarray:
    return means[np.lexsort(means.T[::-1])]


def test_means_of_distant_clusters_are_found() -> None:
    rng = np.random.default_rng(0)
    centers = np.array([[-50.0, 0], [0, 40], [60, -10]])
    points = np.concatenate([center + rng.normal(size=(300, 2)) for center in centers])
    expected = points.reshape(3, 300, 2).mean(axis=1)
    # All three first means from one cluster would do for some seeds; this one finds them.
    found = kmeans(points, 3, np.random.default_rng(1))
    np.testing.assert_allclose(in_order(found), in_order(expected), atol=1e-9)


def test_every_mean_is_that_of_the_points_nearest_to_it() -> None:
    points = np.random.default_rng(0).normal(size=(60, 3))
    means = kmeans(points, 4, np.random.default_rng(0))
    nearest = np.square(points[:, None] - means).sum(axis=2).argmin(axis=1)
    np.testing.assert_allclose(means, [points[nearest == k].mean(axis=0) for k in range(4)], atol=1e-9)


def test_many_equal_points_take_one_mean_not_all() -> None:
    points = np.concatenate([np.zeros((500, 2)), np.random.default_rng(0).normal(5, 1, (20, 2))])
    means = kmeans(points, 21, np.random.default_rng(0))
    np.testing.assert_allclose(
        in_order(means), in_order(np.concatenate([points[:1], points[500:]])), atol=1e-9
    )


def test_fewer_different_points_than_means_leave_no_mean_undefined() -> None:
    means = kmeans(np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0), 4, np.random.default_rng(0))
    assert np.isin(means, [1, 2, 3, 4]).all()


def test_points_beyond_one_block_count() -> None:
    points = np.random.default_rng(0).normal(size=(1500, 2))
    np.testing.assert_allclose(kmeans(points, 1, np.random.default_rng(0)), [points.mean(axis=0)])

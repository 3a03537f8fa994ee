from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from miqanet.features.codebook import CorniaCodebook

Images = list[NDArray[np.float64]]


@pytest.fixture(scope="module")
def images() -> Images:
    rng = np.random.default_rng(0)
    return [
        128 + 300 * gaussian_filter(rng.normal(size=shape), 1.5) for shape in ((40, 50), (31, 64), (60, 60))
    ]


@pytest.fixture(scope="module")
def codebook(images: Images) -> CorniaCodebook:
    return CorniaCodebook.fit(images, k=12)


def test_whitening_is_zca_of_normalized_patches(images: Images) -> None:
    # So many atoms that every patch is drawn: 20 each are more than there are.
    codebook = CorniaCodebook.fit(images, k=450)
    patches = np.array(
        [
            image[i : i + 7, j : j + 7].T.ravel()
            for image in images
            for i in range(image.shape[0] - 6)
            for j in range(image.shape[1] - 6)
        ]
    )
    patches -= patches.mean(axis=1, keepdims=True)
    patches /= np.sqrt(np.square(patches).sum(axis=1, keepdims=True) / 48 + 10)
    np.testing.assert_allclose(codebook.mean, patches.mean(axis=0), atol=1e-12)
    variances, axes = np.linalg.eigh(np.cov(patches.T, bias=True))
    expected = axes @ np.diag(1 / np.sqrt(variances + 0.1)) @ axes.T
    np.testing.assert_allclose(codebook.whitening, expected, atol=1e-9)


def test_brightness_has_no_variance_that_whitening_could_divide_by(codebook: CorniaCodebook) -> None:
    np.testing.assert_allclose(codebook.whitening, codebook.whitening.T, atol=1e-12)
    assert np.linalg.eigvalsh(codebook.whitening)[-1] == pytest.approx(1 / np.sqrt(0.1))
    np.testing.assert_allclose(codebook.whitening @ np.ones(49), np.ones(49) / np.sqrt(0.1), atol=1e-9)


def test_seed_decides_the_codebook(images: Images, codebook: CorniaCodebook) -> None:
    assert codebook.atoms.shape == (49, 12)
    np.testing.assert_array_equal(CorniaCodebook.fit(images, k=12).atoms, codebook.atoms)
    assert not np.array_equal(CorniaCodebook.fit(images, k=12, seed=1).atoms, codebook.atoms)


def test_atoms_describe_patches_of_the_images_better_than_noise(codebook: CorniaCodebook) -> None:
    fresh = 128 + 300 * gaussian_filter(np.random.default_rng(9).normal(size=(40, 40)), 1.5)
    noise = np.random.default_rng(9).uniform(0, 255, (40, 40))

    def likeness(image: NDArray[np.float64]) -> float:
        windows = np.lib.stride_tricks.sliding_window_view(image, (7, 7)).swapaxes(2, 3).reshape(-1, 49)
        centered = windows - windows.mean(axis=1, keepdims=True)
        x = centered / np.sqrt(centered.var(axis=1, ddof=1, keepdims=True) + 10)
        x = (x - codebook.mean) @ codebook.whitening
        cosines = x @ codebook.atoms / np.linalg.norm(codebook.atoms, axis=0)
        return float(np.mean(cosines.max(axis=1) / np.linalg.norm(x, axis=1)))

    assert likeness(fresh) > 1.5 * likeness(noise)


def test_saved_codebook_is_read_back(codebook: CorniaCodebook, tmp_path: Path) -> None:
    path = tmp_path / "codebook.npz"
    codebook.save(str(path))
    read = CorniaCodebook.load(str(path))
    for name in ("mean", "whitening", "atoms"):
        np.testing.assert_array_equal(getattr(read, name), getattr(codebook, name))
    assert [file.name for file in tmp_path.iterdir()] == ["codebook.npz"]


def test_codebook_is_frozen(codebook: CorniaCodebook) -> None:
    with pytest.raises(FrozenInstanceError):
        codebook.mean = np.zeros(49)  # type: ignore[misc]


def test_too_few_patches_are_refused(images: Images) -> None:
    with pytest.raises(ValueError, match="13 atoms need as many patches; 3 images gave 12"):
        CorniaCodebook.fit([np.zeros((7, 10))] * 3, k=13)
    with pytest.raises(ValueError, match="0 images"):
        CorniaCodebook.fit([], k=5)
    with pytest.raises(ValueError, match="at least one atom"):
        CorniaCodebook.fit(images, k=0)


def test_improper_images_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        CorniaCodebook.fit([np.full((9, 9), np.nan)], k=2)


def test_arrays_that_are_no_codebook_are_refused() -> None:
    whitening, atoms = np.eye(49), np.ones((49, 5))
    for arguments, name in (
        ((np.zeros(48), whitening, atoms), "mean"),
        ((np.zeros(49), whitening[1:], atoms), "whitening"),
        ((np.zeros(49), whitening, atoms.T), "atoms"),
        ((np.zeros(49), whitening, np.ones(49)), "atoms"),
        ((np.zeros(49), whitening, np.ones((49, 0))), "atoms"),
        ((np.zeros(49), whitening, atoms * np.nan), "atoms"),
        ((np.zeros(49, np.float32), whitening, atoms), "mean"),
    ):
        with pytest.raises(ValueError, match=f"codebook's {name}"):
            CorniaCodebook(*arguments)


def test_files_that_are_no_codebook_are_named(codebook: CorniaCodebook, tmp_path: Path) -> None:
    path = tmp_path / "codebook.npz"
    with pytest.raises(ValueError, match=r"no codebook at .*codebook\.npz"):
        CorniaCodebook.load(path)
    codebook.save(path)
    whole = path.read_bytes()
    assert b"(49,)" in whole
    spoiled = [
        b"",
        b"no archive",
        whole[: len(whole) // 2],
        whole[:900] + bytes(900) + whole[1800:],
        whole.replace(b"(49,)", b"(49, "),
    ]
    for content in spoiled:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"codebook\.npz is no CORNIA codebook"):
            CorniaCodebook.load(path)
    np.savez(path, mean=codebook.mean, whitening=codebook.whitening)
    with pytest.raises(ValueError, match="atoms"):
        CorniaCodebook.load(path)
    np.save(path.with_suffix(".npy"), codebook.mean)
    with pytest.raises(ValueError, match=r"codebook\.npy is no CORNIA codebook"):
        CorniaCodebook.load(path.with_suffix(".npy"))


def test_pickles_are_never_read(codebook: CorniaCodebook, tmp_path: Path) -> None:
    path = tmp_path / "codebook.npz"
    np.savez(path, mean=np.array([object()]), whitening=codebook.whitening, atoms=codebook.atoms)
    with pytest.raises(ValueError, match="is no CORNIA codebook"):
        CorniaCodebook.load(path)

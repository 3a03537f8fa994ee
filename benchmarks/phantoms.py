"""Images to time with: ellipses with texture and noise, half of them spoiled by simulated artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from scipy import ndimage

from miqanet.artifacts import ARTIFACTS

_MATRICES = (192, 256, 256, 320, 384, 512)
_SLICES = 24


def phantoms(
    number: int, seed: int = 0, matrices: Sequence[int] = _MATRICES
) -> Iterator[NDArray[np.float32]]:
    """Yield images of various matrices, in 0..4095 or so."""
    rng = np.random.default_rng(seed)
    kinds = sorted(ARTIFACTS)
    for i in range(number):
        size = matrices[i % len(matrices)]
        y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        body = (x / rng.uniform(0.6, 0.9)) ** 2 + (y / rng.uniform(0.6, 0.9)) ** 2 < 1
        texture = ndimage.gaussian_filter(rng.normal(size=(size, size)), size / rng.uniform(20, 60))
        image = body * np.clip(1 + 0.4 * texture / texture.std(), 0.1, 2.5)
        image = np.hypot(ndimage.gaussian_filter(image, 0.7), rng.normal(0, 0.02, (size, size)))
        image = (1000 * image).astype(np.float32)
        if i % 2:
            image = ARTIFACTS[kinds[i // 2 % len(kinds)]].draw(rng, image.shape).apply(image)
        yield image


def write_dicom(folder: Path, number: int, seed: int = 0, matrices: Sequence[int] = _MATRICES) -> None:
    """Write phantoms as MR images, uncompressed, `_SLICES` a series."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(phantoms(number, seed, matrices)):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID = MRImageStorage
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[f"image {seed} {i}"])
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[f"series {seed} {i // _SLICES}"])
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=[f"study {seed}"])
        dataset.Modality = "MR"
        dataset.set_pixel_data(np.clip(image, 0, 65535).astype(np.uint16), "MONOCHROME2", 16)
        dataset.save_as(folder / f"IM{i:06d}", enforce_file_format=True)

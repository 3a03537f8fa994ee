"""Images for a demonstration: what installed packages carry for their tests, and spoiled copies."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import product
from pathlib import Path

import numpy as np

from miqanet.artifacts import ARTIFACTS, Image
from miqanet.artifacts.body import body_mask
from miqanet.artifacts.harm import harm
from miqanet.database.png import encode_png
from miqanet.image import MRImage
from miqanet.reading import read_images

_CARRIED = (
    ("pydicom", "data/test_files/examples_overlay.dcm"),
    ("nibabel", "tests/data/example4d.nii.gz"),
    ("nibabel", "nicom/tests/data/0.dcm"),
    ("nibabel", "nicom/tests/data/philips_mprage.dcm.gz"),
)
"""Where dependencies keep MR images. A package may come without them; in some no picture is left."""

_DRAWS = 4
"""Draws of an artifact on each image before the most harmful one so far is taken."""

_LEAST_CURVED = 0.02
"""Least share of pixels at which a picture's intensities curve; much of one may be flat, blanked air."""


@dataclass(frozen=True, slots=True)
class Original:
    """A test file of a dependency, copied."""

    path: Path
    package: str
    image: MRImage
    """Of all its images the one that shows most of the body."""

    @property
    def name(self) -> str:
        """Name of the file without extensions."""
        return self.path.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A copy of an image that an artifact spoils."""

    path: Path
    original: Original
    kind: str


def gather(folder: Path) -> tuple[list[Original], list[str]]:
    """Copy the test images that are there into `folder`; return them, and why others are left out."""
    originals: list[Original] = []
    left_out: list[str] = []
    for package, name in _CARRIED:
        carried = resources.files(package).joinpath(name)
        if not carried.is_file():
            left_out.append(f"{carried.name}, which {package} comes without here")
            continue
        path = _copy(carried, folder)
        images = [
            image
            for image in read_images([path])
            if isinstance(image, MRImage) and _has_picture(image.pixels)
        ]
        if images:
            shown = max(images, key=lambda image: float(body_mask(image.pixels).mean()))
            originals.append(Original(path, package, shown))
        else:
            path.unlink()
            left_out.append(f"{carried.name}, whose picture {package} has blanked")
    return originals, left_out


def spoil(originals: list[Original], folder: Path, seed: int = 0) -> Iterator[Spoiled]:
    """Write one copy a kind of artifact into `folder` (16-bit PNG), the originals taking turns."""
    rng = np.random.default_rng(seed)
    for turn, kind in enumerate(ARTIFACTS):
        first = turn % len(originals)
        original, pixels = _spoiled(kind, originals[first:] + originals[:first], rng)
        path = folder / f"{original.name}-{kind}.png"
        path.write_bytes(encode_png(pixels))
        yield Spoiled(path, original, kind)


def _spoiled(kind: str, originals: list[Original], rng: np.random.Generator) -> tuple[Original, Image]:
    """Return the first image that an artifact makes low by its rule, or else the one it harms most.

    Not every image can show every artifact: without fat there is no chemical shift.
    """
    best: tuple[Original, Image] | None = None
    most = -1.0
    for original, _ in product(originals, range(_DRAWS)):
        reference = np.asarray(
            original.image.pixels - min(0.0, float(original.image.pixels.min())), np.float32
        )
        image = ARTIFACTS[kind].draw(rng, (reference.shape[0], reference.shape[1])).apply(reference)
        done = harm(kind, reference, image)
        if done > most:
            best, most = (original, image), done
        if done >= 1:
            break
    assert best is not None  # noqa: S101  # there is at least one original
    return best


def _copy(carried: Traversable, folder: Path) -> Path:
    """Copy a file into `folder`; a packed DICOM file is unpacked, which no reader of DICOM does by itself."""
    packed = carried.name.endswith(".dcm.gz")
    path = folder / (carried.name.removesuffix(".gz") if packed else carried.name)
    content = carried.read_bytes()
    path.write_bytes(gzip.decompress(content) if packed else content)
    return path


def _has_picture(pixels: Image) -> bool:
    """Whether intensities curve along the rows; in a ramp, put in a patient's place, they do not."""
    return bool(np.mean(np.diff(pixels, 2, axis=1) != 0) > _LEAST_CURVED)

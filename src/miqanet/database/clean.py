"""Clean images to simulate from, each with its subject and dataset; near-empty slices are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from miqanet.artifacts.body import body_mask
from miqanet.database.manifest import Entry, absent
from miqanet.image import MRImage
from miqanet.reading import ReadError, list_files, read_images

_LEAST_SIDE = 64
"""Pixels of the shorter side: less is a strip, such as an isotropic slab gives when cut across."""

_LEAST_BODY = 0.10
"""Share of the image that the body has to fill: less is an end slice of a volume."""

_LEAST_CONTRAST = 0.05
"""Standard deviation over the mean of an image that shows anything at all."""


@dataclass(frozen=True, eq=False, slots=True)
class CleanImage:
    """A clean slice and what is known of it."""

    pixels: NDArray[np.float32]
    origin: str
    """Path below the folder of clean images, with forward slashes."""

    frame: int
    dataset: str
    subject: str
    body_part: str
    """Free text."""

    contrast: str


def clean_files(folder: Path, manifest: Mapping[str, Entry]) -> tuple[list[str], list[ReadError]]:
    """Return the files below `folder` (resolved) but those ruled out, and what is not there or could not be listed.

    Raises:
        ValueError: the manifest names none of the files.
    """
    listed = list(list_files([folder]))
    files = [each for each in listed if not isinstance(each, ReadError)]
    errors = [each for each in listed if isinstance(each, ReadError)]
    clean = [file for file in files if file not in manifest or manifest[file].clean]
    return clean, errors + absent(manifest, folder, files)


def read_clean(
    folder: Path, files: Iterable[str], manifest: Mapping[str, Entry]
) -> Iterator[CleanImage | ReadError]:
    """Yield the clean slices of `files` in order, and a record for each file that cannot be read.

    Where no manifest names a file, its dataset is the first folder below `folder` (else `folder`), and its
    subject is the study for DICOM, the `sub-` part of a BIDS name, else the file's name without its endings.
    """
    for image in read_images(files):
        if isinstance(image, ReadError):
            yield image
        elif shows_body(image.pixels):
            yield _describe(image, folder, manifest)


def shows_body(pixels: NDArray[np.float32]) -> bool:
    """Return whether an image (rows, columns) is large enough and shows enough of a body to be spoiled."""
    mean = float(np.abs(pixels).mean())
    if min(pixels.shape) < _LEAST_SIDE or float(pixels.std()) <= _LEAST_CONTRAST * mean or mean == 0:
        return False
    return float(body_mask(pixels).mean()) >= _LEAST_BODY


def _describe(image: MRImage, folder: Path, manifest: Mapping[str, Entry]) -> CleanImage:
    below = Path(image.path).relative_to(folder)
    entry = manifest.get(image.path) or Entry(
        dataset=below.parts[0] if len(below.parts) > 1 else folder.name,
        subject=image.study_instance_uid or image.series_instance_uid or subject_of_name(below.name),
        body_part=image.body_part,
        contrast=image.series_description,
        clean=True,
    )
    return CleanImage(
        pixels=image.pixels,
        origin=below.as_posix(),
        frame=image.frame,
        dataset=entry.dataset,
        subject=entry.subject,
        body_part=entry.body_part,
        contrast=entry.contrast,
    )


def subject_of_name(name: str) -> str:
    """Return the `sub-` part of a BIDS name, else the file's name without its endings."""
    bids = re.match(r"sub-[A-Za-z0-9]+", name)
    return bids.group() if bids else name.split(".")[0] or name

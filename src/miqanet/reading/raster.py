"""Pictures: PNG, TIFF with any number of pages, JPEG and BMP, of 8 or 16 bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from miqanet.reading.checks import check_size, gray
from miqanet.reading.records import Origin, Row

_PHOTOMETRIC_INTERPRETATION = 262
"""TIFF tag; 0 means that white is zero."""


def read_raster(stream: BinaryIO, path: str, kind: str) -> Iterator[Row]:
    """Yield the pages of a picture; `kind` is Pillow's name of the format."""
    origin = Origin(path)
    with Image.open(stream, formats=(kind,)) as picture:
        frame = 0
        while True:
            check_size(picture.height, picture.width, frame + 1)
            yield origin.row(frame, _pixels(picture))
            # Only TIFF has pages; frames of a PNG or JPEG are animations and previews.
            frame += 1
            if kind != "TIFF":
                return
            try:
                picture.seek(frame)
            except EOFError:
                return


def _pixels(picture: Image.Image) -> NDArray[Any]:
    if picture.mode.startswith("I;16"):
        pixels: NDArray[Any] = np.asarray(picture)
        # Pillow inverts such pictures of 8 bits by itself, but not those of 16.
        white_is_zero = getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC_INTERPRETATION) == 0
        return 65535 - pixels if white_is_zero else pixels
    if picture.mode in ("1", "L", "F", "I"):
        return np.asarray(picture)
    if picture.mode == "LA":
        return np.asarray(picture.getchannel(0))
    return gray(np.asarray(picture.convert("RGB")))

"""Small pictures of what the network saw and where it saw harm: encoded once, kept on disk for the report."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 384
"""Side of a thumbnail in pixels: enough to recognize an artifact when it is enlarged to a screen's height."""

MAX_BYTES: Final = 40_000
"""Greatest size of a thumbnail, which bounds the report: 400 of them stay under 22 MB as base64."""

_QUALITIES = (88, 75, 60, 40, 20)
_HEAT_SHAPE = (16, 16)
_HEAT_BYTES = 4 * _HEAT_SHAPE[0] * _HEAT_SHAPE[1]
_HEAT_SIDE, _HEAT_LEVELS = 64, 48
_HEAT_OPACITY = 165
_AMBER, _RED = np.array((255, 196, 60)), np.array((225, 40, 25))


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A thumbnail and its heat map."""

    jpeg: bytes
    heat_map: NDArray[np.float32]
    """(16, 16) over the same square; above 0 speaks for low."""


def encode_thumbnail(prepared: NDArray[np.float32]) -> bytes:
    """Return the network's input, (size, size) in 0..1, as a gray JPEG of at most `MAX_BYTES`."""
    # The network sees square roots of intensities; a reader is used to the intensities.
    gray = Image.fromarray(np.rint(np.square(prepared) * 255).astype(np.uint8))
    small = gray.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    for quality in _QUALITIES:
        buffer = BytesIO()
        small.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES:
            break
    return buffer.getvalue()


def encode_heat_map(heat_map: NDArray[np.float32], full_scale: float) -> bytes:
    """Return a transparent PNG that glows where the heat map is above 0, most at `full_scale` and beyond.

    Amber to red with rising opacity, never opaque: the anatomy under it stays visible.
    """
    strength = np.clip(heat_map / np.float32(full_scale), 0.0, 1.0)
    smooth = Image.fromarray(strength).resize((_HEAT_SIDE, _HEAT_SIDE), Image.Resampling.BICUBIC)
    levels = np.rint(np.clip(np.asarray(smooth), 0.0, 1.0) * (_HEAT_LEVELS - 1)).astype(np.uint8)
    ramp = np.linspace(0.0, 1.0, _HEAT_LEVELS)[:, None]
    image = Image.fromarray(levels).convert("P")
    image.putpalette(np.rint(_AMBER + ramp * (_RED - _AMBER)).astype(np.uint8).tobytes())
    opacity = np.rint(_HEAT_OPACITY * ramp[:, 0]).astype(np.uint8)
    buffer = BytesIO()
    image.save(buffer, "PNG", transparency=opacity.tobytes(), optimize=True)
    return buffer.getvalue()


class PictureStore:
    """Pictures in a folder, one file each, so that they survive a killed run and take no memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def put(self, key: str, prepared: NDArray[np.float32], heat_map: NDArray[np.float32] | None) -> None:
        """Encode and keep a picture; a file is either whole or not there, but for a power cut."""
        heat = (
            np.zeros(_HEAT_SHAPE, np.float32)
            if heat_map is None
            else heat_map.astype("<f4").reshape(_HEAT_SHAPE)
        )
        partial = self._folder / f"{key}.part"
        partial.write_bytes(heat.tobytes() + encode_thumbnail(prepared))
        partial.replace(self._path(key))

    def get(self, key: str) -> Picture | None:
        """Return a picture, or None where it was never kept, or lost in a power cut."""
        with suppress(FileNotFoundError):
            content = self._path(key).read_bytes()
            if len(content) <= _HEAT_BYTES:
                return None
            heat_map = np.frombuffer(content[:_HEAT_BYTES], "<f4").reshape(_HEAT_SHAPE)
            return Picture(content[_HEAT_BYTES:], heat_map)
        return None

    def drop(self, key: str) -> None:
        """Forget a picture, kept or not."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.picture"

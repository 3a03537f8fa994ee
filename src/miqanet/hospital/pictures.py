"""Pictures of the worst images, for the control room: thumbnails with their heat maps in the spool folder.

They show a patient's anatomy, so they go when the pixels go.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from miqanet.screening.thumbnails import Picture, PictureStore

LEAST_FULL_SCALE: Final = 8.0
"""Activation (of a logit) that glows fully at least: what hardly speaks for low is to glow hardly."""


def full_scale(picture: Picture) -> float:
    """Return the activation that glows fully in a picture: its own greatest, if that is great.

    No scale fits all pictures of a node, for each comes and goes alone; the probability beside it says how bad.
    """
    return max(LEAST_FULL_SCALE, float(picture.heat_map.max()))


class Pictures:
    """One picture an image, that of its worst frame; kept for images that were the worst of their series.

    Args:
        spool: the node's folder.
    """

    def __init__(self, spool: Path) -> None:
        self._folder = spool / "pictures"
        self._store = PictureStore(self._folder)

    def put(self, image_id: int, prepared: NDArray[np.float32], heat_map: NDArray[np.float32] | None) -> None:
        """Keep a picture, before the verdict that makes its image the worst is committed.

        Args:
            image_id: of the node's database.
            prepared: the network's input, (size, size) in 0..1.
            heat_map: of the verdict.
        """
        self._store.put(str(image_id), prepared, heat_map)

    def get(self, image_id: int) -> Picture | None:
        """Return a picture, None where there is none or no longer."""
        return self._store.get(str(image_id))

    def expire(self, made_before: float) -> None:
        """Delete what is older than the retention allows."""
        for path in self._folder.iterdir():
            # Another process may delete, too.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < made_before:
                    path.unlink()

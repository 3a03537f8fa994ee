"""One two-dimensional image and what is known of it: the word that every part of miqanet speaks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class MRImage:
    """One 2-D image: a slice, a frame or a picture, in the intensities its file declares."""

    pixels: NDArray[np.float32]
    """(rows, columns), finite, as stored times rescale slope plus intercept; air is dark (MONOCHROME2)."""

    path: str
    """The argument that the user gave, joined with the path below it."""

    frame: int = 0
    """Slice or frame of the file, counted from 0."""

    spacing_mm: tuple[float, float] | None = None
    """Distance between rows and between columns in millimetres, where the file states it."""

    modality: str = "MR"
    body_part: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    series_description: str = ""
    patient: str = field(default="", repr=False)
    """Patient's name and ID. Read only when asked for, never logged, never in an error."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.size == 0:
            raise ValueError(f"an image has two axes and at least one pixel, not shape {self.pixels.shape}")

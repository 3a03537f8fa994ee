"""What reading gives: an image, or a record of why a file or a frame of it gave none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from numpy.typing import NDArray

from miqanet.image import MRImage
from miqanet.reading.checks import UnreadableError, checked


@dataclass(frozen=True, slots=True)
class ReadError:
    """A file, or one frame of it, that gives no image: a row of the results like any other."""

    path: str
    """The argument that the user gave, joined with the path below it."""

    frame: int
    """Slice or frame of the file, counted from 0; 0 where the whole file is meant."""

    reason: str
    """What is wrong; begins with `skipped:` where the file is sound but no MR image. Never patient data."""

    passing: bool = field(default=False, compare=False)
    """Whether the machine was short of something, memory or a disk that answers, and another try may do."""


Row = MRImage | ReadError


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants to be read, and how."""

    modalities: tuple[str, ...] = ("MR",)
    """DICOM modalities that count as images; `*` admits every one."""

    slice_axis: int | None = None
    """Axis of a NIfTI volume along which slices follow each other; None chooses by spacing."""

    with_patient: bool = False

    @classmethod
    def of(cls, modalities: str | Iterable[str], slice_axis: int | None, with_patient: bool) -> Self:
        """Return the request, or raise ValueError for one that cannot be met."""
        if slice_axis not in (None, 0, 1, 2):
            raise ValueError(f"slice_axis is 0, 1 or 2, not {slice_axis}")
        names = (modalities,) if isinstance(modalities, str) else modalities
        return cls(tuple(name.upper() for name in names), slice_axis, with_patient)

    def admits(self, modality: str) -> bool:
        """Return whether images of a DICOM modality are wanted."""
        return "*" in self.modalities or modality in self.modalities


@dataclass(frozen=True, slots=True)
class Origin:
    """What all frames of one file have in common; see `MRImage` for the fields."""

    path: str
    modality: str = "MR"
    body_part: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    series_description: str = ""
    patient: str = field(default="", repr=False)

    def row(self, frame: int, pixels: NDArray[Any], spacing_mm: tuple[float, float] | None = None) -> Row:
        """Return the image that `pixels` (rows, columns) make, or the error if nobody could judge them."""
        try:
            fit = checked(pixels)
        except UnreadableError as error:
            return ReadError(self.path, frame, error.reason)
        return MRImage(
            fit,
            self.path,
            frame,
            spacing_mm,
            self.modality,
            self.body_part,
            self.study_instance_uid,
            self.series_instance_uid,
            self.sop_instance_uid,
            self.series_description,
            self.patient,
        )

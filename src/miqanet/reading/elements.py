"""Values of DICOM elements that may be missing, malformed or hostile: a plain value, or a default."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue

_PHASE_TYPES = ("P", "PHASE", "PHASE MAP")
"""Third values of Image Type that vendors give to phase images."""

_GE_CREATOR, _GE_GROUP, _GE_IMAGE_TYPE, _GE_PHASE = "GEMS_PARM_01", 0x0043, 0x2F, 1
"""The private element (0043,102F) of GE's MR conformance statements: 0 magnitude, 1 phase, 2 real, 3 imaginary."""

_NO_WORD = -(2**31)
"""No value of 16 bits."""

_MAX_TEXT = 1024
"""Characters of a text that are kept: more than any that is of use here may have."""


def text(dataset: Dataset | None, keyword: str) -> str:
    """Return a value as one line of printable text, empty where there is none that can be read."""
    value = _value(dataset, keyword)
    if value is None:
        return ""
    return "".join(c if c.isprintable() else " " for c in str(value)[:_MAX_TEXT]).strip()


def part(dataset: Dataset | None, keyword: str, index: int) -> str:
    """Return one of several coded strings in upper case, empty where there are not so many."""
    value = _value(dataset, keyword)
    values = value if isinstance(value, MultiValue) else (value,)
    return str(values[index]).strip().upper() if index < len(values) else ""


def numbers(dataset: Dataset | None, keyword: str) -> tuple[float, ...]:
    """Return all values as finite floats, none at all where one of them is not."""
    value = _value(dataset, keyword)
    values: list[Any] = list(value) if isinstance(value, MultiValue) else [value]
    try:
        converted = tuple(float(item) for item in values)
    except (TypeError, ValueError, ArithmeticError):
        return ()
    return converted if all(map(math.isfinite, converted)) else ()


def integer(dataset: Dataset, keyword: str, default: int = 0) -> int:
    """Return a value as an integer."""
    return int(next(iter(numbers(dataset, keyword)), default))


def stored(dataset: Dataset, keyword: str, *, signed: bool) -> int | None:
    """Return a value of 16 bits that is signed as the pixels are ("US or SS"), None where there is none.

    What states the sign may be missing from the file (implicit VR) or wrong.
    """
    value = _value(dataset, keyword)
    if isinstance(value, bytes):
        # Bytes that were not converted are as in the file, little endian wherever VRs are implicit.
        word = value if len(value) == 2 else None
    else:
        number = integer(dataset, keyword, _NO_WORD)
        word = (number & 0xFFFF).to_bytes(2, "little") if -(2**15) <= number < 2**16 else None
    return None if word is None else int.from_bytes(word, "little", signed=signed)


def items(dataset: Dataset | None, keyword: str) -> list[Dataset]:
    """Return the items of a sequence."""
    value = _value(dataset, keyword)
    return [item for item in value if isinstance(item, Dataset)] if isinstance(value, Sequence) else []


def octets(dataset: Dataset, keyword: str) -> bytes:
    """Return a binary value, empty where there is none."""
    value = _value(dataset, keyword)
    return value if isinstance(value, bytes) else b""


def _value(dataset: Dataset | None, keyword: str) -> object:
    if dataset is None:
        return None
    try:
        value: object = dataset.get(keyword)
    except Exception:
        # pydicom converts on access; what it raises on malformed bytes has no common base.
        return None
    return value


def _private(dataset: Dataset, creator: str, group: int, element: int) -> object:
    try:
        value: object = dataset.private_block(group, creator)[element].value
    except Exception:
        # KeyError where there is none, and what pydicom raises on malformed bytes.
        return None
    return value


class FunctionalGroups:
    """Attributes of the frames of an enhanced image (PS3.3, section C.7.6.16).

    An attribute is stated for each frame, for all of them, or, in a classic image, by the dataset itself.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._shared = next(iter(items(dataset, "SharedFunctionalGroupsSequence")), None)
        self._per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")

    def holder(self, frame: int, macro: str) -> Dataset:
        """Return the dataset that holds the attributes of a functional group macro for a frame."""
        own = self._per_frame[frame] if frame < len(self._per_frame) else None
        for group in (own, self._shared):
            if macro_items := items(group, macro):
                return macro_items[0]
        return self._dataset

    def spacing_mm(self, frame: int) -> tuple[float, float] | None:
        """Return the distance between rows and between columns, None where it is not stated."""
        spacing = numbers(self.holder(frame, "PixelMeasuresSequence"), "PixelSpacing")
        return (spacing[0], spacing[1]) if len(spacing) == 2 and min(spacing) > 0 else None

    def rescale(self, frame: int) -> tuple[float, float]:
        """Return slope and intercept from stored values to intensities, (1, 0) where there are none."""
        holder = self.holder(frame, "PixelValueTransformationSequence")
        slope = next(iter(numbers(holder, "RescaleSlope")), 1.0)
        intercept = next(iter(numbers(holder, "RescaleIntercept")), 0.0)
        return slope or 1.0, intercept

    def is_phase(self, frame: int) -> bool:
        """Return whether a frame is the phase of the complex image (PS3.3, sections C.8.3.1 and C.8.13.3)."""
        holder = self.holder(frame, "MRImageFrameTypeSequence")
        image_type = part(holder, "FrameType", 2) or part(self._dataset, "ImageType", 2)
        component = text(holder, "ComplexImageComponent") or text(self._dataset, "ComplexImageComponent")
        return (
            image_type in _PHASE_TYPES
            or component.upper() == "PHASE"
            or _private(self._dataset, _GE_CREATOR, _GE_GROUP, _GE_IMAGE_TYPE) == _GE_PHASE
        )

    def body_part(self) -> str:
        """Return the body part of the first frame."""
        anatomy = self.holder(0, "FrameAnatomySequence")
        region = next(iter(items(anatomy, "AnatomicRegionSequence")), None)
        return text(self._dataset, "BodyPartExamined") or text(region, "CodeMeaning").upper()

"""What a database keeps of a DICOM object: numbers, pseudonyms, words out of short lists, and the scanner's make.

Manufacturer and model are kept as they are written; they say who made the scanner, and of nobody who lay in it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pydicom
from pydicom import Dataset

from miqanet.database.body_parts import OTHER, normalize_body_part
from miqanet.database.contrasts import normalize_contrast
from miqanet.database.deidentify import burned_in, deidentify
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.reading.detect import HEAD_BYTES, Format, detect
from miqanet.reading.elements import FunctionalGroups, numbers, text
from miqanet.reading.quiet import quiet
from miqanet.reading.streams import BoundedGzip

_GAUSS = 100.0
"""A field strength above this is stated in gauss, as some scanners do, not in tesla."""


class RefusedError(Exception):
    """An object that is not let into a database."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How one frame was acquired; None where it is not stated."""

    repetition_time_ms: float | None
    echo_time_ms: float | None
    inversion_time_ms: float | None
    flip_angle_degrees: float | None


class DicomFacts:
    """The facts of a de-identified object."""

    def __init__(self, dataset: Dataset, pseudonyms: Pseudonyms) -> None:
        # Words out of short lists tell nobody's name; the texts that they come from are removed below.
        texts = ("BodyPartExamined", "SeriesDescription", "ProtocolName", "StudyDescription")
        parts = (normalize_body_part(text(dataset, keyword)) for keyword in texts)
        contrasts = (normalize_contrast(text(dataset, keyword)) for keyword in texts[1:])
        self.body_part = next((part for part in parts if part != OTHER), OTHER)
        self.contrast = next(filter(None, contrasts), "")
        self._dataset = deidentify(dataset, pseudonyms)
        self._groups = FunctionalGroups(self._dataset)
        self.manufacturer = text(self._dataset, "Manufacturer")
        self.model = text(self._dataset, "ManufacturerModelName")
        self.study_instance_uid = text(self._dataset, "StudyInstanceUID")
        self.series_instance_uid = text(self._dataset, "SeriesInstanceUID")
        self.sop_instance_uid = text(self._dataset, "SOPInstanceUID")
        self.subject = text(self._dataset, "PatientID") if text(dataset, "PatientID") else ""
        """Pseudonym of the patient; empty where the object states no patient's ID."""

    @property
    def field_strength_t(self) -> float | None:
        """Field strength in tesla."""
        strength = _first(self._dataset, "MagneticFieldStrength")
        return strength / 10_000 if strength and strength > _GAUSS else strength

    def timing(self, frame: int) -> Timing:
        """Return how a frame was acquired (PS3.3, sections C.8.3.1, C.8.13.5.2, C.8.13.5.4 and C.8.13.5.5)."""
        timing = self._groups.holder(frame, "MRTimingAndRelatedParametersSequence")
        echo = self._groups.holder(frame, "MREchoSequence")
        modifier = self._groups.holder(frame, "MRModifierSequence")
        return Timing(
            repetition_time_ms=_first(timing, "RepetitionTime"),
            echo_time_ms=_first(echo, "EffectiveEchoTime", "EchoTime"),
            inversion_time_ms=_first(modifier, "InversionTimes", "InversionTime"),
            flip_angle_degrees=_first(timing, "FlipAngle"),
        )


def read_facts(path: Path, pseudonyms: Pseudonyms) -> DicomFacts | None:
    """Return the facts of a DICOM file; None for a file of another format, or one that cannot be opened.

    Raises:
        RefusedError: the file may show a patient's name, or its header cannot be parsed to rule that out.
    """
    with quiet:
        dataset = _read_header(path)
        if dataset is None:
            return None
        if reason := burned_in(dataset):
            raise RefusedError(reason)
        return DicomFacts(dataset, pseudonyms)


def _read_header(path: Path) -> Dataset | None:
    """Return the elements of a DICOM file up to its pixels."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = cast("BinaryIO", BoundedGzip(fileobj=file)) if packed else file
            if detect(stream.read(HEAD_BYTES)) is not Format.DICOM:
                return None
            stream.seek(0)
            return pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    except (OSError, EOFError, zlib.error):
        # Why it cannot be opened or unpacked is said where its pixels are read.
        return None
    except Exception:
        # What pydicom raises on damaged files has no common base, and quotes their values.
        raise RefusedError("the header cannot be parsed, and may hide annotation in the pixels") from None


def _first(dataset: Dataset, *keywords: str) -> float | None:
    """Return the first value of the first of these attributes that has one."""
    return next((values[0] for keyword in keywords if (values := numbers(dataset, keyword))), None)

"""What the node notes of an object when it comes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from pydicom import Dataset
from pydicom.uid import UID

from miqanet.hospital.patient_study import OPTIONAL, REQUIRED, extract
from miqanet.reading.elements import integer, text
from miqanet.reading.quiet import quiet

_IDENTIFYING: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")

KEYWORDS: Final = (
    *_IDENTIFYING,
    "InstanceNumber",
    "SeriesNumber",
    "SeriesDescription",
    "StationName",
    *REQUIRED,
    *OPTIONAL,
    "ProcedureCodeSequence",
)
"""All elements that are looked at."""


class UnidentifiedError(ValueError):
    """The object does not say which image it is, of which series and study; the message names no value of it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object that lies in the spool folder, safe on the disk."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    path: str
    """Below the spool folder, with forward slashes."""

    instance_number: int
    """0 where the image states none."""

    series_number: int
    series_description: str
    accession_number: str = field(repr=False)
    scanner: str
    """Station name, or who sent it."""

    patient_study: bytes = field(repr=False)

    @classmethod
    def of(cls, dataset: Dataset, path: str, sender: str) -> Self:
        """Return what is noted of an object.

        Args:
            dataset: its elements; those of the pixels may be missing.
            path: where it lies below the spool folder.
            sender: AE title or name of who sent it.

        Raises:
            UnidentifiedError: the object does not say which image it is, of which series and study.
        """
        with quiet:
            uids = {keyword: text(dataset, keyword) for keyword in _IDENTIFYING}
            for keyword, uid in uids.items():
                if not UID(uid).is_valid:
                    raise UnidentifiedError(f"the object has no valid {keyword}")
            return cls(
                study_instance_uid=uids["StudyInstanceUID"],
                series_instance_uid=uids["SeriesInstanceUID"],
                sop_class_uid=uids["SOPClassUID"],
                sop_instance_uid=uids["SOPInstanceUID"],
                path=path,
                instance_number=_number(dataset, "InstanceNumber"),
                series_number=_number(dataset, "SeriesNumber"),
                series_description=text(dataset, "SeriesDescription"),
                accession_number=text(dataset, "AccessionNumber"),
                scanner=text(dataset, "StationName") or sender,
                patient_study=extract(dataset),
            )


def _number(dataset: Dataset, keyword: str) -> int:
    """Return a number of at least 0 that a column holds; 0 where there is none."""
    number = integer(dataset, keyword)
    return number if 0 < number < 2**31 else 0

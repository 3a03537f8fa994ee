"""Taking an object in, however it came: on the disk and in the database before the sender hears that it is safe."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock
from types import MappingProxyType
from typing import BinaryIO, Final

from pydicom import uid as uids
from sqlalchemy.exc import SQLAlchemyError

from miqanet.hospital.arrival import KEYWORDS, Arrival, UnidentifiedError
from miqanet.hospital.spool import Spool
from miqanet.hospital.store import NodeStore
from miqanet.reading.dicom_header import Header, read_header
from miqanet.reading.elements import text
from miqanet.reading.quiet import quiet

STORED_CLASSES: Final = (
    uids.MRImageStorage,
    uids.EnhancedMRImageStorage,
    uids.LegacyConvertedEnhancedMRImageStorage,
    uids.SecondaryCaptureImageStorage,
)
"""SOP classes that the node takes."""

TRANSFER_SYNTAXES: Final = (
    uids.ExplicitVRLittleEndian,
    uids.ImplicitVRLittleEndian,
    uids.DeflatedExplicitVRLittleEndian,
    uids.RLELossless,
    uids.JPEGLosslessSV1,
    uids.JPEGLossless,
    uids.JPEGLSLossless,
    uids.JPEGLSNearLossless,
    uids.JPEG2000Lossless,
    uids.JPEG2000,
    uids.JPEGBaseline8Bit,
)
"""In which it takes them.

Not JPEG Extended (12 bits): the codec cannot decode it, so the sender is to choose another.
"""

log = logging.getLogger(__name__)


class Receipt(Enum):
    """What became of an object."""

    STORED = auto()
    """It is on the disk, waiting for its verdict."""

    KNOWN = auto()
    """The image was here before, and is as it was: the first one stays."""

    MALFORMED = auto()
    """It is no DICOM object, or does not say which."""

    UNSUPPORTED = auto()
    """It is of a class or transfer syntax that the node does not take."""

    MISMATCHED = auto()
    """It is not the object that was announced."""

    CONFLICTING = auto()
    """Its SOP Instance UID is that of an image of another series, which stays as it is."""

    OUT_OF_RESOURCES = auto()
    """The disk is full, or disk or database fail: the sender is to try again later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an object, and which it was."""

    receipt: Receipt
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    reason: str = ""
    """Why it was not taken, fit for anybody's eyes, in at most 64 ASCII characters; empty where it was."""

    @property
    def accepted(self) -> bool:
        """Whether the image is safe here."""
        return self.receipt in (Receipt.STORED, Receipt.KNOWN)


class Ingest:
    """The one way in, for any number of threads.

    Args:
        spool: where objects lie.
        store: where their rows are.
    """

    def __init__(self, spool: Spool, store: NodeStore) -> None:
        self._spool = spool
        self._store = store
        # SQLite has one writer, and whoever finds it at work looks again after a while: a queue is faster.
        self._one_writer = Lock()

    def __call__(
        self, content: BinaryIO, sender: str, announced: Mapping[str, str] = MappingProxyType({})
    ) -> Outcome:
        """Take an object in; it never raises because of the object, the disk or the database.

        Args:
            content: a DICOM file, to be read from where it stands; it can seek.
            sender: AE title or name of who sent it.
            announced: UIDs, by keyword, that the sender said of the object before it came.
        """
        now = time.time()
        start = content.tell()
        try:
            with quiet:
                header = read_header(content, keywords=KEYWORDS)
                arrival = Arrival.of(header.dataset, self._spool.new_path(now), sender)
        except UnidentifiedError as error:
            return Outcome(Receipt.MALFORMED, reason=str(error))
        except Exception:
            # What pydicom raises on malformed bytes has no common base, and quotes them.
            return Outcome(Receipt.MALFORMED, reason="it is no DICOM object that can be read")
        if refusal := _refusal(header, arrival, announced):
            return _outcome(arrival, *refusal)
        content.seek(start)
        return self._keep(content, arrival, now)

    def _keep(self, content: BinaryIO, arrival: Arrival, now: float) -> Outcome:
        try:
            self._spool.write(arrival.path, content)
        except OSError as error:
            log.error("an object cannot be written to the spool folder: %s", error.strerror)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            reason = "the disk is full" if full else "the disk fails"
            return _outcome(arrival, Receipt.OUT_OF_RESOURCES, reason)
        try:
            with self._one_writer:
                new = self._store.add_image(arrival, now)
            known = new or self._store.holds(arrival)
        except SQLAlchemyError as error:
            # The file stays for the sweep: that the database did not answer does not say that there is no row.
            log.error("an object cannot be noted in the database: %s", type(error).__name__)
            return _outcome(arrival, Receipt.OUT_OF_RESOURCES, "the database fails")
        if new:
            return _outcome(arrival, Receipt.STORED)
        # What cannot be deleted is left to the sweep: the image is safe.
        with suppress(OSError):
            self._spool.delete(arrival.path)
        if known:
            return _outcome(arrival, Receipt.KNOWN)
        return _outcome(arrival, Receipt.CONFLICTING, "another series has an image of its SOPInstanceUID")


def _refusal(header: Header, arrival: Arrival, announced: Mapping[str, str]) -> tuple[Receipt, str] | None:
    """Return why an object is not taken, None where it is."""
    if arrival.sop_class_uid not in STORED_CLASSES:
        return Receipt.UNSUPPORTED, "objects of its SOP class are not taken"
    if header.transfer_syntax not in TRANSFER_SYNTAXES:
        return Receipt.UNSUPPORTED, "its transfer syntax is not taken"
    for keyword, uid in announced.items():
        if text(header.dataset, keyword) != uid:
            return Receipt.MISMATCHED, f"its {keyword} is not the one that was announced"
    return None


def _outcome(arrival: Arrival, receipt: Receipt, reason: str = "") -> Outcome:
    return Outcome(
        receipt, arrival.sop_class_uid, arrival.sop_instance_uid, arrival.study_instance_uid, reason
    )

"""Handing documents to an archive by C-STORE (DICOM PS3.4, B)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pydicom import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE

from miqanet.hospital.config import CStoreArchive
from miqanet.hospital.delivery_errors import RefusedError, UnreachableError
from miqanet.hospital.silence import silence
from miqanet.hospital.tls import client_context

_CLASSES: Final = (
    ComprehensiveSRStorage,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
)
_SYNTAXES: Final = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
_DUPLICATE: Final = 0x0111
_STORED: Final = (0x0000, 0x0107, 0x0116, 0xB000, 0xB006, 0xB007, _DUPLICATE)
"""Success, warnings with which the object is stored, and that the archive has it already."""

_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 60.0


@contextmanager
def c_store_session(archive: CStoreArchive, ae_title: str) -> Iterator[Callable[[Dataset], None]]:
    """Open an association, and give a function that sends one document.

    Args:
        archive: where to.
        ae_title: of the node.

    Raises:
        ConfigError: a file of the archive's settings cannot be used.
        UnreachableError: there is no association, or it ends; also by the function.
        RefusedError: by the function alone, if the archive does not take the document.
    """
    silence()
    entity = AE(ae_title=ae_title)
    entity.connection_timeout = _CONNECT_SECONDS
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = _ANSWER_SECONDS
    for sop_class in _CLASSES:
        entity.add_requested_context(sop_class, _SYNTAXES)
    tls = archive.tls
    tls_args = (client_context(tls.authorities, tls), archive.host) if tls else None
    association = entity.associate(archive.host, archive.port, ae_title=archive.ae_title, tls_args=tls_args)
    if not association.is_established:
        why = "refuses the association" if association.is_rejected else "cannot be reached"
        raise UnreachableError(f"the archive {why}")

    taken = {context.abstract_syntax for context in association.accepted_contexts}

    def send(document: Dataset) -> None:
        if document.SOPClassUID not in taken:
            raise RefusedError("the archive takes no documents of this class")
        try:
            answer = association.send_c_store(document)
        except RuntimeError:
            raise UnreachableError("the archive has ended the association") from None
        status = answer.get("Status")
        if status is None:
            raise UnreachableError("the archive does not answer")
        if status not in _STORED:
            raise RefusedError(f"the archive answers with status {status:04X}")

    try:
        yield send
    finally:
        if association.is_established:
            association.release()

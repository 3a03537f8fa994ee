"""Receiving by DICOM: a Storage SCP that answers once the object is safe.

Who may call is listed by AE title and address; others are refused at the address, or the association is. TLS
is agreed on in the thread of the connection, so that a caller who keeps silent stops nobody else.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from io import BytesIO
from itertools import chain
from socketserver import BaseServer
from typing import Any, Final, Protocol

from pydicom import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import Verification
from pynetdicom.transport import ThreadedAssociationServer

from miqanet.hospital.config import Dicom
from miqanet.hospital.ingest import STORED_CLASSES, TRANSFER_SYNTAXES, Ingest, Outcome, Receipt
from miqanet.hospital.silence import silence
from miqanet.hospital.tls import server_context
from miqanet.hospital.waiting import let_wait

STATUS: Final = {
    Receipt.STORED: 0x0000,
    Receipt.KNOWN: 0x0000,
    Receipt.OUT_OF_RESOURCES: 0xA700,
    Receipt.MISMATCHED: 0xA900,
    Receipt.CONFLICTING: 0xA900,
    Receipt.UNSUPPORTED: 0xA900,
    Receipt.MALFORMED: 0xC000,
}
"""Answer to C-STORE (DICOM PS3.4, B.2.3)."""

_PDU_BYTES: Final = 2**20
_SILENCE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who keeps the audit trail of associations."""

    def receiving(self, sender: str, address: str, study_instance_uid: str) -> None:
        """Take note, before that is acknowledged, that an association has brought the first image of a study."""

    def received(self, sender: str, address: str, outcomes: Iterable[Outcome]) -> None:
        """Take note of what an association has brought."""

    def refused(self, ae_title: str, address: str) -> None:
        """Take note of a caller who is not listed."""


class Scp:
    """A running Storage SCP.

    Args:
        settings: where it listens, and to whom.
        ingest: takes the objects.
        observer: is told who came, of which study when its first image is there, and how many when all are.
    """

    def __init__(self, settings: Dicom, ingest: Ingest, observer: Observer) -> None:
        silence()
        self._settings = settings
        self._ingest = ingest
        self._observer = observer
        self._brought: dict[Any, dict[str, list[Outcome]]] = {}
        """What is here, by association and study."""
        entity = AE(ae_title=settings.ae_title)
        entity.maximum_associations = settings.associations
        entity.maximum_pdu_size = _PDU_BYTES
        entity.network_timeout = _SILENCE_SECONDS
        entity.require_called_aet = True
        tls = settings.tls
        self._server: Any = entity.make_server(
            (settings.bind, settings.port),
            contexts=[
                build_context(Verification),
                *(build_context(stored, list(TRANSFER_SYNTAXES)) for stored in STORED_CLASSES),
            ],
            evt_handlers=[
                (evt.EVT_CONN_OPEN, lambda event: let_wait(event.assoc)),
                (evt.EVT_REQUESTED, self._admit),
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_CONN_CLOSE, self._end),
            ],
            server_class=_Server,
            tls=server_context(tls) if tls else None,
            settings=settings,
        )

    def serve(self) -> None:
        """Answer callers for ever."""
        self._server.serve_forever()

    def close(self) -> None:
        """Listen no more; associations that are there go on to their end."""
        self._server.stop()

    def _admit(self, event: Any) -> None:
        """Refuse an association with somebody who is not listed."""
        association = event.assoc
        caller = association.requestor
        title = caller.primitive.calling_ae_title
        if not self._settings.admits(title, caller.address):
            log.warning("refused: no peer with this AE title has the address %s", caller.address)
            self._observer.refused(title, caller.address)
            association.acse.send_reject(0x01, 0x01, 0x03)
            association.kill()

    def _store(self, event: Any) -> Dataset:
        request, caller = event.request, event.assoc.requestor
        outcome = self._ingest(
            BytesIO(event.encoded_dataset()),
            caller.primitive.calling_ae_title.strip(),
            {
                "SOPClassUID": str(request.AffectedSOPClassUID),
                "SOPInstanceUID": str(request.AffectedSOPInstanceUID),
            },
        )
        answer = Dataset()
        answer.Status = STATUS[outcome.receipt]
        if outcome.accepted:
            studies = self._brought.setdefault(event.assoc, {})
            study = outcome.study_instance_uid
            if study not in studies:
                self._observer.receiving(caller.primitive.calling_ae_title, caller.address, study)
            studies.setdefault(study, []).append(outcome)
        else:
            log.warning("refused an object: %s", outcome.reason)
            answer.ErrorComment = outcome.reason
        return answer

    def _end(self, event: Any) -> None:
        studies = self._brought.pop(event.assoc, {})
        if studies:
            caller = event.assoc.requestor
            outcomes = chain.from_iterable(studies.values())
            self._observer.received(caller.primitive.calling_ae_title, caller.address, outcomes)


class _Server(ThreadedAssociationServer):  # type: ignore[misc]  # pynetdicom has no types
    """pynetdicom's server, which by itself agrees on TLS before it accepts the next caller."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args: Any, tls: ssl.SSLContext | None, settings: Dicom, **options: Any) -> None:
        self._tls = tls
        self._settings = settings
        super().__init__(*args, **options)

    def verify_request(self, _request: Any, client_address: Any) -> bool:
        """Return whether anybody at this address may call."""
        known = self._settings.knows(client_address[0])
        if not known:
            log.warning("refused: no peer has the address %s", client_address[0])
        return known

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Begin an association, in a thread of its own."""
        # Without a limit, a caller who stops in the middle of a message keeps its thread for ever.
        request.settimeout(_SILENCE_SECONDS)
        if self._tls is not None:
            try:
                request = self._tls.wrap_socket(request, server_side=True)
            except OSError as error:
                log.warning("no TLS with %s: %s", client_address[0], type(error).__name__)
                self.shutdown_request(request)
                return
        super().process_request_thread(request, client_address)

    def stop(self) -> None:
        """Accept no more callers. (pynetdicom's `shutdown` is for servers that its AE has started.)"""
        BaseServer.shutdown(self)
        self.server_close()

"""The audit trail: who saw, sent and changed what, kept in the node's database until its target has it.

What is written here holds Patient IDs, as the profile wants it (DICOM PS3.15, A.5.3); logs do not.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from miqanet.hospital.audit_message import (
    DESTINATION,
    SOURCE,
    Action,
    AuditEvent,
    Participant,
    PatientObject,
    QueryObject,
    Result,
    SecurityObject,
    StudyObject,
    process_id,
    to_xml,
)
from miqanet.hospital.node_schema import AuditMessage
from miqanet.hospital.patient_study import restore
from miqanet.reading.elements import text
from miqanet.reading.quiet import quiet

REPEATED_SECONDS: Final = 3600.0
"""A page that updates itself is looked at, not opened again each time: within so long it is one event."""

_REMEMBERED: Final = 10_000


class AuditTrail:
    """What this process reports.

    Args:
        engine: of a node database at the newest revision.
        source: AE title of the node.
        clock: seconds since 1970.
    """

    def __init__(self, engine: Engine, source: str, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._source, self._clock = engine, source, clock
        self._recent: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._lock = Lock()

    def application(self, *, started: bool) -> None:
        """The node has started, or is about to stop."""
        self._keep(
            AuditEvent(
                codes.DCM.ApplicationActivity,
                Action.EXECUTE,
                (self._itself(codes.DCM.Application),),
                type=codes.DCM.ApplicationStart if started else codes.DCM.ApplicationStop,
            )
        )

    def login(self, user: str, address: str, *, succeeded: bool, logout: bool = False) -> None:
        """Somebody has come, tried to come in vain, or gone."""
        self._keep(
            AuditEvent(
                codes.DCM.UserAuthentication,
                Action.EXECUTE,
                (Participant(user, is_requestor=True, address=address), self._itself()),
                result=Result.SUCCESS if succeeded else Result.MINOR_FAILURE,
                type=codes.DCM.Logout if logout else codes.DCM.Login,
            )
        )

    def queried(self, user: str, address: str, resource: str, query: str) -> None:
        """Somebody has asked for a list."""
        what = (user, resource, query)
        if self._is_new(what):
            self._keep(
                AuditEvent(
                    codes.DCM.Query,
                    Action.EXECUTE,
                    (
                        Participant(user, is_requestor=True, role=SOURCE, address=address),
                        self._itself(DESTINATION),
                    ),
                    (QueryObject(resource, query),),
                )
            )
            self._remember(what)

    def seen(self, user: str, address: str, studies: Iterable[tuple[StudyObject, bytes]]) -> None:
        """Somebody has looked at studies' verdicts or pictures, or at names of patients; a message each."""
        new = [(study, about) for study, about in studies if self._is_new((user, study.study_instance_uid))]
        self._keep(
            *(
                AuditEvent(
                    codes.DCM.DICOMInstancesAccessed,
                    Action.READ,
                    (Participant(user, is_requestor=True, address=address), self._itself()),
                    (study, _patient(patient_study)),
                )
                for study, patient_study in new
            )
        )
        self._remember(*((user, study.study_instance_uid) for study, _ in new))

    def receiving(self, sender: str, address: str, study: StudyObject, patient_study: bytes) -> None:
        """Images of a study begin to come in."""
        self._came(
            codes.DCM.BeginTransferringDICOMInstances, Action.EXECUTE, sender, address, study, patient_study
        )

    def received(self, sender: str, address: str, study: StudyObject, patient_study: bytes) -> None:
        """Images of a study have come in."""
        self._came(codes.DCM.DICOMInstancesTransferred, Action.CREATE, sender, address, study, patient_study)

    def sent(self, archive: str, address: str, study: StudyObject, patient_study: bytes) -> None:
        """An archive has taken documents about a study."""
        self._keep(
            AuditEvent(
                codes.DCM.DICOMInstancesTransferred,
                Action.CREATE,
                (
                    self._itself(SOURCE, is_requestor=True),
                    Participant(archive, role=DESTINATION, address=address),
                ),
                (study, _patient(patient_study)),
            )
        )

    def refused(self, user: str, address: str, resource: str) -> None:
        """Somebody has asked for what is not for them."""
        what = ("refused", user, address, resource)
        if self._is_new(what):
            self._keep(
                AuditEvent(
                    codes.DCM.SecurityAlert,
                    Action.EXECUTE,
                    (self._itself(), Participant(user, is_requestor=True, address=address)),
                    (QueryObject(resource, ""),),
                    Result.MINOR_FAILURE,
                    codes.DCM.UseOfRestrictedFunction,
                )
            )
            self._remember(what)

    def changed(self, user: str, address: str, changed: str, kind: Code) -> None:
        """Somebody has changed who may do what, or what the node does (`kind`, of CID 401)."""
        self._keep(
            AuditEvent(
                codes.DCM.SecurityAlert,
                Action.EXECUTE,
                (self._itself(), Participant(user, is_requestor=True, address=address)),
                (SecurityObject(changed),),
                type=kind,
            )
        )

    def _came(
        self, event: Code, action: Action, sender: str, address: str, study: StudyObject, patient_study: bytes
    ) -> None:
        self._keep(
            AuditEvent(
                event,
                action,
                (
                    Participant(sender, is_requestor=True, role=SOURCE, address=address),
                    self._itself(DESTINATION),
                ),
                (study, _patient(patient_study)),
            )
        )

    def _itself(self, role: Code | None = None, *, is_requestor: bool = False) -> Participant:
        return Participant(f"{self._source} {process_id()}", is_requestor, role)

    def _is_new(self, what: tuple[str, ...]) -> bool:
        """Return whether the same was not reported of late."""
        with self._lock:
            last = self._recent.get(what)
        return last is None or self._clock() - last >= REPEATED_SECONDS

    def _remember(self, *reported: tuple[str, ...]) -> None:
        """Note what is in the database by now: what could not be written there is tried again the next time."""
        now = self._clock()
        with self._lock:
            for what in reported:
                self._recent[what] = now
                self._recent.move_to_end(what)
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)

    def _keep(self, *events: AuditEvent) -> None:
        now = self._clock()
        rows = [{"created": now, "due": now, "content": to_xml(event, self._source, now)} for event in events]
        if rows:
            with Session(self._engine) as session, session.begin():
                session.execute(insert(AuditMessage), rows)


def _patient(patient_study: bytes) -> PatientObject:
    with quiet:
        return PatientObject(text(restore(patient_study), "PatientID"))

"""The audit trail of what goes between the node and other application entities."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

from pydicom import Dataset
from sqlalchemy.exc import SQLAlchemyError

from miqanet.hospital.audit import AuditTrail
from miqanet.hospital.audit_message import StudyObject
from miqanet.hospital.ingest import Outcome
from miqanet.hospital.patient_study import extract
from miqanet.hospital.rest_queries import NodeQueries

_ASSOCIATION = "DICOM association"

log = logging.getLogger(__name__)


class Transfers:
    """What came in by DICOM and what went out.

    Args:
        trail: where it is written.
        queries: tell whose a study is.
    """

    def __init__(self, trail: AuditTrail, queries: NodeQueries) -> None:
        self._trail = trail
        self._queries = queries

    def receiving(self, sender: str, address: str, study_instance_uid: str) -> None:
        """Note that an association brings images of a study: a kill before its end leaves this."""
        try:
            patient_study = self._queries.patient_study(study_instance_uid) or b""
            self._trail.receiving(sender, address, StudyObject(study_instance_uid), patient_study)
        except SQLAlchemyError as error:
            log.error("the audit trail lacks the begin of an association: %s", type(error).__name__)

    def received(self, sender: str, address: str, outcomes: Iterable[Outcome]) -> None:
        """Note what an association has brought."""
        counts: dict[str, Counter[str]] = {}
        for outcome in outcomes:
            if outcome.accepted:
                counts.setdefault(outcome.study_instance_uid, Counter())[outcome.sop_class_uid] += 1
        try:
            for uid, instances in counts.items():
                patient_study = self._queries.patient_study(uid) or b""
                self._trail.received(sender, address, StudyObject(uid, instances=instances), patient_study)
        except SQLAlchemyError as error:
            log.error("the audit trail lacks an association of %s: %s", sender, type(error).__name__)

    def refused(self, ae_title: str, address: str) -> None:
        """Note a caller who is not listed."""
        try:
            self._trail.refused(ae_title, address, _ASSOCIATION)
        except SQLAlchemyError as error:
            log.error("the audit trail lacks a refused association: %s", type(error).__name__)

    def sent(self, archive: str, address: str, document: Dataset) -> None:
        """Note a document that an archive has taken."""
        study = StudyObject(document.StudyInstanceUID, instances={document.SOPClassUID: 1})
        self._trail.sent(archive, address, study, extract(document))

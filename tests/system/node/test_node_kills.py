"""Kills at random moments, of everything, while images come in and the archive is away for a while."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from pydicom.uid import ComprehensiveSRStorage
from pynetdicom import AE
from pynetdicom.sop_class import MRImageStorage
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from miqanet.hospital.node_database import open_node_database
from miqanet.hospital.node_schema import Image, Send, Verdict, WorkState
from miqanet.hospital.silence import silence

pytestmark = pytest.mark.system

SERIES, IMAGES_A_SERIES, SENDERS, KILLS = 40, 25, 4, 30
ARCHIVE_STOPS, ARCHIVE_STARTS = 8, 18
"""Numbers of kills after which the archive goes away and comes back, once it was missed."""


class Scanners:
    """Send images, each until the node has acknowledged it, and no faster than kills happen."""

    def __init__(self, node, image):
        self.node, self.image = node, image
        self.acknowledged = Counter()
        self.kills = 0
        self._lock = threading.Lock()

    def send(self, number):
        entity = AE("SCANNER")
        entity.add_requested_context(MRImageStorage)
        entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 20
        association = None
        for series in range(number, SERIES, SENDERS):
            for instance in range(1, IMAGES_A_SERIES + 1):
                image = self.image(series, instance, 0.9 if instance == 7 else 0.1)
                while not self._is_acknowledged(association, image):
                    if association is not None and association.is_alive():
                        association.abort()
                    association = entity.associate("127.0.0.1", self.node.dicom_port, ae_title="MIQANET")
                    if not association.is_established:
                        time.sleep(0.2)
        association.release()

    def _is_acknowledged(self, association, image):
        if association is None or not association.is_established:
            return False
        try:
            status = association.send_c_store(image).get("Status")
        except RuntimeError:
            return False
        if status != 0:
            return False
        with self._lock:
            self.acknowledged[image.SOPInstanceUID] += 1
        while self.total > (self.kills + 1) / KILLS * SERIES * IMAGES_A_SERIES:
            time.sleep(0.05)
        return True

    @property
    def total(self):
        return len(self.acknowledged)


def kill_something(node, draw):
    """End the node or one of its parts, without a warning."""
    part = draw.choice(["node", "node", "receiver", "judge", "judge", "sender"])
    if part == "node":
        node.kill()
        node.start()
    elif (process := node.part(part)) is not None:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return False
    else:
        return False
    return True


# pynetdicom leaves the socket of a connection that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*unclosed <socket", "ignore:.*socket.socket")
@pytest.mark.usefixtures("garbage_collected")
@pytest.mark.timeout(3600)
def test_kills_lose_nothing_and_repeat_nothing(make_node, orthanc, image, wait_until):
    draw = random.Random(6)  # noqa: S311
    node = make_node(
        f"""
        [[archives]]
        name = "pacs"
        ae_title = "ARCHIVE"
        host = "127.0.0.1"
        port = {orthanc.dicom_port}
        """,
        results="idle_seconds = 1",
    )
    silence()
    node.start()
    scanners = Scanners(node, image)
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(scanners.send, number) for number in range(SENDERS)]
        while scanners.kills < KILLS:
            time.sleep(draw.uniform(0.0, 2.0))
            scanners.kills += kill_something(node, draw)
            if scanners.kills == ARCHIVE_STOPS:
                orthanc.stop()
            elif scanners.kills >= ARCHIVE_STARTS and orthanc.process is None and "next try" in node.log:
                orthanc.start()
        for each in sending:
            each.result()
    if orthanc.process is None:
        orthanc.start()
    assert scanners.total == SERIES * IMAGES_A_SERIES

    engine = open_node_database(f"sqlite:///{node.spool / 'node.sqlite'}")
    waiting = [
        select(func.count()).select_from(row).where(row.state == WorkState.WAITING) for row in (Image, Send)
    ]
    open_series = select(func.count()).select_from(Image).where(Image.revision.is_(None))

    def is_done():
        with Session(engine) as session:
            return not any(session.scalar(count) for count in (*waiting, open_series))

    wait_until(is_done, node.process)
    assert node.stop() == 0

    with Session(engine) as session:
        verdicts = Counter(session.scalars(select(Image.sop_instance_uid).join(Image.verdicts)))
        reasons = set(session.scalars(select(Verdict.reason)))
    engine.dispose()
    assert verdicts == Counter(scanners.acknowledged.keys())
    assert reasons == {""}
    current = orthanc.current_reports()
    assert len({report.StudyInstanceUID for report in current}) == len(current) == SERIES
    reported = Counter(
        instance.ReferencedSOPInstanceUID
        for report in current
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    )
    assert reported == Counter(scanners.acknowledged.keys())
    everything = [report.SOPInstanceUID for report in orthanc.documents(ComprehensiveSRStorage)]
    assert len(set(everything)) == len(everything)
    files = [file for file in (node.spool / "images").rglob("*") if file.is_file()]
    assert len(files) >= len(verdicts)

"""From the scanner over the node to the archive: what a hospital would see, with real programs on both sides."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.request
import uuid
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    ComprehensiveSRStorage,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
)
from sqlalchemy import func, select

from miqanet.hospital.node_schema import Image
from miqanet.hospital.tokens import Permission, Tokens

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

QUALITY_ISSUE = "113010"
DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "orthanc"


def dciodvfy(file):
    """Return what is wrong with an object."""
    done = subprocess.run(["dciodvfy", file], capture_output=True, text=True, errors="replace")
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]


def findscu(archive, study, modality):
    """Return how many series of a modality C-FIND finds in a study."""
    tls = archive.certificates
    secure = f"+tls {tls}/scanner.key {tls}/scanner.pem +cf {tls}/ca.pem" if tls else ""
    command = f"findscu -S -v {secure} -aet SCANNER -aec ARCHIVE 127.0.0.1 {archive.dicom_port}".split()
    for key in ("QueryRetrieveLevel=SERIES", f"StudyInstanceUID={study}", f"Modality={modality}"):
        command += ["-k", key]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return (done.stdout + done.stderr).count("Find Response: ")


def by_c_store(archive, certificates):
    tls = certificates and (
        f'tls = {{ certificate = "{certificates}/node.pem", key = "{certificates}/node.key", '
        f'authorities = "{certificates}/ca.pem" }}'
    )
    return f"""
        [[archives]]
        name = "pacs"
        ae_title = "ARCHIVE"
        host = "127.0.0.1"
        port = {archive.dicom_port}
        {tls or ""}
        """


def by_stow(port, certificates):
    scheme, authorities = (
        ("https", f'authorities = "{certificates}/ca.pem"') if certificates else ("http", "")
    )
    return f"""
        [[archives]]
        name = "web"
        url = "{scheme}://127.0.0.1:{port}/dicom-web"
        {authorities}
        """


def stow(node, files, certificates, token):
    """Send files as a system that speaks DICOMweb does, and return the answer."""
    boundary = uuid.uuid4().hex
    body = b"".join(
        f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file.read_bytes() + b"\r\n"
        for file in files
    )
    request = urllib.request.Request(  # noqa: S310
        f"http{'s' if certificates else ''}://127.0.0.1:{node.web_port}/dicom-web/studies",
        body + f"--{boundary}--\r\n".encode(),
        {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
            "Authorization": f"Bearer {token}",
        },
    )
    handlers = [urllib.request.ProxyHandler({})]
    if certificates:
        context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        handlers.append(urllib.request.HTTPSHandler(context=context))
    with urllib.request.build_opener(*handlers).open(request, timeout=300) as response:
        return json.load(response)


def evidence(document):
    """Return the SOP Instance UIDs of the images that a document is about."""
    return {
        instance.ReferencedSOPInstanceUID
        for study in document.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("way", ["c-store", "stow-rs"])
def test_results_lie_in_the_study_of_their_images(
    way,
    secure,
    request,
    certificates,
    make_node,
    write_series,
    storescu,
    wait_until,
    listens,
):
    archive = request.getfixturevalue("orthanc_tls" if secure else "orthanc")
    port = request.getfixturevalue("https_port") if secure else archive.web_port
    tls = certificates if secure else None
    files = f'certificate = "{certificates}/node.pem"\nkey = "{certificates}/node.key"'
    node = make_node(
        by_c_store(archive, tls) if way == "c-store" else by_stow(port, tls),
        dicom=f'[dicom.tls]\n{files}\nauthorities = "{certificates}/ca.pem"' if secure else "",
        web=f"[web.tls]\n{files}" if secure else "",
        results="idle_seconds = 3600\nheat_maps = true",
    )
    token = Tokens(node.folder / "tokens").add("modality", [Permission.SEND])
    node.start()
    folder = write_series(1, [0.1, 0.9, 0.47, 0.8])
    images = sorted(folder.iterdir())
    if way == "c-store":
        sent = storescu(node.dicom_port, folder, tls=tls)
        assert sent.returncode == 0, sent.stderr
    else:
        wait_until(lambda: listens(node.web_port), node.process)
        answer = stow(node, images, tls, token)
        assert len(answer["00081199"]["Value"]) == len(images)
        assert "00081198" not in answer
    node.end_waiting()
    wait_until(lambda: len(archive.instances()) == 3, node.process)

    (report,) = archive.documents(ComprehensiveSRStorage)
    (selection,) = archive.documents(KeyObjectSelectionDocumentStorage)
    (heat_map,) = archive.documents(SecondaryCaptureImageStorage)
    study = report.StudyInstanceUID
    for document in (report, selection, heat_map):
        assert (document.StudyInstanceUID, document.PatientID, document.AccessionNumber) == (
            study,
            "P1",
            "A1",
        )
    assert [dciodvfy(file) for file in archive.instances()] == [[], [], []]
    assert evidence(report) == {dcmread(file).SOPInstanceUID for file in images}
    assert evidence(selection) == {dcmread(images[number]).SOPInstanceUID for number in (1, 3)}
    assert [concept.CodeValue for concept in selection.ConceptNameCodeSequence] == [QUALITY_ISSUE]
    for modality in ("SR", "KO", "OT"):
        found = json.loads(archive.get(f"/dicom-web/studies/{study}/series?Modality={modality}"))
        assert len(found) == 1
        assert findscu(archive, study, modality) == 1
    assert not any(secret in node.log for secret in ("Doe", "P1", "Referring", "19700131"))


def test_late_images_make_a_new_report_that_names_its_predecessor(
    make_node, orthanc, write_series, storescu, wait_until
):
    node = make_node(by_c_store(orthanc, None), results="idle_seconds = 3600")
    node.start()
    assert storescu(node.dicom_port, write_series(1, [0.1, 0.9])).returncode == 0
    node.end_waiting()
    wait_until(lambda: len(orthanc.instances()) == 2, node.process)
    (first,) = orthanc.documents(ComprehensiveSRStorage)
    assert storescu(node.dicom_port, write_series(1, [0.1, 0.9, 0.8])).returncode == 0
    node.end_waiting()
    wait_until(lambda: len(orthanc.instances()) == 4, node.process)
    (current,) = orthanc.current_reports()
    assert current.SOPInstanceUID != first.SOPInstanceUID
    assert current.SeriesInstanceUID == first.SeriesInstanceUID
    assert (len(evidence(first)), len(evidence(current))) == (2, 3)
    late = sorted(orthanc.documents(KeyObjectSelectionDocumentStorage), key=lambda each: each.InstanceNumber)
    assert [len(evidence(selection)) for selection in late] == [1, 1]
    assert [error for file in orthanc.instances() for error in dciodvfy(file)] == []


def test_an_archive_that_was_away_gets_the_same_objects_once(
    make_node, orthanc, write_series, storescu, wait_until
):
    node = make_node(by_c_store(orthanc, None), results="idle_seconds = 1")
    node.start()
    orthanc.stop()
    assert storescu(node.dicom_port, write_series(1, [0.9])).returncode == 0
    wait_until(lambda: "pacs: the archive cannot be reached; next try in" in node.log, node.process)
    node.kill()
    node.start()
    orthanc.start()
    wait_until(lambda: len(orthanc.instances()) == 2, node.process)
    assert len(orthanc.documents(ComprehensiveSRStorage)) == 1


def test_orthanc_routes_as_the_deployed_files_say(make_node, orthanc, write_series, wait_until):
    node = make_node(
        by_c_store(orthanc, None),
        dicom='[[dicom.peers]]\nae_title = "ARCHIVE"\naddresses = ["127.0.0.1"]',
        results="idle_seconds = 3600\nheat_maps = true",
    )
    node.start()
    orthanc.stop()
    settings = json.loads((DEPLOY / "miqanet.json").read_text(encoding="utf-8"))
    settings["DicomModalities"]["miqanet"][2] = node.dicom_port
    orthanc.more = settings | {"LuaScripts": [str(DEPLOY / "route-mr.lua")]}
    orthanc.start()
    images = write_series(1, [0.1, 0.9])
    titles = ["-aet", "SCANNER", "-aec", "ARCHIVE"]
    subprocess.run(["storescu", *titles, "+sd", "127.0.0.1", str(orthanc.dicom_port), images], check=True)

    def both_have_come():
        with node.rows() as session:
            return session.scalar(select(func.count()).select_from(Image)) == 2

    wait_until(both_have_come, node.process)
    node.end_waiting()
    wait_until(lambda: len(orthanc.instances()) == 5, node.process)
    assert len(evidence(orthanc.documents(ComprehensiveSRStorage)[0])) == 2

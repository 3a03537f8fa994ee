from __future__ import annotations

import errno
import gzip
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from miqanet.hospital.spool import Spool

DICOM = {"Content-Type": "application/dicom"}
RELATED = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}


def mr(study="1.2.3", **changes):
    """Return a file's bytes, of an image that nobody has had before."""
    dataset = dcmread(get_testdata_file("MR_small.dcm"))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = study
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def parts(*contents, media_type=b"application/dicom"):
    body = b"".join(b"--b\r\nContent-Type: %s\r\n\r\n%s\r\n" % (media_type, each) for each in contents)
    return body + b"--b--"


@pytest.fixture
def send(site):
    def send(address, content, headers, who="send"):
        return site.client.post(address, content=content, headers=site.headers(who) | headers)

    return send


def test_an_image_is_new_once_and_then_known(send, site):
    image = mr()
    first, second = (send("/api/images", image, DICOM) for _ in range(2))
    assert (first.status_code, first.json()["new"]) == (201, True)
    assert (second.status_code, second.json()["new"]) == (200, False)
    found = site.get(f"/api/images/{first.json()['sop_instance_uid']}").json()
    assert found["image"]["verdicts"] == []
    assert found["series"]["waiting"] == 1


def test_stow_stores_what_it_can_and_says_what_it_cannot(send):
    answer = send("/dicom-web/studies", parts(mr(), b"nonsense", mr(study="1.2.4")), RELATED)
    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "application/dicom+json"
    said = answer.json()
    assert len(said["00081199"]["Value"]) == 2
    assert said["0008119A"]["Value"][0]["00081197"]["Value"] == [0xC000]


def test_stow_answers_in_the_form_that_the_client_wants(send):
    answer = send("/dicom-web/studies", parts(mr()), RELATED | {"Accept": "application/dicom+xml"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/dicom+xml")
    assert b"ReferencedSOPSequence" in answer.content


def test_images_of_another_study_are_refused(send):
    answer = send("/dicom-web/studies/1.2.3", parts(mr("1.2.3"), mr("1.2.4")), RELATED)
    assert answer.status_code == 202
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [0xA900]
    assert send("/dicom-web/studies/1.2.9", parts(mr("1.2.4")), RELATED).status_code == 409


def test_the_audit_trail_has_a_message_a_study(send, site):
    send("/dicom-web/studies", parts(mr("1.2.3"), mr("1.2.3"), mr("1.2.4")), RELATED)
    messages = [message for message in site.audited() if 'csd-code="110104"' in message]
    assert len(messages) == 2
    assert 'NumberOfInstances="2"' in messages[0]
    assert 'UserID="send"' in messages[0]


@pytest.mark.parametrize(
    ("address", "content", "headers", "status"),
    [
        ("/api/images", b"nonsense", DICOM, 400),
        ("/api/images", b"", DICOM, 400),
        ("/api/images", mr(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), DICOM, 415),
        ("/api/images", b"{}", {"Content-Type": "application/json"}, 415),
        ("/api/images", gzip.compress(mr()), DICOM | {"Content-Encoding": "gzip"}, 415),
        ("/dicom-web/studies", b"nonsense", RELATED, 400),
        ("/dicom-web/studies", parts(), RELATED, 400),
        ("/dicom-web/studies", parts(mr())[:-5], RELATED, 400),
        ("/dicom-web/studies", parts(b"x", media_type=b"image/jpeg"), RELATED, 409),
        ("/dicom-web/studies", mr(), DICOM, 415),
        ("/dicom-web/studies", parts(mr()), RELATED | {"Content-Encoding": "deflate"}, 415),
        ("/dicom-web/studies", parts(mr()), RELATED | {"Accept": "text/html"}, 406),
        ("/dicom-web/studies/..%2f..", parts(mr()), RELATED, 404),
        ("/dicom-web/studies/x", parts(mr()), RELATED, 422),
    ],
)
def test_what_is_not_taken_is_refused_for_the_right_reason(send, address, content, headers, status):
    assert send(address, content, headers).status_code == status


def test_what_came_before_a_broken_end_is_stored(send, site):
    assert send("/dicom-web/studies", parts(mr("1.2.77")) + b"", RELATED).status_code == 200
    assert send("/dicom-web/studies", parts(mr("1.2.78"), mr())[:-40], RELATED).status_code == 400
    assert site.get("/api/studies/1.2.78").status_code == 200


@pytest.mark.parametrize(
    ("address", "content", "headers"),
    [("/api/images", mr(), DICOM), ("/dicom-web/studies", parts(mr()), RELATED)],
)
def test_a_full_disk_is_said(send, monkeypatch, address, content, headers):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Spool, "write", full)
    answer = send(address, content, headers)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("declared", [True, False])
def test_an_oversized_upload_is_refused(site, monkeypatch, declared):
    limited = site.client.app._app._app._app._uploads
    monkeypatch.setattr(limited, "_most", 10_000)

    async def stream():
        for _ in range(4):
            yield b"x" * 4096

    content = b"x" * 16_384 if declared else stream()
    headers = site.headers("send") | DICOM
    assert site.client.post("/api/images", content=content, headers=headers).status_code == 413


def test_nothing_of_an_upload_stays_but_the_image(send, site):
    send("/dicom-web/studies", parts(mr(), b"nonsense"), RELATED)
    files = list(site.config.storage.spool.rglob("*.dcm"))
    assert len(files) == 1
    left = {path.name for path in site.config.storage.spool.iterdir()}
    assert left <= {"images", "pictures", "node.sqlite", "node.sqlite-wal", "node.sqlite-shm"}

"""STOW-RS to an archive that a small HTTP server plays."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from types import SimpleNamespace

import pytest
from pydicom import dcmread

from miqanet.hospital.config import StowArchive
from miqanet.hospital.delivery_errors import RefusedError, UnreachableError
from miqanet.hospital.report_sr import report
from miqanet.hospital.settings_table import ConfigError
from miqanet.hospital.stow_client import stow_session


@pytest.fixture
def document(series, result, identity, device):
    return report(series(result("low")), identity, device)


@pytest.fixture
def archive():
    """An archive that remembers requests, and answers with `status` and `answer`."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(SimpleNamespace(path=self.path, headers=self.headers, body=body))
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.answer)))
            self.end_headers()
            self.wfile.write(state.answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/dicom-web"
        state = SimpleNamespace(status=200, answer=b"", url=url, requests=requests)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def stored(document):
    item = {"00081155": {"vr": "UI", "Value": [document.SOPInstanceUID]}}
    return {"00081199": {"vr": "SQ", "Value": [item]}}


def failed(document, reason):
    item = {
        "00081155": {"vr": "UI", "Value": [document.SOPInstanceUID]},
        "00081197": {"vr": "US", "Value": [reason]},
    }
    return {"00081198": {"vr": "SQ", "Value": [item]}}


def send_to(archive, document, **settings):
    target = StowArchive("web", archive.url, **({"authorization": None, "authorities": None} | settings))
    with stow_session(target) as send:
        send(document)


def test_the_object_is_the_only_part_of_the_body(archive, document):
    archive.answer = json.dumps(stored(document)).encode()
    send_to(archive, document)
    (request,) = archive.requests
    assert request.path == "/dicom-web/studies"
    assert request.headers["Accept"] == "application/dicom+json"
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body)
    assert message.get_param("type") == "application/dicom"
    (part,) = message.get_payload()
    assert part.get_content_type() == "application/dicom"
    assert dcmread(BytesIO(part.get_payload(decode=True))).SOPInstanceUID == document.SOPInstanceUID


def test_many_documents_go_over_one_connection(archive, document):
    archive.answer = json.dumps([stored(document)]).encode()
    with stow_session(StowArchive("web", archive.url, None, None)) as send:
        for _ in range(3):
            send(document)
    assert len(archive.requests) == 3


def test_the_authorization_is_read_each_time(archive, document, tmp_path):
    archive.answer = json.dumps(stored(document)).encode()
    file = tmp_path / "authorization"
    for token in ("Bearer 1", "Bearer 2"):
        file.write_text(token + "\n", encoding="utf-8")
        send_to(archive, document, authorization=file)
    assert [request.headers["Authorization"] for request in archive.requests] == ["Bearer 1", "Bearer 2"]


def test_a_file_of_the_settings_that_cannot_be_used_is_named(archive, document, tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigError, match="nowhere holds no value of a header"):
        send_to(archive, document, authorization=tmp_path / "nowhere")
    archive.url = archive.url.replace("http:", "https:")
    with pytest.raises(ConfigError, match="empty holds no certificates"):
        send_to(archive, document, authorities=tmp_path / "empty")


def test_success_that_names_the_object_is_success(archive, document):
    archive.status, archive.answer = 202, json.dumps(stored(document)).encode()
    send_to(archive, document)


@pytest.mark.parametrize("answer", [{}, {"00081198": {"vr": "SQ"}, "00081199": {"vr": "SQ"}}])
def test_success_that_does_not_name_the_object_is_none(archive, document, answer):
    archive.answer = json.dumps(answer).encode()
    with pytest.raises(RefusedError, match="HTTP status 200, failure reason none"):
        send_to(archive, document)


@pytest.mark.parametrize("answer", [b"", b"<NativeDicomModel/>"])
def test_where_the_answer_is_no_json_the_status_has_to_do(archive, document, answer):
    archive.answer = answer
    send_to(archive, document)
    archive.status = 202
    with pytest.raises(RefusedError):
        send_to(archive, document)


def test_a_duplicate_is_there(archive, document):
    archive.status, archive.answer = 409, json.dumps(failed(document, 0x0111)).encode()
    send_to(archive, document)


def test_a_refusal_is_told_with_its_reason(archive, document):
    archive.status, archive.answer = 409, json.dumps(failed(document, 0xA900)).encode()
    with pytest.raises(RefusedError, match="HTTP status 409, failure reason A900"):
        send_to(archive, document)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_an_archive_that_takes_nothing_now_is_unreachable(archive, document, status):
    archive.status = status
    with pytest.raises(UnreachableError, match=f"HTTP status {status}"):
        send_to(archive, document)


def test_an_archive_that_is_away_is_unreachable():
    target = StowArchive("web", "http://127.0.0.1:1/dicom-web", None, None)
    # Without a document, which would be held to blame.
    with pytest.raises(UnreachableError, match="cannot be reached"), stow_session(target):
        pass


def test_an_archive_that_does_not_speak_tls_is_unreachable(archive, document):
    archive.url = archive.url.replace("http:", "https:")
    with pytest.raises(UnreachableError, match="no TLS"):
        send_to(archive, document)

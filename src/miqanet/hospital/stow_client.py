"""Handing documents to an archive by STOW-RS (DICOM PS3.18, 10.5)."""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from io import BytesIO
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from pydicom import Dataset

from miqanet.hospital.config import StowArchive
from miqanet.hospital.delivery_errors import RefusedError, UnreachableError
from miqanet.hospital.settings_table import ConfigError
from miqanet.hospital.tls import client_context

_SECONDS: Final = 60.0
_LONGEST_ANSWER: Final = 2**20
_OK: Final = 200
_DECIDED: Final = (200, 202, 400, 409, 413, 415)
"""Statuses that are about the document; others are about the archive, or about our right to send."""

_STORED_SEQUENCE, _INSTANCE = "00081199", "00081155"
_FAILED_SEQUENCE, _FAILURE_REASON = "00081198", "00081197"
_DUPLICATE: Final = 0x0111
"""Reason of a failure: the archive has this object."""


@contextmanager
def stow_session(archive: StowArchive) -> Iterator[Callable[[Dataset], None]]:
    """Connect, and give a function that sends one document.

    Raises:
        ConfigError: a file of the archive's settings cannot be used.
        UnreachableError: there is no connection, or the archive takes nothing now; also by the function.
        RefusedError: by the function alone, if the archive does not take the document.
    """
    url = urlsplit(archive.url)
    headers = _headers(archive)
    connection = _connection(url, archive)

    def send(document: Dataset) -> None:
        boundary = uuid.uuid4().hex
        related = f'multipart/related; type="application/dicom"; boundary={boundary}'
        body = _body(document, boundary)
        with _over_network():
            connection.request("POST", f"{url.path}/studies", body, {**headers, "Content-Type": related})
            response = connection.getresponse()
            status, answer = response.status, response.read(_LONGEST_ANSWER)
        _check(status, answer, document.SOPInstanceUID)

    with closing(connection):
        # Now, not with the first document: that is not to blame.
        with _over_network():
            connection.connect()
        yield send


@contextmanager
def _over_network() -> Iterator[None]:
    """Say of what fails here that the archive is unreachable."""
    try:
        yield
    except ssl.SSLError as error:
        raise UnreachableError(f"no TLS with the archive ({error.reason})") from None
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"the archive cannot be reached ({type(error).__name__})") from None


def _headers(archive: StowArchive) -> dict[str, str]:
    headers = {"Accept": "application/dicom+json"}
    if archive.authorization is not None:
        # Read each time: tokens are renewed.
        try:
            headers["Authorization"] = archive.authorization.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{archive.authorization} holds no value of a header ({type(error).__name__})"
            ) from None
    return headers


def _connection(url: SplitResult, archive: StowArchive) -> HTTPConnection:
    """Return a connection that is still to be made, straight to the host, whatever proxies there are."""
    host = url.hostname or ""
    if url.scheme == "http":
        return HTTPConnection(host, url.port, timeout=_SECONDS)
    return HTTPSConnection(host, url.port, timeout=_SECONDS, context=client_context(archive.authorities))


def _body(document: Dataset, boundary: str) -> bytes:
    file = BytesIO()
    document.save_as(file, enforce_file_format=True)
    # The file says its transfer syntax; Orthanc passes over a part whose type says it, too.
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n"
    return b"".join([head.encode(), file.getvalue(), f"\r\n--{boundary}--\r\n".encode()])


def _check(status: int, answer: bytes, sop_instance_uid: str) -> None:
    """Raise unless the archive has the document.

    HTTP's status alone does not say so: there are archives that answer 200 and name the object neither among
    those stored nor among those that failed. Only where the answer is no JSON, the status has to do.
    """
    if status not in _DECIDED:
        raise UnreachableError(f"the archive answers with HTTP status {status}")
    try:
        content: Any = json.loads(answer)
        dataset = content[0] if isinstance(content, list) else content
        stored = [_value(item, _INSTANCE) for item in _items(dataset, _STORED_SEQUENCE)]
        failed = [_value(item, _FAILURE_REASON) for item in _items(dataset, _FAILED_SEQUENCE)]
    except (ValueError, AttributeError, IndexError, TypeError):
        if status == _OK:
            return
        stored, failed = [], []
    if sop_instance_uid in stored or failed == [_DUPLICATE]:
        return
    reason = f"{failed[0]:04X}" if failed and isinstance(failed[0], int) else "none"
    raise RefusedError(f"the archive answers with HTTP status {status}, failure reason {reason}")


def _items(dataset: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    """Return the items of a sequence in the DICOM JSON model (PS3.18, F)."""
    return list(dataset.get(tag, {}).get("Value", []))


def _value(item: dict[str, Any], tag: str) -> Any:
    return next(iter(item.get(tag, {}).get("Value", [])), None)

"""C-STORE to an archive that pynetdicom plays, over real sockets."""

from __future__ import annotations

import socket

import pytest
from pydicom.uid import ComprehensiveSRStorage, ImplicitVRLittleEndian, KeyObjectSelectionDocumentStorage
from pynetdicom import AE, evt

from miqanet.hospital.c_store import c_store_session
from miqanet.hospital.config import CStoreArchive, Tls
from miqanet.hospital.delivery_errors import RefusedError, UnreachableError
from miqanet.hospital.report_sr import report
from miqanet.hospital.settings_table import ConfigError


@pytest.fixture
def document(series, result, identity, device):
    return report(series(result("low")), identity, device)


@pytest.fixture
def archive():
    """Return a maker of archives, which keep what they get and answer with a status."""
    servers = []

    def make(answer=0x0000, sop_class=ComprehensiveSRStorage, syntax=None, required=()):
        stored = []

        def store(event):
            stored.append((event.dataset.SOPInstanceUID, event.assoc.requestor.ae_title))
            if answer is None:
                event.assoc.abort()
                return 0x0000
            return answer

        entity = AE("ARCHIVE")
        entity.add_supported_context(sop_class, syntax)
        entity.require_calling_aet = list(required)
        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
        servers.append(server)
        return CStoreArchive("pacs", "ARCHIVE", "127.0.0.1", server.server_address[1], None), stored

    yield make
    for server in servers:
        server.shutdown()


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xB007, 0x0111])
def test_an_archive_has_what_it_stored_warned_of_or_knew(archive, document, status):
    target, stored = archive(status)
    with c_store_session(target, "MIQANET") as send:
        send(document)
        send(document)
    assert stored == [(document.SOPInstanceUID, "MIQANET")] * 2


def test_an_archive_of_the_other_syntax_gets_that(archive, document):
    target, stored = archive(syntax=ImplicitVRLittleEndian)
    with c_store_session(target, "MIQANET") as send:
        send(document)
    assert len(stored) == 1


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC000, 0x0122])
def test_what_is_refused_is_said_to_be(archive, document, status):
    target, _ = archive(status)
    with c_store_session(target, "MIQANET") as send, pytest.raises(RefusedError, match=f"{status:04X}"):
        send(document)


def test_an_archive_that_takes_other_classes_refuses(archive, document):
    target, stored = archive(sop_class=KeyObjectSelectionDocumentStorage)
    with c_store_session(target, "MIQANET") as send, pytest.raises(RefusedError, match="this class"):
        send(document)
    assert stored == []


def test_an_archive_that_does_not_know_us_takes_nothing(archive):
    target, _ = archive(required=["OTHER"])
    with pytest.raises(UnreachableError, match="refuses the association"), c_store_session(target, "MIQANET"):
        pass


def test_an_archive_that_breaks_off_is_unreachable(archive, document):
    target, _ = archive(None)
    with c_store_session(target, "MIQANET") as send, pytest.raises(UnreachableError):
        send(document)


def test_a_file_of_the_settings_that_cannot_be_used_is_named(tmp_path):
    file = tmp_path / "empty.pem"
    file.touch()
    target = CStoreArchive("pacs", "ARCHIVE", "127.0.0.1", 104, Tls(file, file, file))
    with pytest.raises(ConfigError, match=r"empty\.pem"), c_store_session(target, "MIQANET"):
        pass


# pynetdicom leaves the socket of a connection that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*unclosed <socket", "ignore:.*socket.socket")
@pytest.mark.usefixtures("garbage_collected")
def test_an_archive_that_is_away_is_unreachable():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = CStoreArchive("pacs", "ARCHIVE", "127.0.0.1", probe.getsockname()[1], None)
        with pytest.raises(UnreachableError, match="cannot be reached"), c_store_session(target, "MIQANET"):
            pass

"""Real nodes, a real archive (Orthanc), scanners (dcmtk), certificates, and a network for thousands of images."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import numpy as np
import openvino
import psutil
import pytest
from openvino import opset13 as operations
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian, MRImageStorage
from sqlalchemy import update
from sqlalchemy.orm import Session

from miqanet.hospital.node_database import open_node_database
from miqanet.hospital.node_schema import Series

COMMAND = str(Path(sys.executable).parent / "miqanet")
DICOM_WEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SIDE = 32
ROOT = "1.2.826.0.1.3680043.10.999"

PATIENCE = 300.0
"""Seconds in which a process starts, ends or answers: a slow machine is no failure."""


@pytest.fixture(scope="session", autouse=True)
def programs() -> Iterator[None]:
    """Skip where the archive or the scanners are not installed."""
    with pytest.MonkeyPatch.context() as patch:
        # pynetdicom puts a storescu and a findscu of its own into every environment; dcmtk's are wanted here.
        beside_python = Path(sys.executable).parent
        folders = [
            folder
            for folder in os.environ["PATH"].split(os.pathsep)
            if Path(folder) != beside_python and not Path(folder, "activate").exists()
        ]
        patch.setenv("PATH", os.pathsep.join(folders))
        for program in ("Orthanc", "storescu", "findscu", "dciodvfy", "openssl"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed")
        if not DICOM_WEB.exists():
            pytest.skip("Orthanc's plugin for DICOMweb is not installed")
        yield


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that calls an image the lower the more of it is bright."""
    folder = tmp_path_factory.mktemp("weights")
    image = operations.parameter([1, 1, SIDE, SIDE], np.float32, name="image")
    image.output(0).set_names({"image"})
    low = operations.reduce_mean(image, np.array([2, 3]), keep_dims=False)
    high = operations.subtract(np.float32(1), low)
    pooled = operations.avg_pool(image, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=False)
    answers = {
        "probabilities": operations.concat([high, low], 1),
        "artifacts": operations.concat([low, high], 1),
        "activation_map": operations.reshape(pooled, np.array([1, 16, 16]), special_zero=False),
    }
    for name, node in answers.items():
        node.output(0).set_names({name})
    openvino.save_model(openvino.Model(list(answers.values()), [image]), folder / "miqanet.xml")
    card = {
        "name": "bright",
        "version": "1",
        "size": SIDE,
        "artifact_kinds": ["motion", "noise"],
        "threshold": 0.5,
        "review_band": [0.45, 0.5],
        "artifact_thresholds": {"motion": 0.5, "noise": 0.9},
    }
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority (`ca.pem`), and certificates of this machine (`node`, `archive`, `scanner`)."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hospital",
            "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
    for name in ("node", "archive", "scanner"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.csr")  # fmt: skip
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return folder


@dataclass
class Orthanc:
    """An archive on this machine, with its files in a folder."""

    folder: Path
    dicom_port: int
    web_port: int
    certificates: Path | None = None
    """Where given, DICOM goes by TLS."""

    more: dict[str, Any] = field(default_factory=dict)
    """Settings besides."""

    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        settings: dict[str, Any] = {
            "Name": "archive",
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "HttpPort": self.web_port,
            "DicomPort": self.dicom_port,
            "DicomAet": "ARCHIVE",
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowFind": True,
            "DicomScuTimeout": round(PATIENCE),
            "DicomScpTimeout": round(PATIENCE),
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "Plugins": [str(DICOM_WEB)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        if self.certificates is not None:
            settings |= {
                "DicomTlsEnabled": True,
                "DicomTlsCertificate": str(self.certificates / "archive.pem"),
                "DicomTlsPrivateKey": str(self.certificates / "archive.key"),
                "DicomTlsTrustedCertificates": str(self.certificates / "ca.pem"),
            }
        file = self.folder / "orthanc.json"
        file.write_text(json.dumps(settings | self.more), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(["Orthanc", str(file)], stdout=log, stderr=log, cwd=self.folder)
        wait_until(lambda: listens(self.dicom_port) and self._answers(), self.process)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None

    def get(self, path: str) -> bytes:
        connection = HTTPConnection("127.0.0.1", self.web_port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Accept": "*/*"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        assert response.status == 200, (path, response.status)
        return content

    def instances(self) -> list[Path]:
        """Return all that is stored, each in a file."""
        folder = self.folder / "fetched"
        folder.mkdir(exist_ok=True)
        files = []
        for name in json.loads(self.get("/instances")):
            file = folder / f"{name}.dcm"
            if not file.exists():
                file.write_bytes(self.get(f"/instances/{name}/file"))
            files.append(file)
        return files

    def documents(self, sop_class: str) -> list[Dataset]:
        found = [dcmread(file) for file in self.instances()]
        return [document for document in found if sop_class == document.SOPClassUID]

    def current_reports(self) -> list[Dataset]:
        """Return the reports that no other one names as its predecessor."""
        reports = self.documents(ComprehensiveSRStorage)
        replaced = {
            instance.ReferencedSOPInstanceUID
            for report in reports
            for study in report.get("PredecessorDocumentsSequence", [])
            for series in study.ReferencedSeriesSequence
            for instance in series.ReferencedSOPSequence
        }
        return [report for report in reports if report.SOPInstanceUID not in replaced]

    def _answers(self) -> bool:
        try:
            self.get("/system")
        except OSError:
            return False
        return True


@pytest.fixture
def orthanc(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Orthanc]:
    archive = Orthanc(tmp_path / "orthanc", free_port(), free_port())
    archive.start()
    yield archive
    archive.stop()


@pytest.fixture
def orthanc_tls(tmp_path: Path, free_port: Callable[[], int], certificates: Path) -> Iterator[Orthanc]:
    archive = Orthanc(tmp_path / "orthanc_tls", free_port(), free_port(), certificates)
    archive.start()
    yield archive
    archive.stop()


class _TlsFront(ThreadingTCPServer):
    """A proxy that speaks TLS outside and none inside: Debian's Orthanc crashes when it is to speak HTTPS itself."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, inner_port: int, certificates: Path) -> None:
        self._inner_port = inner_port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "archive.pem", certificates / "archive.key")
        super().__init__(("127.0.0.1", port), BaseRequestHandler)

    def finish_request(self, request: Any, _client_address: Any) -> None:
        with (
            suppress(OSError),
            self._context.wrap_socket(request, server_side=True) as outside,
            socket.create_connection(("127.0.0.1", self._inner_port)) as inside,
        ):
            back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
            back.start()
            _pump(outside, inside)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(2**16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def https_port(orthanc_tls: Orthanc, free_port: Callable[[], int], certificates: Path) -> Iterator[int]:
    """Where the archive's DICOMweb is reached by TLS."""
    with _TlsFront(free_port(), orthanc_tls.web_port, certificates) as front:
        serving = threading.Thread(target=front.serve_forever)
        serving.start()
        yield int(front.server_address[1])
        front.shutdown()
        serving.join()


@dataclass
class Node:
    """A node, run by the command line."""

    folder: Path
    config: Path
    dicom_port: int
    web_port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def start(self, *, within: Sequence[str] = ()) -> None:
        """Start the node, perhaps by another command, and wait until it receives."""
        with (self.folder / "log").open("ab") as log:
            command = [*within, COMMAND, "node", "--config", self.config]
            self.process = subprocess.Popen(command, stderr=log, stdout=log)
        wait_until(lambda: listens(self.dicom_port), self.process)

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End the node's first process as a power cut would; the others end by themselves."""
        assert self.process is not None
        others = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(PATIENCE)
        psutil.wait_procs(others, timeout=PATIENCE)

    @contextmanager
    def rows(self, url: str | None = None) -> Iterator[Session]:
        """Open the node's database, which is in the spool folder unless its URL is given."""
        engine = open_node_database(url or f"sqlite:///{self.spool}/node.sqlite")
        try:
            with Session(engine) as session, session.begin():
                yield session
        finally:
            engine.dispose()

    def end_waiting(self, url: str | None = None) -> None:
        """Let the last image of every series be so long ago that no more of it is waited for."""
        with self.rows(url) as session:
            session.execute(update(Series).values(last_received=0.0))

    def part(self, name: str) -> psutil.Process | None:
        """Return the process of a part, None while there is none."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children():
            try:
                if name in child.cmdline():
                    return child
            except psutil.NoSuchProcess:
                continue
        return None


@pytest.fixture
def make_node(tmp_path: Path, free_port: Callable[[], int], weights: Path) -> Iterator[Callable[..., Node]]:
    """Return a maker of nodes, which are stopped when the test ends."""
    nodes: list[Node] = []

    def make(
        archives: str = "",
        *,
        dicom: str = "",
        results: str = "idle_seconds = 2",
        storage: str = "",
        web: str = "",
    ) -> Node:
        folder = tmp_path / f"node{len(nodes)}"
        folder.mkdir()
        node = Node(folder, folder / "miqanet.toml", free_port(), free_port())
        node.config.write_text(
            f"""
            [dicom]
            port = {node.dicom_port}
            [[dicom.peers]]
            ae_title = "SCANNER"
            addresses = ["127.0.0.1"]
            {dicom}
            [web]
            port = {node.web_port}
            {web}
            [storage]
            spool = "spool"
            {storage}
            [judging]
            weights = "{weights}"
            threads = 1
            [results]
            {results}
            {archives}
            """,
            encoding="utf-8",
        )
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        if node.process is not None and node.process.poll() is None:
            node.stop()


@pytest.fixture
def write_series(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of a series' images, each a file; the share of them that is bright makes them low."""

    def write(number: int, shares: list[float], *, first: int = 1, folder: Path | None = None) -> Path:
        folder = folder or tmp_path / f"series{number}_{first}"
        folder.mkdir(exist_ok=True)
        for instance, share in enumerate(shares, first):
            image(number, instance, share).save_as(
                folder / f"{number}_{instance:04d}.dcm", enforce_file_format=True
            )
        return folder

    return write


def image(series: int, instance: int, share: float) -> Dataset:
    """Return an MR image of which a share of the rows is bright."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, f"{ROOT}.{series}.{instance}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{ROOT}.{series}.0.1", f"{ROOT}.{series}.0.2"
    dataset.PatientName, dataset.PatientID = f"Doe^Jane{series}", f"P{series}"
    dataset.PatientBirthDate, dataset.PatientSex = "19700131", "F"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260102", "030405", "7"
    dataset.AccessionNumber, dataset.ReferringPhysicianName = f"A{series}", "Referring^Physician"
    dataset.Modality, dataset.StationName, dataset.SeriesDescription = "MR", "MR-2", "T1 sag"
    dataset.SeriesNumber, dataset.InstanceNumber = series, instance
    pixels = np.full((64, 64), 10, np.uint16)
    pixels[: round(64 * share)] = 1000
    pixels[-1, -1] = 0
    dataset.set_pixel_data(pixels, "MONOCHROME2", 12, generate_instance_uid=False)
    return dataset


@pytest.fixture
def storescu() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what sends as a scanner does; it is by TLS with a folder of certificates."""

    def send(port: int, *arguments: str | Path, tls: Path | None = None) -> subprocess.CompletedProcess[str]:
        secure = ["+tls", tls / "scanner.key", tls / "scanner.pem", "+cf", tls / "ca.pem"] if tls else []
        titles = ["-aet", "SCANNER", "-aec", "MIQANET"]
        patience = ["-ta", f"{PATIENCE:.0f}", "-ts", f"{PATIENCE:.0f}"]
        return subprocess.run(
            ["storescu", *secure, *titles, *patience, "+sd", "127.0.0.1", str(port), *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    return send


@pytest.fixture(name="wait_until")
def give_wait_until() -> Callable[..., None]:
    """Return what waits for something to hold."""
    return wait_until


@pytest.fixture(name="listens")
def give_listens() -> Callable[[int], bool]:
    """Return what tells whether somebody listens on a port."""
    return listens


@pytest.fixture(name="image")
def give_image() -> Callable[[int, int, float], Dataset]:
    """Return a maker of images: of a series, with a number, a share of the rows bright."""
    return image


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for something to hold; fail if it does not in time, or if a process ends meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "this takes too long"
        assert process is None or process.poll() is None, "the process has ended"
        time.sleep(0.2)

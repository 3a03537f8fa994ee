"""A node as the service of a machine: started, stopped, filled up, called by many at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from miqanet.hospital.node_schema import Image, Verdict

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

SMALL_DISK = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
OUT_OF_RESOURCES = "Refused: OutOfResources"
"""What storescu says of status 0xA7xx."""


def rows(node, *columns):
    """Return columns of all rows of the node's database."""
    with node.rows() as session:
        return [tuple(row) for row in session.execute(select(*columns))]


def test_a_node_stops_whole_when_it_is_told_to(make_node, wait_until):
    node = make_node()
    node.start()
    wait_until(lambda: len(psutil.Process(node.process.pid).children()) == 4, node.process)
    parts = psutil.Process(node.process.pid).children()
    assert node.stop() == 0
    assert not any(part.is_running() for part in parts)


def test_a_part_that_ends_is_started_again(make_node, write_series, storescu, wait_until, listens):
    node = make_node()
    node.start()
    receiver = node.part("receiver")
    receiver.kill()
    wait_until(lambda: node.part("receiver") not in (None, receiver), node.process)
    wait_until(lambda: listens(node.dicom_port), node.process)
    assert storescu(node.dicom_port, write_series(1, [0.1])).returncode == 0
    assert "receiver has ended (-9) and is started again" in node.log


def test_parts_end_with_the_node_however_that_ends(make_node):
    node = make_node()
    node.start()
    parts = psutil.Process(node.process.pid).children()
    node.process.kill()
    node.process.wait()
    _, alive = psutil.wait_procs(parts, timeout=300)
    assert alive == []


def test_one_spool_folder_has_one_node(make_node):
    node = make_node()
    node.start()
    second = subprocess.run(
        [node.process.args[0], "node", "--config", node.config], capture_output=True, text=True, timeout=300
    )
    assert second.returncode == 2
    assert f"another node is at work in {node.spool}" in second.stderr


def test_a_configuration_is_checked_without_starting(make_node):
    node = make_node()
    command = [str(Path(sys.executable).parent / "miqanet"), "node", "--check", "--config", node.config]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, node.spool.exists()) == (0, False)
    node.config.write_text(node.config.read_text().replace("idle_seconds", "idle_secs"), encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "results.idle_secs: there is no such key" in done.stderr


def test_fifty_scanners_at_once(make_node, write_series, storescu, wait_until):
    node = make_node()
    node.start()
    folders = [write_series(number, [0.1, 0.9]) for number in range(1, 51)]
    with ThreadPoolExecutor(50) as pool:
        sent = list(pool.map(lambda folder: storescu(node.dicom_port, folder), folders))
    assert [done.returncode for done in sent] == [0] * 50
    assert len(rows(node, Image.id)) == 100
    wait_until(lambda: len(rows(node, Verdict.id)) == 100, node.process)


@pytest.mark.parametrize(
    ("compress", "propose"),
    [
        ("dcmcrle", "-xr"),
        ("dcmcjpeg +e1", "-xs"),
        ("dcmcjpls", "-xt"),
        ("dcmconv +td", "-xd"),
        ("dcmconv +ti", "-xi"),
    ],
)
def test_compressed_images_are_judged(
    make_node, write_series, storescu, wait_until, tmp_path, compress, propose
):
    node = make_node()
    node.start()
    (plain,) = write_series(1, [0.9]).iterdir()
    packed = tmp_path / "packed.dcm"
    subprocess.run([*compress.split(), plain, packed], check=True, capture_output=True)
    sent = storescu(node.dicom_port, propose, packed)
    assert sent.returncode == 0, sent.stderr
    wait_until(lambda: rows(node, Verdict.id), node.process)
    assert rows(node, Verdict.quality, Verdict.reason) == [("low", "")]


def test_a_node_may_keep_its_rows_on_postgresql(
    make_node, write_series, storescu, wait_until, postgresql_url, orthanc
):
    node = make_node(
        f"""[[archives]]
        name = "pacs"
        ae_title = "ARCHIVE"
        host = "127.0.0.1"
        port = {orthanc.dicom_port}""",
        storage=f'database_url = "{postgresql_url}"',
        results="idle_seconds = 3600",
    )
    node.start()
    images = write_series(1, [0.1, 0.9])
    assert [storescu(node.dicom_port, images).returncode for _ in range(2)] == [0, 0]
    node.end_waiting(postgresql_url)
    wait_until(lambda: len(orthanc.instances()) == 2, node.process)
    assert not (node.spool / "node.sqlite").exists()
    assert node.stop() == 0


def test_a_full_disk_is_said_to_be_full_and_taken_up_again(make_node, write_series, storescu, tmp_path):
    node = make_node(storage=f'database_url = "sqlite:///{tmp_path}/node.sqlite"')
    node.spool.mkdir()
    mount = f"mount -t tmpfs -o size=2m tmpfs {node.spool}"
    if subprocess.run([*SMALL_DISK, mount], check=False).returncode:
        pytest.skip("no file system may be mounted here")
    node.start(within=[*SMALL_DISK, f'{mount} && exec "$@"', "-"])
    filler = Path(f"/proc/{node.process.pid}/root{node.spool}/filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    images = write_series(1, [0.1, 0.9])
    sent = storescu(node.dicom_port, "-v", images)
    assert OUT_OF_RESOURCES in sent.stdout + sent.stderr
    assert "the disk is full" in node.log
    filler.unlink()
    assert storescu(node.dicom_port, images).returncode == 0


def test_retention_deletes_pixels_and_keeps_verdicts(make_node, write_series, storescu, wait_until):
    node = make_node(storage="retention_days = 1")
    node.start()
    storescu(node.dicom_port, write_series(1, [0.1, 0.9]))
    wait_until(lambda: len(rows(node, Verdict.id)) == 2, node.process)
    assert node.stop() == 0
    with node.rows() as session:
        for image in session.scalars(select(Image)):
            image.received -= 2 * 86_400
    for picture in (node.spool / "pictures").iterdir():
        os.utime(picture, (time.time() - 2 * 86_400,) * 2)
    node.start()
    wait_until(lambda: set(rows(node, Image.path)) == {(None,)}, node.process)
    assert list(node.spool.rglob("*.dcm")) == []
    wait_until(lambda: not any((node.spool / "pictures").iterdir()), node.process)
    assert len(rows(node, Verdict.id)) == 2

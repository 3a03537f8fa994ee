"""Neither demonstration nor screening needs a network: they run where there is none but loopback."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from pydicom.data import get_testdata_file

from miqanet.artifacts.phantom import phantom
from miqanet.screening.results import read_results

pytestmark = pytest.mark.system

UNSHARE = ["unshare", "--net", "--map-root-user"]
"""A network namespace of its own has a loopback device and no other; mapping root lets any user make one."""

NO_ROUTE = """
import socket
try:
    socket.create_connection(("1.1.1.1", 53), timeout=5)
except OSError:
    print("no network")
"""


@pytest.fixture(scope="module")
def offline():
    if shutil.which("unshare") is None:
        pytest.skip("this system has no unshare")
    probe = subprocess.run(
        [*UNSHARE, sys.executable, "-c", NO_ROUTE], capture_output=True, text=True, check=False
    )
    if probe.returncode:
        pytest.skip(f"unshare is not permitted: {probe.stderr.strip()}")
    assert probe.stdout.strip() == "no network"
    return UNSHARE


@pytest.fixture
def miqanet(offline, tmp_path):
    """Run the command without a network, in an empty folder and with an empty home."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()

    def run(*arguments):
        done = subprocess.run(
            [*offline, Path(sys.executable).with_name("miqanet"), *arguments],
            cwd=work,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "120", "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not list(home.rglob("*"))
        return work, done.stdout

    return run


def test_demo_runs_without_a_network_and_without_a_trace_at_home(miqanet):
    work, printed = miqanet("demo")
    assert "not a measurement" in printed
    results = work / "miqanet-demo" / "results"
    rows = list(read_results(results / "results.csv"))
    assert len(rows) > 13
    assert not any(row.error for row in rows)
    assert (results / "report.html").stat().st_size > 100_000


def test_screening_runs_without_a_network_and_without_a_trace_at_home(miqanet, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    shutil.copy(get_testdata_file("MR_small.dcm"), scans / "plain")
    shutil.copy(get_testdata_file("MR_small_RLE.dcm"), scans / "compressed")
    Picture.fromarray((255 * phantom()).astype(np.uint8)).save(scans / "phantom.png")
    work, printed = miqanet("screen", str(scans), "--out", "results", "--sort-into", "sorted", "--json")
    summary = json.loads(printed)
    assert (summary["images"], summary["errors"]) == (3, 0)
    assert sum(summary["sorted"].values()) == 3
    assert all((work / path).stat().st_size for path in summary["outputs"])

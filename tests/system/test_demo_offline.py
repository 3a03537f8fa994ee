"""The demonstration needs no network: it runs where there is none but loopback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_demo_runs_without_a_network_and_without_a_trace_at_home(offline, tmp_path):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    done = subprocess.run(
        [*offline, Path(sys.executable).with_name("miqanet"), "demo"],
        cwd=work,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "120", "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "not a measurement" in done.stdout
    results = work / "miqanet-demo" / "results"
    rows = list(read_results(results / "results.csv"))
    assert len(rows) > 13
    assert not any(row.error for row in rows)
    assert (results / "report.html").stat().st_size > 100_000
    assert not list(home.rglob("*"))

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from miqanet.training.memory import keep_freed_memory

_FAULTS_OF_THE_SAME_BLOCK_AGAIN = """
import resource
from miqanet.training.memory import keep_freed_memory
if {keep}:
    keep_freed_memory()
for _ in range(2):
    b"1" * (64 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
b"1" * (64 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(keep: bool) -> int:
    script = _FAULTS_OF_THE_SAME_BLOCK_AGAIN.format(keep=keep)
    return int(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="its C library is not glibc")
def test_a_block_that_was_freed_is_not_cleared_again_page_by_page():
    assert page_faults(keep=False) > 1000
    assert page_faults(keep=True) < 100


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr("ctypes.CDLL", lambda _name: pytest.fail("it was asked"))
    keep_freed_memory()

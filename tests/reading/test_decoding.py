"""The guarded worker: crashes, hangs, memory, threads, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid

from miqanet.reading import decoding, decoding_worker
from miqanet.reading.checks import UnreadableError
from miqanet.reading.decoding import Decoder, DecoderDiedError

Phantom = Callable[..., NDArray[np.uint16]]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    with_limits = Decoder()
    yield with_limits
    with_limits.close()


@pytest.fixture(scope="module")
def encoded(
    tmp_path_factory: pytest.TempPathFactory, phantom: Phantom, write_dicom: Callable[..., Path]
) -> tuple[bytes, str, dict[str, Any]]:
    """Return a frame, its transfer syntax and the options to decode it."""
    path = write_dicom(tmp_path_factory.mktemp("encoded") / "a", phantom(), uid.JPEGLSLossless)
    (frame,) = pydicom.encaps.generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    options = {
        "rows": 48,
        "columns": 64,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "bits_allocated": 16,
        "bits_stored": 16,
        "pixel_representation": 0,
        "photometric_interpretation": "MONOCHROME2",
        "planar_configuration": 0,
        "pixel_keyword": "PixelData",
    }
    return frame, str(uid.JPEGLSLossless), options


Encoded = tuple[bytes, str, dict[str, Any]]


def test_frame_is_decoded_and_the_worker_kept(decoder: Decoder, encoded: Encoded, phantom: Phantom) -> None:
    np.testing.assert_array_equal(decoder.decode(*encoded), phantom())
    first = decoder.worker_pids()
    np.testing.assert_array_equal(decoder.decode(*encoded), phantom())
    assert decoder.worker_pids() == first


def test_worker_killed_while_idle_costs_nothing(decoder: Decoder, encoded: Encoded, phantom: Phantom) -> None:
    decoder.decode(*encoded)
    (pid,) = decoder.worker_pids()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    np.testing.assert_array_equal(decoder.decode(*encoded), phantom())
    assert decoder.worker_pids() != [pid]


@pytest.fixture
def spoiled_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes workers run a statement in place of every decoding."""

    def spoil(statement: str) -> None:
        source = Path(decoding_worker.__file__).read_text()
        source = source.replace(
            "    from pydicom.encaps import encapsulate\n",
            f"    import ctypes, time\n    {statement}\n    from pydicom.encaps import encapsulate\n",
        )
        assert statement in source
        worker = tmp_path / "worker.py"
        worker.write_text(source)
        monkeypatch.setattr(decoding_worker, "__file__", str(worker))

    return spoil


@pytest.mark.parametrize("death", ["os.abort()", "ctypes.string_at(0)"], ids=["abort", "segfault"])
def test_death_of_the_worker_is_an_error_and_the_next_frame_is_decoded(
    death: str,
    decoder: Decoder,
    encoded: Encoded,
    phantom: Phantom,
    spoiled_worker: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoiled_worker(death)
    with pytest.raises(DecoderDiedError, match="decoder crashed"):
        decoder.decode(*encoded)
    assert decoder.worker_pids() == []
    monkeypatch.undo()
    np.testing.assert_array_equal(decoder.decode(*encoded), phantom())


def test_hang_ends_at_the_time_limit(encoded: Encoded, spoiled_worker: Callable[[str], None]) -> None:
    impatient = Decoder(seconds=0.5)
    others = set(psutil.Process().children())
    spoiled_worker("time.sleep(3600)")
    with pytest.raises(DecoderDiedError, match=r"within 0\.5 s"):
        impatient.decode(*encoded)
    assert set(psutil.Process().children()) <= others
    impatient.close()


def test_greed_for_memory_is_an_error(
    decoder: Decoder, encoded: Encoded, spoiled_worker: Callable[[str], None]
) -> None:
    spoiled_worker("return bytearray(2**32)")
    with pytest.raises(UnreadableError):
        decoder.decode(*encoded)


def test_answer_larger_than_declared_is_refused(
    decoder: Decoder, encoded: Encoded, spoiled_worker: Callable[[str], None]
) -> None:
    spoiled_worker("import numpy; return numpy.zeros(10**6)")
    with pytest.raises(DecoderDiedError):
        decoder.decode(*encoded)


def test_printing_codec_does_not_disturb(
    decoder: Decoder, encoded: Encoded, phantom: Phantom, spoiled_worker: Callable[[str], None]
) -> None:
    spoiled_worker("os.write(1, b'noise' * 100)")
    np.testing.assert_array_equal(decoder.decode(*encoded), phantom())


def test_damaged_codestream_is_an_error_and_the_worker_lives(
    decoder: Decoder, encoded: Encoded, phantom: Phantom
) -> None:
    frame, syntax, options = encoded
    decoder.decode(*encoded)
    before = decoder.worker_pids()
    with pytest.raises(UnreadableError, match="cannot be decoded"):
        decoder.decode(b"\xff\xd8\xff\xff nothing of a codestream", syntax, options)
    assert decoder.worker_pids() == before
    np.testing.assert_array_equal(decoder.decode(frame, syntax, options), phantom())


def test_threads_decode_at_the_same_time(decoder: Decoder, encoded: Encoded, phantom: Phantom) -> None:
    decoded: list[bool] = []

    def work() -> None:
        decoded.extend(bool((decoder.decode(*encoded) == phantom()).all()) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decoded == [True] * 15
    assert 1 <= len(decoder.worker_pids()) <= 3


def test_close_leaves_no_process(encoded: Encoded) -> None:
    short_lived = Decoder()
    short_lived.decode(*encoded)
    (pid,) = short_lived.worker_pids()
    short_lived.close()
    assert not psutil.pid_exists(pid)


SCRIPT = """
    import sys
    from miqanet.reading import read_images
    from miqanet.reading.decoding import decoder
    for row in read_images(sys.argv[1:]):
        print(type(row).__name__, flush=True)
    print(*decoder.worker_pids(), flush=True)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a program that has no `if __name__ == "__main__"`."""
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


@pytest.fixture
def compressed(tmp_path: Path, phantom: Phantom, write_dicom: Callable[..., Path]) -> Path:
    return write_dicom(tmp_path / "image", phantom(), uid.JPEG2000Lossless)


def gone(pid: int) -> bool:
    for _ in range(2400):
        if not psutil.pid_exists(pid):
            return True
        time.sleep(0.05)
    return False


def test_plain_script_decodes_and_leaves_no_process(script: Path, compressed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", script, compressed], capture_output=True, text=True, check=True
    )
    kind, pid = done.stdout.split()
    assert (kind, done.stderr) == ("MRImage", "")
    assert gone(int(pid))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_worker_ends_with_its_parent(end: signal.Signals, script: Path, compressed: Path) -> None:
    script.write_text(script.read_text() + "\nimport time\ntime.sleep(600)\n")
    process = subprocess.Popen(
        [sys.executable, script, compressed],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "MRImage\n"
        pid = int(process.stdout.readline())
        # Ctrl-C goes to the whole group: the worker has to leave it to the parent.
        os.killpg(process.pid, signal.SIGINT) if end is signal.SIGINT else process.kill()
        process.wait(120)
    assert gone(pid)


def test_forked_child_has_its_own_worker(encoded: Encoded, tmp_path: Path) -> None:
    program = tmp_path / "fork.py"
    program.write_text(
        textwrap.dedent("""
            import json, os, sys
            from miqanet.reading.decoding import decoder
            frame, (syntax, options) = open(sys.argv[1], "rb").read(), json.loads(sys.argv[2])
            decoder.decode(frame, syntax, options)
            before = decoder.worker_pids()
            child = os.fork()
            decoder.decode(frame, syntax, options)
            if child == 0:
                assert not set(decoder.worker_pids()) & set(before)
                sys.exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            decoder.decode(frame, syntax, options)
            assert decoder.worker_pids() == before
        """)
    )
    frame, syntax, options = encoded
    (tmp_path / "frame").write_bytes(frame)
    subprocess.run(
        [sys.executable, program, tmp_path / "frame", json.dumps([syntax, options])],
        check=True,
    )


def test_module_decoder_has_limits() -> None:
    assert 0 < decoding.decoder.seconds <= 120
    assert 0 < decoding.decoder.memory_bytes <= 2**31

"""Thousands of damaged files: rows and nothing else, no crash, no hang, no leak.

The one slow test of reading. Damage is drawn from seeds, so that every case can be had again.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid

from miqanet.image import MRImage
from miqanet.reading import ReadError, read_file
from miqanet.reading.decoding import decoder

Phantom = Callable[..., NDArray[np.uint16]]

SYNTAXES = {
    "jpeg-2000": uid.JPEG2000Lossless,
    "jpeg-ls": uid.JPEGLSLossless,
    "jpeg-lossless": uid.JPEGLosslessSV1,
    "jpeg-baseline": uid.JPEGBaseline8Bit,
    "rle": uid.RLELossless,
    "uncompressed": uid.ExplicitVRLittleEndian,
    "implicit": uid.ImplicitVRLittleEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
}
PICTURES = ("PNG", "TIFF", "JPEG", "BMP")
KINDS = (*SYNTAXES, "nifti", "nifti-gz", *PICTURES, "npy")
CASES = 220
"""Damaged files of each kind: 3300 in all."""


@pytest.fixture(scope="module")
def samples(
    tmp_path_factory: pytest.TempPathFactory, phantom: Phantom, write_dicom: Callable[..., Path]
) -> dict[str, bytes]:
    """Return a sound file of every kind."""
    folder = tmp_path_factory.mktemp("samples")
    frames = np.stack([phantom(32, 32, seed) for seed in range(2)])
    made = {}
    for name, syntax in SYNTAXES.items():
        pixels = (frames >> 4).astype(np.uint8) if name == "jpeg-baseline" else frames
        made[name] = write_dicom(folder / name, pixels, syntax).read_bytes()
    made["nifti"] = nibabel.Nifti1Image(frames.T, np.eye(4)).to_bytes()
    made["nifti-gz"] = gzip.compress(made["nifti"])
    for kind in PICTURES:
        buffer = io.BytesIO()
        Image.fromarray((frames[0] >> 4).astype(np.uint8)).save(buffer, kind)
        made[kind] = buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, frames)
    made["npy"] = buffer.getvalue()
    return made


def damaged(data: bytes, seed: int) -> bytes:
    """Return the file cut off, with bits flipped, with bytes overwritten, or with a piece missing."""
    rng = np.random.default_rng(seed)
    spoiled = bytearray(data)
    # Headers are where sizes and offsets are: half of the damage goes to the first kilobyte.
    reach = min(len(data), 1024) if rng.random() < 0.5 else len(data)
    match rng.integers(5):
        case 0:
            del spoiled[rng.integers(len(data)) :]
        case 1:
            for at in rng.integers(reach, size=rng.integers(1, 20)):
                spoiled[at] ^= 1 << int(rng.integers(8))
        case 2:
            at = int(rng.integers(reach))
            spoiled[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\x7f\xff\x7f"])
        case 3:
            at = int(rng.integers(reach))
            del spoiled[at : at + int(rng.integers(1, 64))]
        case _:
            at = int(rng.integers(len(data)))
            spoiled[at : at + 64] = rng.bytes(64)
    return bytes(spoiled)


def check(rows: Iterator[MRImage | ReadError], path: Path) -> None:
    count = 0
    for row in rows:
        count += 1
        assert row.path == str(path)
        if isinstance(row, MRImage):
            assert row.pixels.dtype == np.float32
            assert np.isfinite(row.pixels).all()
        else:
            assert row.reason
            assert "Doe" not in row.reason
            assert "4711" not in row.reason
    assert 1 <= count <= 200


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_gives_rows_and_nothing_else(kind: str, samples: dict[str, bytes], tmp_path: Path) -> None:
    process = psutil.Process()
    decoder.close()
    children = set(process.children())
    path = tmp_path / "file"
    path.write_bytes(samples[kind])
    options: dict[str, Any] = {"modalities": "*"}
    assert any(isinstance(row, MRImage) for row in read_file(path, **options))
    files, memory = process.num_fds(), process.memory_info().rss
    for seed in range(CASES):
        path.write_bytes(damaged(samples[kind], seed))
        check(read_file(path, **options), path)
    assert process.memory_info().rss - memory < 100e6
    assert process.num_fds() <= files + 2
    left = set(process.children()) - children
    assert {child.pid for child in left} == set(decoder.worker_pids())
    assert len(left) <= 1

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import Result

from miqanet.artifacts.phantom import phantom
from miqanet.features import FEATURE_NAMES, bliinds2, brisque

Command = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one of them small, a stack of two slices, and a file that is no image."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for name, size in (("a.png", 72), ("small.png", 30)):
        pixels = np.round(phantom((size, size), seed=1) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(scans / name)
    np.save(scans / "stack.npy", np.stack([phantom((64, 66), seed=seed) for seed in (2, 3)]))
    (scans / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return scans


def test_a_row_an_image_and_a_column_a_feature(miqanet: Command, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables" / "features.parquet"
    result = miqanet("features", folder, "--method", "brisque,bliinds2,diivine", "--out", out, "--workers", 1)
    assert result.exit_code == 0, result.output
    assert "4 images; 2 rows with an error" in result.stdout
    table = pq.read_table(out)
    features = [*FEATURE_NAMES["brisque"], *FEATURE_NAMES["bliinds2"], *FEATURE_NAMES["diivine"]]
    assert table.column_names[-148:] == features
    rows = {(Path(row["path"]).name, row["frame"]): row for row in table.to_pylist()}
    assert list(rows) == [
        ("a.png", 0),
        ("broken.png", 0),
        ("small.png", 0),
        ("stack.npy", 0),
        ("stack.npy", 1),
    ]
    picture = np.asarray(Image.open(folder / "a.png"))
    row = rows["a.png", 0]
    np.testing.assert_allclose([row[name] for name in FEATURE_NAMES["brisque"]], brisque(picture), atol=1e-9)
    np.testing.assert_allclose(
        [row[name] for name in FEATURE_NAMES["bliinds2"]], bliinds2(picture), atol=1e-9
    )
    assert (row["rows"], row["columns"], row["error"]) == (72, 72, "")
    assert rows["broken.png", 0]["error"]
    assert rows["broken.png", 0]["brisque_1"] is None
    assert "at least 60 x 60" in rows["small.png", 0]["error"]
    assert rows["small.png", 0]["diivine_1"] is None
    assert rows["small.png", 0]["brisque_1"] is not None
    assert [file.name for file in out.parent.iterdir()] == ["features.parquet"]


def test_nothing_is_overwritten_unasked(miqanet: Command, folder: Path) -> None:
    out = folder / "features.parquet"
    out.write_text("mine")
    options = ("features", folder, "--method", "brisque", "--out", out, "--workers", 1)
    refused = miqanet(*options)
    assert refused.exit_code == 2
    assert "--overwrite" in refused.stderr
    assert out.read_text() == "mine"
    replaced = miqanet(*options, "--overwrite")
    assert replaced.exit_code == 0, replaced.output
    # What the command writes is no input of it.
    assert "features.parquet" not in "".join(pq.read_table(out)["path"].to_pylist())


def test_scores_by_the_release_where_its_files_are(miqanet: Command, folder: Path, tmp_path: Path) -> None:
    release = tmp_path / "brisque_release"
    release.mkdir()
    (release / "allrange").write_text("x\n-1 1\n1 0 4\n")
    (release / "allmodel").write_text(
        "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 1\nrho -1\nSV\n2 1:-1 \n"
    )
    out = tmp_path / "features.parquet"
    options = ("--brisque-release", release, "--out", out, "--workers", 1)
    result = miqanet("features", folder / "a.png", *options, "--method", "brisque")
    assert result.exit_code == 0, result.output
    (row,) = pq.read_table(out).to_pylist()
    assert row["brisque_score"] == pytest.approx(
        1 + 2 * np.exp(-0.05 * (row["brisque_1"] / 2) ** 2), abs=1e-4
    )
    out.unlink()
    assert miqanet("features", folder, *options, "--method", "bliinds2").exit_code == 2
    (release / "allmodel").unlink()
    missing = miqanet("features", folder, *options, "--method", "brisque")
    assert missing.exit_code == 2
    assert "allmodel" in missing.stderr
    assert not out.exists()


def test_an_unknown_method_is_wrong_use(miqanet: Command, folder: Path, tmp_path: Path) -> None:
    result = miqanet("features", folder, "--method", "brisque,niqe", "--out", tmp_path / "f.parquet")
    assert result.exit_code == 2
    assert "niqe" in result.stderr


def test_nothing_readable_ends_with_3(miqanet: Command, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    result = miqanet("features", folder / "broken.png", "--method", "brisque", "--out", out, "--workers", 1)
    assert result.exit_code == 3
    assert pq.read_table(out).num_rows == 1


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing(tmp_path: Path, end: signal.Signals) -> None:
    np.save(tmp_path / "stack.npy", np.random.default_rng(0).random((400, 128, 128), np.float32))
    out = tmp_path / "out" / "features.parquet"
    command = [
        sys.executable,
        "-c",
        "from miqanet.cli import main; main()",
        "features",
        tmp_path / "stack.npy",
    ]
    options = ["--method", "diivine", "--workers", "2", "--out", out]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE) as process:
        started = time.monotonic()
        children: list[psutil.Process] = []
        # The file is begun before the processes are.
        while not (children and out.parent.exists() and any(out.parent.iterdir())):
            assert process.poll() is None
            assert time.monotonic() - started < 120
            time.sleep(0.1)
            children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(end)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"Interrupted" in said
    assert not psutil.wait_procs(children, timeout=60)[1]
    assert not list(out.parent.iterdir())


def test_a_file_in_place_of_the_folder_is_named(miqanet: Command, folder: Path) -> None:
    result = miqanet(
        "features", folder, "--method", "brisque", "--out", folder / "a.png" / "x.parquet", "--workers", 1
    )
    assert result.exit_code == 2
    assert "a.png" in result.stderr

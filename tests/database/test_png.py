from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from miqanet.database.png import encode_png, read_png, write_whole


def test_pixels_come_back_within_half_a_gray_level(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).random((20, 30), np.float32) * 900
    write_whole(tmp_path / "image.png", encode_png(pixels))
    back = read_png(tmp_path / "image.png")
    assert back.shape == pixels.shape
    assert back.max() == 1
    np.testing.assert_allclose(back, pixels / pixels.max(), atol=0.51 / 65535)


def test_negative_values_stay_in_order(tmp_path: Path) -> None:
    write_whole(tmp_path / "image.png", encode_png(np.array([[-5, 0, 5]], np.float32)))
    np.testing.assert_allclose(read_png(tmp_path / "image.png"), [[0, 0.5, 1]], atol=1e-4)


def test_failed_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "image.png"
    write_whole(path, b"old")

    def interrupted(self: Path, _target: Path) -> None:
        raise KeyboardInterrupt(self)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"

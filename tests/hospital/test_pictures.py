from __future__ import annotations

import os

import numpy as np
import pytest

from miqanet.hospital.pictures import Pictures


@pytest.fixture
def pictures(tmp_path):
    return Pictures(tmp_path)


def test_a_picture_comes_back(pictures):
    heat_map = np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16)
    pictures.put(7, np.zeros((64, 64), np.float32), heat_map)
    assert np.array_equal(pictures.get(7).heat_map, heat_map)
    assert pictures.get(8) is None


def test_old_pictures_go_and_new_ones_stay(pictures, tmp_path):
    for number in (1, 2):
        pictures.put(number, np.zeros((64, 64), np.float32), None)
    os.utime(tmp_path / "pictures" / "1.picture", (100, 100))
    pictures.expire(made_before=200)
    assert pictures.get(1) is None
    assert pictures.get(2) is not None

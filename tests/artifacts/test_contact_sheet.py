import numpy as np

from miqanet.artifacts import Noise
from miqanet.artifacts.contact_sheet import contact_sheet
from miqanet.artifacts.phantom import phantom


def test_sheet_has_a_row_a_seed_and_a_column_a_severity():
    image = phantom((64, 64))
    sheet = contact_sheet("noise", image, severities=(0.0, 0.5, 1.0), seeds=(0, 1), cell=64)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (16 + 2 * 66 - 2, 3 * 66 - 2)
    clean, spoiled = sheet[16:80, :64], sheet[16:80, 132:196]
    assert np.array_equal(clean, sheet[82:146, :64])
    assert not np.array_equal(spoiled, sheet[82:146, 132:196])
    assert np.abs(spoiled.astype(int) - clean).mean() > 10


def test_artifact_is_named_or_given():
    image = phantom((32, 32))
    assert np.array_equal(contact_sheet("noise", image, cell=32), contact_sheet(Noise, image, cell=32))

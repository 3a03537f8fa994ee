from __future__ import annotations

import pytest

from miqanet.database.contrasts import normalize_contrast


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t2_tse_tra", "T2w"),
        ("t2_tirm_tra_dark-fluid FLAIR", "FLAIR"),
        ("Sag T1 MPRAGE Mrs Doe", "T1w"),
        ("pd_tse_fs_sag", "PDw"),
        ("T2*-GRE", "T2*w"),
        ("ep2d_diff_ADC", "ADC"),
        ("ep2d_diff_b1000_TRACEW", "DWI"),
        ("SWI_Images", "SWI"),
        ("TOF 3D multi-slab", "MRA"),
        ("localizer", "scout"),
        ("Mrs Doe", ""),
        ("", ""),
    ],
)
def test_free_text_becomes_one_of_few_words(text: str, expected: str) -> None:
    assert normalize_contrast(text) == expected

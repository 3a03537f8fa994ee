from __future__ import annotations

import pytest

from miqanet.database.body_parts import BODY_PARTS, normalize_body_part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("brain/head (glioblastoma)", "brain"),
        ("HEAD", "brain"),
        ("lumbar spine sagittal", "spine"),
        ("cervical spine/neck", "spine"),
        ("LSPINE", "spine"),
        ("knee axial", "knee"),
        ("heart", "heart"),
        ("kidney/abdomen coronal", "abdomen"),
        ("PROSTATE", "pelvis"),
        ("", "other"),
        ("water bottle", "other"),
        ("head phantom", "phantom"),
    ],
)
def test_free_text_becomes_one_of_few_words(text: str, expected: str) -> None:
    assert normalize_body_part(text) == expected
    assert expected in BODY_PARTS

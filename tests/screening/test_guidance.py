"""Tests of the plain-language guide to artifacts."""

from miqanet.artifacts import KINDS
from miqanet.screening.guidance import GUIDES, guide


def test_every_artifact_is_explained():
    assert set(GUIDES) == set(KINDS)
    assert all(entry.name and entry.appearance and entry.remedy for entry in GUIDES.values())


def test_kind_of_a_site_s_own_model_is_named_but_not_explained():
    entry = guide("parallel_imaging_residue")
    assert entry.name == "Parallel imaging residue"
    assert not entry.appearance
    assert not entry.remedy

from __future__ import annotations

from pathlib import Path

import pytest
from highdicom.sr import CodedConcept
from pydicom.sr import _concepts_dict
from pydicom.sr.codedict import codes as dictionary
from pydicom.sr.coding import Code

from miqanet.artifacts import KINDS
from miqanet.hospital import codes
from miqanet.hospital.records import Grade

NAMED = [value for value in vars(codes).values() if isinstance(value, Code)]
ALL = [*NAMED, *codes.GRADES.values(), *codes.ARTIFACTS.values()]
STANDARD = [code for code in ALL if code.scheme_designator != codes.SCHEME]


def meanings(code: Code) -> set[str]:
    concepts = _concepts_dict.concepts[code.scheme_designator].values()
    return {terms[code.value][0] for terms in concepts if code.value in terms}


def test_the_codes_are_found():
    assert len(NAMED) == 10
    assert {code.scheme_designator for code in STANDARD} == {"DCM", "LN", "RADLEX", "SCT", "UCUM"}


@pytest.mark.parametrize("code", STANDARD, ids=str)
def test_a_standard_code_means_what_the_dictionary_says(code):
    assert code.meaning in meanings(code)


def test_every_kind_of_artifact_has_a_code_of_its_own():
    assert set(KINDS) < set(codes.ARTIFACTS)
    assert len({code.value for code in codes.ARTIFACTS.values()}) == len(codes.ARTIFACTS)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("motion", "RID11423"),
        ("ghosting", "RID11426"),
        ("chemical_shift", "RID11374"),
        ("metal", "RID11370"),
        ("susceptibility", "RID11372"),
        ("wrap_around", "RID11395"),
        ("bias_field", "RID11408"),
        ("blur", "RID11424"),
        ("noise", "130578"),
        ("epi_distortion", "130586"),
    ],
)
def test_a_kind_is_of_its_term(kind, value):
    assert codes.artifact_code(kind).value == value


def test_artifacts_are_terms_of_their_context_groups():
    groups = [dictionary.cid6315, dictionary.cid6316]
    terms = {(code.value, code.scheme_designator) for group in groups for code in group.concepts.values()}
    for code in codes.ARTIFACTS.values():
        assert code.scheme_designator == codes.SCHEME or (code.value, code.scheme_designator) in terms


def test_grades_are_the_terms_of_image_quality_assessment():
    assert set(codes.GRADES) == set(Grade)
    assert set(codes.GRADES.values()) == set(dictionary.cid7036.concepts.values())


def test_the_title_of_key_objects_is_not_the_one_that_hides_images():
    assert dictionary.cid7010.QualityIssue == codes.QUALITY_ISSUE
    assert dictionary.cid7010.RejectedForQualityReasons not in ALL


def test_highdicom_takes_every_code():
    for code in ALL:
        concept = CodedConcept.from_code(code)
        assert (concept.value, concept.meaning) == (code.value, code.meaning)


def test_a_kind_that_a_site_has_added_is_of_the_private_scheme():
    code = codes.artifact_code("parallel_imaging_noise")
    assert code == Code("parallel_imaging_noise", "99MIQANET", "parallel imaging noise")
    assert CodedConcept.from_code(code).LongCodeValue == "parallel_imaging_noise"


def test_the_documentation_has_every_term():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "dicom-objects.md").read_text(encoding="utf-8")
    for kind, code in codes.ARTIFACTS.items():
        assert f"| `{kind}` | {code.value} | {code.scheme_designator} | {code.meaning} |" in page
    for code in (
        *codes.GRADES.values(),
        *(getattr(codes, name) for name in ("IMAGE_QUALITY", "SERIES_QUALITY", "CERTAINTY", "FINDING")),
        *(codes.COMMENT, codes.METHOD, codes.MRI, codes.QUALITY_ISSUE),
    ):
        assert f"({code.value}, {code.scheme_designator}, {code.meaning})" in page

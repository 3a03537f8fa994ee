"""The coded terms of the result objects: DICOM's, RadLex's, SNOMED CT's and, where those lack one, miqanet's.

Qualities are those of CID 7036 "Image Quality Assessment". Artifacts are those of CID 6316 "MR Imaging
Artifact" and of CID 6315 "Prostate MRI Series Quality Finding", which adds poor SNR and distortion. What
neither names (zipper, spike, Gibbs ringing, low resolution) is of the private scheme 99MIQANET, whose code
is the kind's name in miqanet. Susceptibility of tissue is a kind for weights of a site's own: miqanet itself
tells only what it does to an image, distortion, and that of metal.
"""

from __future__ import annotations

from typing import Final

from pydicom.sr.coding import Code

from miqanet.hospital.records import Grade

SCHEME: Final = "99MIQANET"

IMAGE_QUALITY: Final = Code("111101", "DCM", "Image Quality")
SERIES_QUALITY: Final = Code("130550", "DCM", "Imaging Series Quality")
CERTAINTY: Final = Code("111012", "DCM", "Certainty of Finding")
FINDING: Final = Code("121071", "DCM", "Finding")
COMMENT: Final = Code("121106", "DCM", "Comment")
QUALITY_ISSUE: Final = Code("113010", "DCM", "Quality Issue")
PROCESSED_IMAGE: Final = Code("121322", "DCM", "Source image for image processing operation")
PERCENT: Final = Code("%", "UCUM", "Percent")
METHOD: Final = Code("133887000", "SCT", "Image quality analysis")
MRI: Final = Code("25056-3", "LN", "MRI unspecified body region")
"""Procedure reported where the study names none of its own; of CID 100."""

GRADES: Final = {
    Grade.DIAGNOSTIC: Code("RID12", "RADLEX", "Diagnostic quality"),
    Grade.LIMITED: Code("RID13", "RADLEX", "Limited quality"),
    Grade.NON_DIAGNOSTIC: Code("RID14", "RADLEX", "Non-diagnostic quality"),
}

ARTIFACTS: Final = {
    "bias_field": Code("RID11408", "RADLEX", "Non-uniform signal intensity artifact"),
    "blur": Code("RID11424", "RADLEX", "Smearing"),
    "chemical_shift": Code("RID11374", "RADLEX", "Chemical shift artifact"),
    "epi_distortion": Code("130586", "DCM", "Distortion artifact in the area of interest"),
    "ghosting": Code("RID11426", "RADLEX", "Ghost"),
    "gibbs": Code("gibbs", SCHEME, "Gibbs ringing artifact"),
    "low_resolution": Code("low_resolution", SCHEME, "Insufficient spatial resolution"),
    "metal": Code("RID11370", "RADLEX", "Ferromagnetic implant magnetic susceptibility effect"),
    "motion": Code("RID11423", "RADLEX", "Motion related artifact"),
    "noise": Code("130578", "DCM", "Poor SNR"),
    "spike": Code("spike", SCHEME, "k-space spike artifact"),
    "susceptibility": Code("RID11372", "RADLEX", "Tissue magnetic susceptibility effect"),
    "wrap_around": Code("RID11395", "RADLEX", "Phase wraparound artifact"),
    "zipper": Code("zipper", SCHEME, "Zipper artifact"),
}


def artifact_code(kind: str) -> Code:
    """Return the term of a kind of artifact; a kind that a site's own model has added is of the private scheme."""
    return ARTIFACTS.get(kind) or Code(kind, SCHEME, kind.replace("_", " ")[:64])

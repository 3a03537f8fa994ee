from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import (
    ComprehensiveSRStorage,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
)

from miqanet.artifacts.phantom import phantom
from miqanet.hospital.drafts import Draft, build
from miqanet.hospital.node_schema import DocumentKind
from miqanet.screening.thumbnails import Picture, encode_thumbnail


@pytest.fixture
def draft(series, result, identity, device):
    image = result("low")
    return lambda kind: Draft(kind, series(image), identity, device, shown=image.image)


@pytest.mark.parametrize(
    ("kind", "sop_class_uid"),
    [
        (DocumentKind.REPORT, ComprehensiveSRStorage),
        (DocumentKind.KEY_OBJECTS, KeyObjectSelectionDocumentStorage),
        (DocumentKind.HEAT_MAP, SecondaryCaptureImageStorage),
    ],
)
def test_each_kind_is_an_object_of_its_class(draft, kind, sop_class_uid):
    picture = Picture(encode_thumbnail(phantom((64, 64))), np.ones((16, 16), np.float32))
    assert build(draft(kind), picture).SOPClassUID == sop_class_uid


def test_a_heat_map_without_its_picture_is_refused(draft):
    with pytest.raises(ValueError, match="needs the picture"):
        build(draft(DocumentKind.HEAT_MAP))

"""The selection of images that are not of diagnostic quality: a Key Object Selection after TID 2010 (PS3.16).

Its title is "Quality Issue" (113010). Never "Rejected for Quality Reasons" (113001), for which archives
hide images (IHE Imaging Object Change Management): a person decides, and may want to look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from pydicom import Dataset

from miqanet.hospital import codes
from miqanet.hospital.documents import attributes, evidence, finish, observer
from miqanet.hospital.records import Device, Identity, SeriesResult
from miqanet.reading.quiet import quiet

DESCRIPTION = "Quality issues (miqanet)"


def key_objects(
    series: SeriesResult, identity: Identity, device: Device, selected: Container[str] = ()
) -> Dataset:
    """Return the selection of a series' flagged images.

    Args:
        series: with at least one flagged image that is not selected yet.
        identity: fixed before the selection is first sent.
        device: the node.
        selected: SOP Instance UIDs that an earlier selection holds. A selection cannot name a predecessor that
            it replaces, so one for late images holds only what is new.

    Raises:
        ValueError: there is nothing to select.
    """
    images = [each.image for each in series.flagged if each.image.sop_instance_uid not in selected]
    if not images:
        raise ValueError("a selection holds at least one image")
    frames: dict[str, list[int]] = defaultdict(list)
    for image in images:
        if image.frame is not None:
            frames[image.sop_instance_uid].append(image.frame)
    with quiet:
        sources = evidence(series, images)
        content = KeyObjectSelection(
            document_title=codes.QUALITY_ISSUE,
            referenced_objects=[_as_image(source) for source in sources],
            observer_device_context=observer(device),
            description="Suspected by software to be of non-diagnostic quality",
        )
        for item in content.get_references():
            if numbers := frames[item.referenced_sop_instance_uid]:
                item.ReferencedSOPSequence[0].ReferencedFrameNumber = numbers
        document: Dataset = KeyObjectSelectionDocument(
            evidence=sources, content=content, **attributes(identity, device, DESCRIPTION)
        )
        finish(document, identity, device, sources[0])
        return document


def _as_image(source: Dataset) -> Dataset:
    """Return a reference that highdicom takes for one to an image, by there being a matrix."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    image.Rows = image.Columns = 1
    return image

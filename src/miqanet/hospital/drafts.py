"""From a draft, which holds all that a document is made of, to the DICOM object."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import Dataset

from miqanet.hospital.key_objects import key_objects
from miqanet.hospital.node_schema import DocumentKind
from miqanet.hospital.records import Device, Identity, ImageReference, SeriesResult
from miqanet.hospital.report_sr import report
from miqanet.hospital.secondary_capture import secondary_capture
from miqanet.screening.thumbnails import Picture


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as it was fixed, before it is written."""

    kind: DocumentKind
    series: SeriesResult
    identity: Identity
    device: Device
    predecessor: Identity | None = None
    """Of a report: the one that it replaces."""

    selected: frozenset[str] = frozenset()
    """Of key objects: SOP Instance UIDs of the images that earlier selections were about."""

    shown: ImageReference | None = None
    """Of a heat map: its image."""


def build(draft: Draft, picture: Picture | None = None) -> Dataset:
    """Return the object that a draft describes.

    Args:
        draft: what to write.
        picture: for a heat map, thumbnail and activations of the image that the draft shows.

    Raises:
        ValueError: a heat map without its picture.
    """
    if draft.kind is DocumentKind.REPORT:
        return report(draft.series, draft.identity, draft.device, draft.predecessor)
    if draft.kind is DocumentKind.KEY_OBJECTS:
        return key_objects(draft.series, draft.identity, draft.device, draft.selected)
    if draft.shown is None or picture is None:
        raise ValueError("a heat map needs the picture of its image")
    return secondary_capture(draft.series, draft.shown, picture, draft.identity, draft.device)

"""The heat map over its image as a Secondary Capture; off by default.

For viewers that cannot show it otherwise: a derived picture to glance at, in color, at the size of a
thumbnail, without geometry, never for diagnosis.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from highdicom.sc import SCImage
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from miqanet.hospital import codes
from miqanet.hospital.documents import attributes, evidence, finish
from miqanet.hospital.pictures import full_scale
from miqanet.hospital.records import Device, Identity, ImageReference, SeriesResult
from miqanet.reading.quiet import quiet
from miqanet.screening.thumbnails import Picture, encode_heat_map

DESCRIPTION = "Heat map, not for diagnosis (miqanet)"


def secondary_capture(
    series: SeriesResult,
    image: ImageReference,
    picture: Picture,
    identity: Identity,
    device: Device,
) -> Dataset:
    """Return the picture of an image under its heat map.

    Args:
        series: the series of the image.
        image: what the picture shows.
        picture: thumbnail and heat map.
        identity: fixed before the capture is first sent.
        device: the node.
    """
    pixels = _blend(picture)
    with quiet:
        (source,) = evidence(series, [image])
        document: Dataset = SCImage.from_ref_dataset(
            source,
            pixel_array=pixels,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=("L", "P"),
            transfer_syntax_uid=ExplicitVRLittleEndian,
            **attributes(identity, device, DESCRIPTION),
        )
        document.copy_patient_and_study_information(source)
        # Orientation (which highdicom wants) and side are not known of a thumbnail: unknown is empty (type 2C).
        document.PatientOrientation = document.Laterality = ""
        document.ConversionType = "WSD"
        document.DateOfSecondaryCapture, document.TimeOfSecondaryCapture = (
            document.ContentDate,
            document.ContentTime,
        )
        document.DerivationDescription = "Thumbnail under the activation map of low diagnostic quality"
        document.LossyImageCompression = "01"
        document.LossyImageCompressionRatio = f"{pixels[..., 0].size / len(picture.jpeg):.2f}"
        document.LossyImageCompressionMethod = "ISO_10918_1"
        document.SourceImageSequence = [_reference(image)]
        finish(document, identity, device, source)
        return document


def _blend(picture: Picture) -> NDArray[np.uint8]:
    """Return (side, side, 3): the glow over the gray thumbnail."""
    gray = Image.open(BytesIO(picture.jpeg)).convert("RGBA")
    glow = Image.open(BytesIO(encode_heat_map(picture.heat_map, full_scale(picture)))).convert("RGBA")
    over = Image.alpha_composite(gray, glow.resize(gray.size, Image.Resampling.BICUBIC))
    return np.asarray(over.convert("RGB"))


def _reference(image: ImageReference) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = image.sop_class_uid
    reference.ReferencedSOPInstanceUID = image.sop_instance_uid
    if image.frame is not None:
        reference.ReferencedFrameNumber = image.frame
    reference.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.PROCESSED_IMAGE)]
    return reference

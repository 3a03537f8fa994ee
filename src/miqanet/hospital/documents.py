"""What all documents about a series have in common: patient and study, equipment, observer, evidence, dates."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from highdicom.sr import DeviceObserverIdentifyingAttributes, ObserverContext
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DT

from miqanet.hospital.patient_study import restore
from miqanet.hospital.records import Device, Identity, ImageReference, SeriesResult

MAKER: Final = "miqanet"

# It logs names of patients that it finds odd.
logging.getLogger("highdicom").setLevel(logging.CRITICAL)


def evidence(series: SeriesResult, images: Iterable[ImageReference]) -> list[Dataset]:
    """Return one data set an image file, without pixels; the first one says what is known of patient and study."""
    classes = {image.sop_instance_uid: image.sop_class_uid for image in images}
    datasets: list[Dataset] = []
    for sop_instance_uid, sop_class_uid in classes.items():
        dataset = Dataset() if datasets else restore(series.patient_study)
        dataset.SOPClassUID = sop_class_uid
        dataset.SOPInstanceUID = sop_instance_uid
        dataset.StudyInstanceUID = series.study_instance_uid
        dataset.SeriesInstanceUID = series.series_instance_uid
        datasets.append(dataset)
    return datasets


def attributes(identity: Identity, device: Device, description: str) -> dict[str, Any]:
    """Return what highdicom's constructors are told of the document itself and of the equipment that made it."""
    return {
        "series_instance_uid": identity.series_instance_uid,
        "series_number": identity.series_number,
        "series_description": description,
        "sop_instance_uid": identity.sop_instance_uid,
        "instance_number": identity.instance_number,
        "content_date": identity.created.date(),
        "content_time": identity.created.time(),
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "device_serial_number": device.uid,
        "software_versions": device.software_version,
        # highdicom knows fewer character sets than images have; `finish` states it.
        "specific_character_set": None,
    }


def observer(device: Device) -> ObserverContext:
    """Return who judged: no person, this node."""
    return ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=device.uid, name=device.station_name, manufacturer_name=MAKER, model_name=MAKER
        ),
    )


def finish(document: Dataset, identity: Identity, device: Device, source: Dataset) -> None:
    """State what highdicom leaves out, and put the given time in the place of the clock's."""
    document.InstanceCreationDate = document.ContentDate
    document.InstanceCreationTime = document.ContentTime
    for equipment in document.ContributingEquipmentSequence:
        equipment.ContributionDateTime = DT(identity.created)
    document.StationName = device.station_name
    if "SpecificCharacterSet" in source:
        document.SpecificCharacterSet = source.SpecificCharacterSet

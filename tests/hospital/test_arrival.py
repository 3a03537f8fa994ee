from __future__ import annotations

import pytest
from pydicom.uid import MRImageStorage

from miqanet.hospital.arrival import Arrival
from miqanet.hospital.patient_study import restore


@pytest.fixture
def received(patient):
    patient.StudyInstanceUID, patient.SeriesInstanceUID = "1.2.1", "1.2.2"
    patient.SOPClassUID, patient.SOPInstanceUID = MRImageStorage, "1.2.3"
    patient.InstanceNumber, patient.SeriesNumber = 5, 7
    patient.SeriesDescription, patient.StationName = "T1 sag", "MR-2"
    return patient


def test_what_the_image_says_is_noted(received):
    arrival = Arrival.of(received, "a/b.dcm", "SCANNER1")
    assert (arrival.study_instance_uid, arrival.series_instance_uid) == ("1.2.1", "1.2.2")
    assert (arrival.sop_class_uid, arrival.sop_instance_uid) == (MRImageStorage, "1.2.3")
    assert (arrival.instance_number, arrival.series_number) == (5, 7)
    assert (arrival.series_description, arrival.accession_number, arrival.scanner) == ("T1 sag", "A1", "MR-2")
    assert (arrival.path, restore(arrival.patient_study).PatientID) == ("a/b.dcm", "4711")


def test_the_sender_stands_for_a_scanner_without_name(received):
    del received.StationName
    assert Arrival.of(received, "a", "SCANNER1").scanner == "SCANNER1"


@pytest.mark.parametrize("number", [None, -4, 2**31])
def test_numbers_that_no_column_holds_are_left_out(received, number):
    received.SeriesNumber = number
    assert Arrival.of(received, "a", "SCANNER1").series_number == 0


@pytest.mark.parametrize(
    "keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID"]
)
def test_an_object_that_does_not_say_what_it_is_is_refused(received, keyword):
    delattr(received, keyword)
    with pytest.raises(ValueError, match=f"no valid {keyword}"):
        Arrival.of(received, "a", "SCANNER1")


def test_an_arrival_does_not_show_its_patient(received):
    shown = repr(Arrival.of(received, "a", "SCANNER1"))
    assert not any(secret in shown for secret in ("Doe", "4711", "A1"))

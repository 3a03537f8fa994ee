from __future__ import annotations

from pydicom import Dataset

from miqanet.hospital.native_xml import to_xml


def test_values_items_and_what_is_empty_are_written():
    item, dataset = Dataset(), Dataset()
    item.CodeMeaning = "<ä & b>"
    dataset.PatientID, dataset.ImageType, dataset.FailureReason = "", ["ORIGINAL", "PRIMARY"], 272
    dataset.ProcedureCodeSequence = [item]
    _, root = to_xml(dataset).decode().split("\n")
    assert root == (
        '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">'
        '<DicomAttribute tag="00080008" vr="CS" keyword="ImageType">'
        '<Value number="1">ORIGINAL</Value><Value number="2">PRIMARY</Value></DicomAttribute>'
        '<DicomAttribute tag="00081032" vr="SQ" keyword="ProcedureCodeSequence"><Item number="1">'
        '<DicomAttribute tag="00080104" vr="LO" keyword="CodeMeaning">'
        '<Value number="1">&lt;ä &amp; b&gt;</Value></DicomAttribute></Item></DicomAttribute>'
        '<DicomAttribute tag="00081197" vr="US" keyword="FailureReason">'
        '<Value number="1">272</Value></DicomAttribute>'
        '<DicomAttribute tag="00100020" vr="LO" keyword="PatientID" /></NativeDicomModel>'
    )

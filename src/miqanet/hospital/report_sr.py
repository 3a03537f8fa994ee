"""The report on a series: a Comprehensive SR after TID 1500 "Measurement Report" (DICOM PS3.16).

Each measurement group (TID 1501) says one thing: the quality of the series, the quality of an image, or an
artifact that an image is suspected to show. In the group of an artifact, the certainty is that of the
artifact. In the group of an image's quality it is that of the finding "non-diagnostic quality", whatever
the verdict; the number names that finding as its modifier, lest somebody take 3 % beside "diagnostic" for
doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodeContentItem,
    ComprehensiveSR,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from miqanet.hospital import codes
from miqanet.hospital.documents import MAKER, attributes, evidence, finish, observer
from miqanet.hospital.records import Device, Grade, Identity, ImageReference, ImageResult, SeriesResult
from miqanet.hospital.uids import derived_uid
from miqanet.reading.quiet import quiet
from miqanet.screening.series import LOW_SHARE
from miqanet.verdict import Verdict

DESCRIPTION = "Image quality (miqanet)"


def report(
    series: SeriesResult, identity: Identity, device: Device, predecessor: Identity | None = None
) -> Dataset:
    """Return the report on a series.

    Args:
        series: at least one image, judged or not.
        identity: fixed before the report is first sent.
        device: the node.
        predecessor: the report that this one replaces, because images came late.

    Raises:
        ValueError: the series has no image.
    """
    if not series.images:
        raise ValueError("a report is about at least one image")
    with quiet:
        sources = evidence(series, (result.image for result in series.images))
        first, *others = _groups(series, identity, device)
        content = MeasurementReport(
            observation_context=ObservationContext(observer_device_context=observer(device)),
            procedure_reported=_procedures(sources[0]),
            imaging_measurements=[first],
        )
        document: Dataset = ComprehensiveSR(
            evidence=sources,
            content=content,
            is_complete=True,
            previous_versions=None if predecessor is None else [_as_dataset(series, predecessor)],
            coding_schemes=[
                CodingSchemeIdentificationItem(
                    codes.SCHEME, name="Image quality terms of miqanet", responsible_organization=MAKER
                )
            ],
            **attributes(identity, device, DESCRIPTION),
        )
        # The constructor copies its tree and searches it several times, ten times the work for 1,000 images. What
        # it looks for, images without evidence, there are none of.
        measurements = document.ContentSequence[-1].ContentSequence
        for group in others:
            measurements.extend(group)
        finish(document, identity, device, sources[0])
        return document


def _groups(
    series: SeriesResult, identity: Identity, device: Device
) -> Iterator[MeasurementsAndQualitativeEvaluations]:
    if series.grade is not None:
        yield _group(
            identity,
            "series",
            [],
            qualities=[(codes.SERIES_QUALITY, codes.GRADES[series.grade])],
            algorithm=_algorithm(MAKER, device.software_version, [f"low share={LOW_SHARE}"]),
        )
    for result in series.images:
        yield from _image_groups(result, identity)


def _image_groups(result: ImageResult, identity: Identity) -> Iterator[MeasurementsAndQualitativeEvaluations]:
    image, verdict = result.image, result.verdict
    name = image.sop_instance_uid if image.frame is None else f"{image.sop_instance_uid} frame {image.frame}"
    if verdict is None:
        group = _group(identity, name, [image])
        reason = _plain(result.reason) or "not judged"
        group[0].ContentSequence.append(
            TextContentItem(codes.COMMENT, reason, RelationshipTypeValues.CONTAINS)
        )
        yield group
        return
    certainty = _certainty(verdict.probability_low, verdict)
    # The first: their order is significant in TID 300.
    certainty[0].ContentSequence.insert(
        0,
        CodeContentItem(
            codes.FINDING, codes.GRADES[Grade.NON_DIAGNOSTIC], RelationshipTypeValues.HAS_CONCEPT_MOD
        ),
    )
    grade = Grade.of(verdict.quality, verdict.review)
    yield _group(identity, name, [image], [certainty], qualities=[(codes.IMAGE_QUALITY, codes.GRADES[grade])])
    for finding in verdict.findings:
        yield _group(
            identity,
            f"{name} {finding.kind}",
            [image],
            [_certainty(finding.probability, verdict, with_threshold=False)],
            finding=codes.artifact_code(finding.kind),
        )


def _group(
    identity: Identity,
    name: str,
    images: Sequence[ImageReference],
    certainties: Sequence[Measurement] = (),
    *,
    qualities: Sequence[tuple[Code, Code]] = (),
    finding: Code | None = None,
    algorithm: AlgorithmIdentification | None = None,
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        # Of the series that the report goes to: the same in all reports on these images.
        tracking_identifier=TrackingIdentifier(derived_uid(identity.series_instance_uid, name), name),
        finding_type=finding,
        method=codes.METHOD,
        algorithm_id=algorithm,
        measurements=certainties,
        qualitative_evaluations=[QualitativeEvaluation(concept, value) for concept, value in qualities],
        source_images=[
            SourceImageForMeasurementGroup(
                image.sop_class_uid,
                image.sop_instance_uid,
                None if image.frame is None else [image.frame],
            )
            for image in images
        ],
    )


def _certainty(probability: float, verdict: Verdict, *, with_threshold: bool = True) -> Measurement:
    """Return a probability; the threshold is that of low quality, and none of an artifact's."""
    name, _, version = verdict.model_version.rpartition(" ")
    parameters = [f"threshold={verdict.threshold}"] if with_threshold else None
    return Measurement(
        name=codes.CERTAINTY,
        value=round(100 * probability, 4),
        unit=codes.PERCENT,
        algorithm_id=_algorithm(name or MAKER, version, parameters),
    )


def _algorithm(name: str, version: str, parameters: Sequence[str] | None) -> AlgorithmIdentification:
    return AlgorithmIdentification(_plain(name), _plain(version), parameters=parameters, manufacturer=MAKER)


def _plain(text: str) -> str:
    """Return a text in characters that every character set has."""
    return text.encode("ascii", "replace").decode()


def _procedures(source: Dataset) -> list[Code]:
    """Return the procedure codes of the study, or that of any MR imaging where the study has none."""
    return [_as_code(item) for item in source.get("ProcedureCodeSequence", ())] or [codes.MRI]


def _as_code(item: Dataset) -> Code:
    value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue")
    return Code(value, item.CodingSchemeDesignator, item.CodeMeaning, item.get("CodingSchemeVersion"))


def _as_dataset(series: SeriesResult, predecessor: Identity) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = ComprehensiveSRStorage
    dataset.SOPInstanceUID = predecessor.sop_instance_uid
    dataset.SeriesInstanceUID = predecessor.series_instance_uid
    dataset.StudyInstanceUID = series.study_instance_uid
    return dataset

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image as Picture
from pydicom.uid import SecondaryCaptureImageStorage
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from miqanet.artifacts.phantom import phantom
from miqanet.database import importing
from miqanet.database.creation import begin
from miqanet.database.given_votes import GivenVote
from miqanet.database.importing import ImportSummary, import_images
from miqanet.database.png import read_png
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.database.query import Database
from miqanet.database.schema import Dataset, Image, Label, Rater, Series, Study, Subject, Vote
from miqanet.database.ties import Tie
from miqanet.verdict import Quality

PSEUDONYMS = Pseudonyms(b"k" * 32)
COLUMNS = "file,dataset,subject,body_part,modality_contrast"
SECRETS = ("Doe", "Jane", "4711", "19700101", "General Hospital", "R1", "Dr. Roe")

Write = Callable[..., Path]


@pytest.fixture
def database(tmp_path: Path, url: str | None) -> Iterator[Database]:
    with begin(tmp_path / "database", {"created_by": "test"}, url) as opened:
        yield opened


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.engine.connect() as connection:
        return {
            table.__tablename__: [tuple(row) for row in connection.execute(select(table.__table__))]
            for table in (Dataset, Subject, Study, Series, Image, Rater, Vote, Label)
        }


def take(database: Database, tmp_path: Path, *votes: GivenVote, **options: str) -> ImportSummary:
    return import_images(tmp_path / "scans", database, PSEUDONYMS, votes=votes, **options)


def test_an_image_leads_to_subject_study_series_and_scanner(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom(
        "scans/a.dcm", Manufacturer="Maker", MagneticFieldStrength=3, EchoTime=90, BodyPartExamined="KNEE"
    )
    summary = take(database, tmp_path, dataset="site-1")
    assert (summary.added, summary.known, summary.unread) == (1, 0, [])
    with Session(database.engine) as session:
        image = session.scalars(select(Image)).one()
        assert (image.simulated, image.source, image.ssim, image.seed) == (False, None, None, None)
        assert (image.body_part, image.contrast, image.echo_time_ms, image.frame) == ("knee", "T2w", 90, 0)
        assert image.series is not None
        assert (image.series.manufacturer, image.series.field_strength_t) == ("Maker", 3)
        assert image.series.study.subject is image.subject
        assert image.subject.name == PSEUDONYMS.name("subject", "4711")
        assert image.subject.dataset.name == "site-1"
        file = database.folder / image.path
        assert hashlib.sha256(file.read_bytes()).hexdigest() == image.sha256
        assert read_png(file).shape == (image.rows, image.columns) == (72, 64)
    assert [each.body_parts for each in database.subjects()] == [frozenset({"knee"})]
    assert database.images() == []


def test_nothing_that_identifies_gets_into_the_folder_or_the_rows(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    path = write_dicom("scans/Doe_Jane.dcm")
    Picture.fromarray(np.round(phantom((72, 64)) * 255).astype(np.uint8)).save(tmp_path / "scans/Jane.png")
    take(database, tmp_path, GivenVote(path.name, None, "Dr. Roe", Quality.LOW))
    written = [file for file in database.folder.rglob("*") if file.is_file()]
    told = str(contents(database)) + str([file.name for file in written])
    told += "".join(file.read_bytes().decode("latin-1") for file in written)
    assert len(written) >= 2
    assert not [secret for secret in SECRETS if secret in told]


def test_importing_again_adds_and_changes_nothing(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm")
    write_dicom("scans/b.dcm", np.stack([phantom((72, 64), seed=seed) for seed in (5, 6)]))
    votes = [GivenVote("a.dcm", None, rater, Quality.LOW) for rater in ("R1", "R2", "R1")]
    first = take(database, tmp_path, *votes)
    assert (first.added, first.votes) == (3, 3)
    before = contents(database)
    again = take(database, tmp_path, *votes)
    assert (again.added, again.known, again.votes) == (0, 3, 0)
    assert contents(database) == before


def test_existing_images_and_votes_stay_when_files_change(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm")
    take(database, tmp_path, GivenVote("a.dcm", None, "R1", Quality.LOW))
    before = contents(database)
    write_dicom("scans/a.dcm", phantom((72, 64), seed=99), PatientID="9999")
    summary = take(database, tmp_path, GivenVote("a.dcm", None, "R1", Quality.HIGH))
    assert "other pixels" in summary.unread[0].reason
    assert len(summary.unmatched) == 1
    assert contents(database) == before


def test_a_changed_mind_is_another_vote(database: Database, tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("scans/a.dcm")
    take(database, tmp_path, GivenVote("a.dcm", None, "R1", Quality.LOW))
    assert [image.low for image in database.images()] == [True]
    take(database, tmp_path, GivenVote("a.dcm", None, "R1", Quality.HIGH))
    assert len(contents(database)["votes"]) == 2
    assert [vote.low for vote in database.votes()] == [False]
    assert [(image.low, image.low_votes) for image in database.images()] == [(False, 0.0)]
    # And back again; then all that was ever said.
    for votes, number in (([Quality.LOW], 3), ([Quality.HIGH, Quality.LOW, Quality.HIGH], 4)):
        take(database, tmp_path, *(GivenVote("a.dcm", None, "R1", quality) for quality in votes))
        assert len(contents(database)["votes"]) == number
        assert [vote.low for vote in database.votes()] == [votes[-1] is Quality.LOW]


def test_a_lost_file_comes_back(database: Database, tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("scans/a.dcm")
    take(database, tmp_path)
    (image,) = (database.folder / "images").iterdir()
    content = image.read_bytes()
    image.unlink()
    assert take(database, tmp_path).known == 1
    assert image.read_bytes() == content


def test_a_vote_that_is_cast_meanwhile_does_not_end_an_import(
    database: Database, tmp_path: Path, write_dicom: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom("scans/a.dcm")
    writing = Thread(target=_cast, args=(database.engine,))
    real = importing.write_whole

    def write_whole(path: Path, content: bytes) -> None:
        writing.start()  # waits for the import's transaction, or gets in before its first write
        writing.join(timeout=0.5)
        real(path, content)

    monkeypatch.setattr(importing, "write_whole", write_whole)
    assert take(database, tmp_path).added == 1
    writing.join()
    assert "meanwhile" in {rater.name for rater in database.raters()}


def _cast(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(Rater).values(name="meanwhile", simulated=False))


def test_ties_are_left_to_a_senior_reader(database: Database, tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("scans/a.dcm")
    votes = [GivenVote("a.dcm", None, rater, quality) for rater, quality in zip("12", Quality, strict=True)]
    for _ in range(2):
        assert take(database, tmp_path, *votes).ties == [Tie("a.dcm", 0, 1, 2)]
    assert database.images() == []
    assert not any(rater.simulated for rater in database.raters())


def test_a_vote_finds_its_frame_or_is_reported(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm", np.stack([phantom((72, 64), seed=seed) for seed in (5, 6)]))
    lost = [GivenVote("a.dcm", None, "R1", Quality.LOW), GivenVote("none.dcm", None, "R1", Quality.LOW)]
    summary = take(database, tmp_path, GivenVote("a.dcm", 1, "R1", Quality.LOW), *lost)
    assert (summary.votes, summary.unmatched) == (1, lost)
    with Session(database.engine) as session:
        assert session.scalars(select(Vote)).one().image.frame == 1


def test_annotation_in_the_pixels_is_refused_with_a_reason(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm", BurnedInAnnotation="YES")
    write_dicom("scans/b.dcm", SOPClassUID=SecondaryCaptureImageStorage)
    summary = take(database, tmp_path)
    assert [each.reason.split()[0] for each in summary.unread] == ["refused:", "refused:"]
    assert not any(contents(database).values())
    assert not list((database.folder / "images").iterdir())


def test_one_study_is_one_person_even_if_numbers_differ(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm")
    write_dicom("scans/b.dcm", PatientID="4711-2", SeriesInstanceUID="1.2.3")
    take(database, tmp_path)
    assert [len(contents(database)[table]) for table in ("subjects", "studies", "series")] == [1, 1, 2]


def test_a_manifest_tells_more_than_files_do(database: Database, clean: Path, tmp_path: Path) -> None:
    clean.rename(tmp_path / "scans")
    summary = take(database, tmp_path)
    assert summary.added == 9
    subjects = database.subjects()
    assert {(each.dataset, *each.body_parts) for each in subjects} >= {
        ("site-a", "brain"),
        ("site-b", "knee"),
    }
    names = set(database.subject_names().values())
    assert f"site-b/{PSEUDONYMS.name('subject', 'subject_2')}" in names


def test_a_picture_of_two_subjects_is_taken_once_and_told(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    pixels = phantom((72, 64), seed=3)
    write_dicom("scans/a.dcm", pixels)
    write_dicom("scans/b.dcm", pixels, PatientID="4712", StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")
    votes = [GivenVote("a.dcm", None, "R1", Quality.LOW), GivenVote("b.dcm", None, "R1", Quality.HIGH)]
    for added, known in ((1, 0), (0, 1)):
        summary = take(database, tmp_path, *votes)
        assert (summary.added, summary.known, summary.unmatched) == (added, known, votes[1:])
        (refused,) = summary.unread
        assert Path(refused.path).name == "b.dcm"
        assert "under another subject; leave out" in refused.reason
        assert not [secret for secret in SECRETS if secret in refused.reason]
        assert [vote.low for vote in database.votes()] == [True]
    assert len(contents(database)["subjects"]) == 1


def test_a_picture_that_the_manifest_gives_to_another_subject_is_told(
    database: Database, clean: Path, tmp_path: Path
) -> None:
    clean.rename(tmp_path / "scans")
    assert take(database, tmp_path).added == 9
    assert take(database, tmp_path).known == 9
    before = contents(database)
    manifest = tmp_path / "scans" / "MANIFEST.csv"
    given = manifest.read_text()
    for changed in (
        given.replace("image_5.png,site-b,subject_2", "image_5.png,site-b,subject_7"),
        given.replace("image_5.png,site-b", "image_5.png,site-d"),
    ):
        manifest.write_text(changed)
        summary = take(database, tmp_path, GivenVote("site-b/image_5.png", None, "R1", Quality.LOW))
        assert (summary.added, summary.known, len(summary.unmatched)) == (0, 8, 1)
        (refused,) = summary.unread
        assert refused.path.endswith("image_5.png")
        assert "than the manifest gives; correct the manifest" in refused.reason
    assert contents(database) == before


def test_what_was_collected_for_its_artifacts_is_set_apart(
    database: Database, clean: Path, tmp_path: Path
) -> None:
    clean.rename(tmp_path / "scans")
    files = ("natural/ghosts.png", "site-a/noisy.png", "site-a/image_0.png")
    take(database, tmp_path, *(GivenVote(file, None, "R1", Quality.LOW) for file in files))
    assert Counter(image.set_apart for image in database.images()) == {True: 1, False: 2}
    (collected,) = (image for image in database.images() if image.set_apart)
    assert (collected.dataset, collected.contrast) == ("site-c", "T2w")


def test_a_picture_twice_under_one_subject_is_known(database: Database, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    for name in ("sub-1_run-1.png", "sub-1_run-2.png"):
        Picture.fromarray(np.round(phantom((72, 64)) * 255).astype(np.uint8)).save(tmp_path / "scans" / name)
    votes = [
        GivenVote(f"sub-1_run-{run}.png", None, rater, quality)
        for run, rater, quality in ((1, "R1", Quality.LOW), (1, "R2", Quality.HIGH), (2, "R3", Quality.LOW))
    ]
    summary = take(database, tmp_path, *votes)
    assert (summary.added, summary.known, summary.unread) == (1, 1, [])
    assert (summary.votes, summary.ties) == (3, [])
    assert [image.low for image in database.images()] == [True]


def test_copies_with_other_votes_are_one_list_that_is_added_once(database: Database, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    for name in ("sub-1_run-1.png", "sub-1_run-2.png"):
        Picture.fromarray(np.round(phantom((72, 64)) * 255).astype(np.uint8)).save(tmp_path / "scans" / name)
    votes = [
        GivenVote("sub-1_run-1.png", None, "R1", Quality.LOW),
        GivenVote("sub-1_run-2.png", None, "R1", Quality.HIGH),
    ]
    for added in (2, 0):
        assert take(database, tmp_path, *votes).votes == added
        assert [vote.low for vote in database.votes()] == [False]


def test_a_patient_is_of_one_dataset(database: Database, tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("scans/a.dcm")
    take(database, tmp_path, dataset="january")
    write_dicom("scans/b.dcm", phantom((72, 64), seed=9), StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.4")
    summary = take(database, tmp_path, dataset="february")
    assert (summary.added, summary.known) == (0, 1)
    (refused,) = summary.unread
    assert refused.path.endswith("b.dcm")
    assert "in the dataset january: import into that one" in refused.reason
    assert not [secret for secret in SECRETS if secret in refused.reason]
    assert take(database, tmp_path, dataset="january").added == 1
    # Two people of one number.
    write_dicom("scans/c.dcm", phantom((72, 64), seed=7), StudyInstanceUID="1.3.3", SeriesInstanceUID="1.3.4")
    (tmp_path / "scans" / "MANIFEST.csv").write_text(f"{COLUMNS}\nc.dcm,february,4711,brain,T1w\n")
    assert take(database, tmp_path).added == 1
    assert len(contents(database)["subjects"]) == 2


def test_a_manifest_that_is_not_heeded_is_told(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm")
    write_dicom("scans/below/b.dcm")
    for folder, name in (("scans", "a.dcm"), ("scans/below", "b.dcm")):
        (tmp_path / folder / "MANIFEST.csv").write_text(f"{COLUMNS}\n{name},site,one,brain,T1w\n")
    (told, *_) = [each for each in take(database, tmp_path).unread if each.path.endswith("MANIFEST.csv")]
    assert told.path == str(tmp_path / "scans" / "below" / "MANIFEST.csv")


def test_a_study_that_the_manifest_gives_to_another_subject_is_told(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("scans/a.dcm")
    write_dicom("scans/b.dcm", phantom((72, 64), seed=9), SeriesInstanceUID="1.2.4")
    manifest = tmp_path / "scans" / "MANIFEST.csv"
    manifest.write_text(f"{COLUMNS}\na.dcm,site,one,brain,T1w\nb.dcm,site,two,brain,T1w\n")
    summary = take(database, tmp_path)
    assert (summary.added, len(contents(database)["subjects"])) == (1, 1)
    (refused,) = summary.unread
    assert refused.path.endswith("b.dcm")
    assert "or others of its study, under another subject than the manifest gives" in refused.reason
    manifest.write_text(f"{COLUMNS}\na.dcm,site,one,brain,T1w\nb.dcm,site,one,brain,T1w\n")
    summary = take(database, tmp_path)
    assert (summary.added, summary.known, summary.unread) == (1, 1, [])


def test_a_vote_without_a_frame_is_not_given_to_the_only_frame_that_was_taken(
    database: Database, tmp_path: Path, write_dicom: Write
) -> None:
    taken, new = phantom((72, 64), seed=5), phantom((72, 64), seed=6)
    write_dicom("scans/a.dcm", taken)
    write_dicom(
        "scans/b.dcm",
        np.stack([taken, new]),
        PatientID="4712",
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.4",
    )
    summary = take(database, tmp_path, GivenVote("b.dcm", None, "R1", Quality.LOW))
    assert (summary.added, summary.votes, len(summary.unmatched)) == (2, 0, 1)


def test_another_key_is_refused(database: Database, tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("scans/a.dcm")
    take(database, tmp_path)
    with pytest.raises(ValueError, match="another key"):
        import_images(tmp_path / "scans", database, Pseudonyms(b"x" * 32))


def test_a_database_in_the_folder_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose a folder beside it"):
        import_images(tmp_path, database, PSEUDONYMS)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        import_images(tmp_path / "nowhere", database, PSEUDONYMS)


def test_an_interrupted_import_keeps_whole_files_and_goes_on(
    database: Database, tmp_path: Path, write_dicom: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_what: str, done: int, _total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("miqanet.database.importing._BATCH", 2)
    for number in range(5):
        write_dicom(f"scans/{number}.dcm")
    with pytest.raises(KeyboardInterrupt):
        import_images(tmp_path / "scans", database, PSEUDONYMS, progress=interrupt)
    assert len(contents(database)["images"]) == 2
    assert take(database, tmp_path).added == 3
    assert len(list((database.folder / "images").iterdir())) == 5

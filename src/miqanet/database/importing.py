"""Taking real images into a database: de-identified, under pseudonyms, and without touching what is there.

An image that is there already is known by its pixels, and by its SOP Instance UID and frame; importing a folder
again adds what is new in it and nothing else. The same pixels under another subject are not taken: one of the two
is wrong. Votes are only ever added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.database.body_parts import OTHER, normalize_body_part
from miqanet.database.clean import subject_of_name
from miqanet.database.dicom_facts import DicomFacts, RefusedError, read_facts
from miqanet.database.durability import begin_writing
from miqanet.database.given_votes import GivenVote
from miqanet.database.labels import label_by_majority
from miqanet.database.manifest import Entry, absent, read_manifest
from miqanet.database.png import encode_png, write_whole
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.database.query import Database
from miqanet.database.schema import Dataset, Image, Property, Rater, Series, Study, Subject, Vote
from miqanet.database.sources import Progress
from miqanet.database.ties import Tie
from miqanet.image import MRImage
from miqanet.reading import ReadError, list_files, read_file
from miqanet.verdict import Quality

DATASET = "imported"
"""Of images that no manifest names. Not the folder's name, which may be a patient's."""

_KEY = "key_fingerprint"
"""Property: which key made the pseudonyms. With another one, a person would become two."""

_ANOTHER_SUBJECT = (
    "the database holds this picture under another subject; leave out the one that is wrong, or give both one "
    "subject in a MANIFEST.csv"
)
_ANOTHER_IN_MANIFEST = (
    "the database holds this picture under another subject than the manifest gives; correct the manifest, "
    "leave the file out, or make another database"
)
"""Why a picture is not taken: on two sides of a split, it would be learned from and tested on."""

_BATCH = 25
"""Files a transaction: what an interrupted import reads again."""


@dataclass(slots=True)
class ImportSummary:
    """What an import did."""

    added: int = 0
    known: int = 0
    """Images that were in the database before, or twice in the folder, under the same subject."""

    votes: int = 0
    """Votes that were added."""

    ties: list[Tie] = field(default_factory=list)
    """Images with votes in the file that have no majority, new votes or not: a senior reader has to decide."""

    left: int = 0
    """Images with votes in the file that keep their label of another provenance, such as a study's."""

    unread: list[ReadError] = field(default_factory=list)
    """Files and frames that could not be read, or were refused."""

    unmatched: list[GivenVote] = field(default_factory=list)
    """Votes whose image was not found, or not taken."""


def check_folders(folder: Path, out: Path) -> None:
    """Check, before anything is made, that the images of a folder can go into a database's.

    Raises:
        FileNotFoundError: `folder` is no folder.
        ValueError: the database lies, or would lie, in `folder`.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder of images")
    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"the database {out} lies in {folder}: choose a folder beside it")


def import_images(
    folder: Path,
    database: Database,
    pseudonyms: Pseudonyms,
    *,
    dataset: str = DATASET,
    votes: Sequence[GivenVote] = (),
    progress: Progress = lambda _what, _done, _total: None,
) -> ImportSummary:
    """Import the images below `folder`, with the facts of a MANIFEST.csv where there is one.

    The subject is the manifest's, else the DICOM patient's ID, else the `sub-` part of a BIDS name or the name of
    the file: each as a keyed hash.

    Raises:
        FileNotFoundError: `folder` is no folder.
        ValueError: the database lies in `folder`, or was begun with another key.
    """
    check_folders(folder, database.folder)
    folder = folder.resolve()
    manifest = read_manifest(folder)
    (database.folder / "images").mkdir(exist_ok=True)
    given: dict[str, list[GivenVote]] = {}
    for vote in votes:
        given.setdefault(vote.file, []).append(vote)
    with Session(database.engine) as session:
        begin_writing(session.connection())
        _claim(session, pseudonyms)
        run = _Import(session, database.folder, pseudonyms, dataset)
        files = list(list_files([folder]))
        run.summary.unread += absent(manifest, folder, [file for file in files if isinstance(file, str)])
        for place, file in enumerate(files, 1):
            if isinstance(file, ReadError):
                run.summary.unread.append(file)
                continue
            name = Path(file).relative_to(folder).as_posix()
            run.take(file, manifest.get(file), given.pop(name, []))
            progress("importing", place, len(files))
            if place % _BATCH == 0:
                session.commit()
                begin_writing(session.connection())
        session.commit()
    run.summary.ties, run.summary.left = list(run.ties.values()), len(run.left)
    run.summary.unmatched += [vote for rest in given.values() for vote in rest]
    return run.summary


def _claim(session: Session, pseudonyms: Pseudonyms) -> None:
    """Make sure that all pseudonyms of a database are of one key."""
    known = session.get(Property, _KEY)
    if known is None:
        session.add(Property(key=_KEY, value=pseudonyms.fingerprint))
    elif known.value != pseudonyms.fingerprint:
        raise ValueError(
            "the database was begun with another key; with this one, each person would become two"
        )


class _Import:
    """One run of an import."""

    def __init__(self, session: Session, out: Path, pseudonyms: Pseudonyms, dataset: str) -> None:
        self.summary = ImportSummary()
        self.ties: dict[int, Tie] = {}
        """By image; the votes on a picture that is there twice may break a tie again."""
        self.left: set[int] = set()
        self._session, self._out, self._pseudonyms, self._dataset = session, out, pseudonyms, dataset

    def take(self, file: str, entry: Entry | None, votes: list[GivenVote]) -> None:
        """Import a file and the votes on its images."""
        try:
            facts = read_facts(Path(file), self._pseudonyms)
        except RefusedError as error:
            self.summary.unread.append(ReadError(file, 0, f"refused: {error}"))
            self.summary.unmatched += votes
            return
        images: dict[int, Image | None] = {}
        for image in read_file(file):
            if isinstance(image, ReadError):
                self.summary.unread.append(image)
            images[image.frame] = None if isinstance(image, ReadError) else self._row(image, facts, entry)
        self._session.flush()
        self._vote(images, votes)

    def _row(self, image: MRImage, facts: DicomFacts | None, entry: Entry | None) -> Image | None:
        """Return the row of an image, a new one where there is none; None for one that contradicts the database."""
        png = encode_png(image.pixels)
        sha256 = hashlib.sha256(png).hexdigest()
        found = self._session.scalars(select(Image).filter_by(sha256=sha256, simulated=False)).first()
        if found is not None:
            if not self._is_of(found.subject, facts, entry, image.path):
                reason = _ANOTHER_IN_MANIFEST if entry else _ANOTHER_SUBJECT
                self.summary.unread.append(ReadError(image.path, image.frame, reason))
                return None
            self.summary.known += 1
            file = self._out / found.path
            if not file.is_file():  # lost with a disk or a power cut
                write_whole(file, png)
            return found
        uid = facts.sop_instance_uid if facts else None
        same = select(Image).filter_by(sop_instance_uid=uid, frame=image.frame)
        if uid and self._session.scalars(same).first():
            reason = "the database holds this SOP instance with other pixels, which stay as they are"
            self.summary.unread.append(ReadError(image.path, image.frame, reason))
            return None
        series = self._series(facts, entry, image.path) if facts else None
        row = Image(
            subject=series.study.subject if series else self._subject(facts, entry, image.path),
            series=series,
            path=f"images/{sha256[:32]}.png",
            sha256=sha256,
            rows=image.pixels.shape[0],
            columns=image.pixels.shape[1],
            body_part=normalize_body_part(entry.body_part) if entry else _body_part(image, facts),
            contrast=entry.contrast if entry else facts.contrast if facts else "",
            sop_instance_uid=uid or None,
            frame=image.frame,
            simulated=False,
            set_apart=bool(entry and entry.set_apart),
            provenance=f"imported by miqanet {version('miqanet')}",
            **(asdict(facts.timing(image.frame)) if facts else {}),
        )
        write_whole(self._out / row.path, png)
        self._session.add(row)
        self.summary.added += 1
        return row

    def _series(self, facts: DicomFacts, entry: Entry | None, path: str) -> Series | None:
        if not (facts.study_instance_uid and facts.series_instance_uid):
            return None
        if series := self._known_series(facts):
            return series
        study = self._known_study(facts)
        if study is None:
            study = Study(
                subject=self._subject(facts, entry, path), study_instance_uid=facts.study_instance_uid
            )
        series = Series(
            study=study,
            series_instance_uid=facts.series_instance_uid,
            manufacturer=facts.manufacturer,
            model=facts.model,
            field_strength_t=facts.field_strength_t,
        )
        self._session.add(series)
        return series

    def _known_series(self, facts: DicomFacts) -> Series | None:
        of_uid = select(Series).filter_by(series_instance_uid=facts.series_instance_uid)
        return self._session.scalars(of_uid).first()

    def _known_study(self, facts: DicomFacts) -> Study | None:
        of_uid = select(Study).filter_by(study_instance_uid=facts.study_instance_uid)
        return self._session.scalars(of_uid).first()

    def _is_of(self, subject: Subject, facts: DicomFacts | None, entry: Entry | None, path: str) -> bool:
        """Whether an image, were it new, would be this subject's."""
        if facts and facts.study_instance_uid and facts.series_instance_uid:
            series = self._known_series(facts)
            if study := series.study if series else self._known_study(facts):
                return study.subject is subject
        if entry and subject.dataset.name != entry.dataset:
            return False
        return subject.name == self._pseudonym(facts, entry, path)

    def _subject(self, facts: DicomFacts | None, entry: Entry | None, path: str) -> Subject:
        name = entry.dataset if entry else self._dataset
        dataset = self._session.scalars(select(Dataset).filter_by(name=name)).first()
        if dataset is None:
            dataset = Dataset(name=name)
            self._session.add(dataset)
            self._session.flush()
        pseudonym = self._pseudonym(facts, entry, path)
        of_name = select(Subject).filter_by(dataset_id=dataset.id, name=pseudonym)
        return self._session.scalars(of_name).first() or Subject(dataset=dataset, name=pseudonym)

    def _pseudonym(self, facts: DicomFacts | None, entry: Entry | None, path: str) -> str:
        if facts and facts.subject and not entry:
            return facts.subject
        study = facts.study_instance_uid if facts else ""
        identity = entry.subject if entry else study or subject_of_name(Path(path).name)
        return self._pseudonyms.name("subject", identity)

    def _vote(self, images: dict[int, Image | None], votes: list[GivenVote]) -> None:
        """Add the votes on a file's images that are not there yet, and derive the labels of these images."""
        given: dict[tuple[Image, str], list[Quality]] = {}
        places: dict[int, tuple[str, int]] = {}
        for vote in votes:
            frame = next(iter(images)) if vote.frame is None and len(images) == 1 else vote.frame
            image = None if frame is None else images.get(frame)
            if frame is None or image is None:
                self.summary.unmatched.append(vote)
                continue
            places[image.id] = vote.file, frame
            given.setdefault((image, self._pseudonyms.name("rater", vote.rater)), []).append(vote.quality)
        for (image, rater), qualities in given.items():
            known = [vote.quality for vote in image.votes if vote.rater.name == rater]
            # The file may go on from what is known, or correct it.
            there = max(k for k in range(len(qualities) + 1) if known[len(known) - k :] == qualities[:k])
            for quality in qualities[there:]:
                image.votes.append(Vote(rater=self._rater(rater), quality=quality))
                self.summary.votes += 1
        self._session.flush()
        # Those without new votes, too: the same command once more tells of the same ties.
        labelled = label_by_majority(self._session, sorted(places))
        for number in places:
            self.ties.pop(number, None)
        self.ties |= {number: Tie(*places[number], *counts) for number, counts in labelled.ties.items()}
        self.left |= labelled.left

    def _rater(self, name: str) -> Rater:
        known = self._session.scalars(select(Rater).filter_by(name=name)).first()
        return known or Rater(name=name, simulated=False)


def _body_part(image: MRImage, facts: DicomFacts | None) -> str:
    part = normalize_body_part(image.body_part)
    return facts.body_part if part == OTHER and facts else part

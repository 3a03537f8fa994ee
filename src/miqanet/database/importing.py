"""Taking real images into a database: de-identified, under pseudonyms, and without touching what is there.

An image that is there already is known by its pixels, and by its SOP Instance UID and frame; importing a folder
again adds what is new in it and nothing else. The same pixels or study under another subject, and the same patient in
another dataset, are not taken: a person would become two, and be learned from and tested on. Votes are only ever
added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from miqanet.database.body_parts import OTHER, normalize_body_part
from miqanet.database.clean import subject_of_name
from miqanet.database.dicom_facts import DicomFacts, RefusedError, read_facts
from miqanet.database.durability import begin_writing
from miqanet.database.given_votes import GivenVote
from miqanet.database.labels import label_by_majority
from miqanet.database.manifest import Entry, absent, manifest_path, read_manifest
from miqanet.database.png import encode_png, write_whole
from miqanet.database.pseudonyms import Pseudonyms
from miqanet.database.query import Database
from miqanet.database.schema import Dataset, Image, Property, Rater, Series, Study, Subject, Vote
from miqanet.database.sources import Progress
from miqanet.database.ties import Tie
from miqanet.image import MRImage
from miqanet.reading import ReadError, list_files, read_file
from miqanet.verdict import Quality

Item = TypeVar("Item")

DATASET = "imported"
"""Of images that no manifest names. Not the folder's name, which may be a patient's."""

_KEY = "key_fingerprint"
"""Property: which key made the pseudonyms. With another one, a person would become two."""

_ANOTHER_SUBJECT = (
    "the database holds this picture under another subject; leave out the one that is wrong, or give both one "
    "subject in a MANIFEST.csv"
)
_ANOTHER_IN_MANIFEST = (
    "the database holds this picture, or others of its study, under another subject than the manifest gives; "
    "correct the manifest, leave the file out, or make another database"
)
_ANOTHER_DATASET = (
    "the database holds this patient's images in the dataset {}: import into that one, or name the subjects in a "
    "MANIFEST.csv where two people have one number"
)
"""Why a picture is not taken: on two sides of a split, a person would be learned from and tested on."""

_BATCH = 25
"""Files, or images with votes, a transaction: what an interrupted import does again."""


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
        # Another manifest, below it, is not heeded: it is told of like any file that is no image.
        heeded = str(manifest_path(folder))
        files = [file for file in list_files([folder]) if file != heeded]
        run.summary.unread += absent(manifest, folder, [file for file in files if isinstance(file, str)])
        for file in _in_batches(session, files, partial(progress, "importing")):
            if isinstance(file, ReadError):
                run.summary.unread.append(file)
                continue
            name = Path(file).relative_to(folder).as_posix()
            run.take(file, manifest.get(file), given.pop(name, []))
        # Of copies in two files each would seem to correct the other: their votes go in as one list.
        for image in _in_batches(session, list(run.ballots), partial(progress, "adding votes")):
            run.vote(image)
    run.summary.unmatched += [vote for rest in given.values() for vote in rest]
    return run.summary


def _in_batches(
    session: Session, items: Sequence[Item], progress: Callable[[int, int], None]
) -> Iterator[Item]:
    """Yield items, a few to a transaction, and tell how many are done."""
    for done, item in enumerate(items):
        if done % _BATCH == 0:
            session.commit()
            begin_writing(session.connection())
        yield item
        progress(done + 1, len(items))
    session.commit()


def _claim(session: Session, pseudonyms: Pseudonyms) -> None:
    """Make sure that all pseudonyms of a database are of one key."""
    known = session.get(Property, _KEY)
    if known is None:
        session.add(Property(key=_KEY, value=pseudonyms.fingerprint))
    elif known.value != pseudonyms.fingerprint:
        raise ValueError(
            "the database was begun with another key; with this one, each person would become two"
        )


@dataclass(frozen=True, slots=True)
class _Ballot:
    """The votes on an image, of all the files that show it."""

    file: str
    frame: int
    votes: dict[str, list[Quality]] = field(default_factory=dict)
    """By the pseudonym of the rater, in the order given."""


class _Import:
    """One run of an import."""

    def __init__(self, session: Session, out: Path, pseudonyms: Pseudonyms, dataset: str) -> None:
        self.summary = ImportSummary()
        self.ballots: dict[int, _Ballot] = {}
        """By image."""

        self._session, self._out, self._pseudonyms, self._dataset = session, out, pseudonyms, dataset

    def take(self, file: str, entry: Entry | None, votes: list[GivenVote]) -> None:
        """Import a file, and collect the votes on its images."""
        try:
            facts = read_facts(Path(file), self._pseudonyms)
        except RefusedError as error:
            self.summary.unread.append(ReadError(file, 0, f"refused: {error}"))
            self.summary.unmatched += votes
            return
        images: dict[int, Image | None] = {}
        for image in read_file(file):
            row = image if isinstance(image, ReadError) else self._row(image, facts, entry)
            if isinstance(row, ReadError):
                self.summary.unread.append(row)
            images[image.frame] = None if isinstance(row, ReadError) else row
        self._session.flush()
        self._collect(images, votes)

    def _row(self, image: MRImage, facts: DicomFacts | None, entry: Entry | None) -> Image | ReadError:
        """Return the row of an image, a new one where there is none; or in what it contradicts the database."""
        png = encode_png(image.pixels)
        sha256 = hashlib.sha256(png).hexdigest()
        found = self._session.scalars(select(Image).filter_by(sha256=sha256, simulated=False)).first()
        if found is not None:
            if not self._is_of(found.subject, facts, entry, image.path):
                reason = _ANOTHER_IN_MANIFEST if entry else _ANOTHER_SUBJECT
                return ReadError(image.path, image.frame, reason)
            self.summary.known += 1
            file = self._out / found.path
            if not file.is_file():  # lost with a disk or a power cut
                write_whole(file, png)
            return found
        uid = facts.sop_instance_uid if facts else None
        same = select(Image).filter_by(sop_instance_uid=uid, frame=image.frame)
        if uid and self._session.scalars(same).first():
            reason = "the database holds this SOP instance with other pixels, which stay as they are"
            return ReadError(image.path, image.frame, reason)
        subject = self._owner(facts, entry, image.path)
        if isinstance(subject, str):
            return ReadError(image.path, image.frame, subject)
        row = Image(
            subject=subject,
            series=self._series(facts, subject) if facts else None,
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

    def _series(self, facts: DicomFacts, subject: Subject) -> Series | None:
        if not (facts.study_instance_uid and facts.series_instance_uid):
            return None
        if series := self._known_series(facts):
            return series
        series = Series(
            study=self._known_study(facts)
            or Study(subject=subject, study_instance_uid=facts.study_instance_uid),
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

    def _subject_of_study(self, facts: DicomFacts) -> Subject | None:
        """Return whose the study or series of an object is known to be."""
        if not (facts.study_instance_uid and facts.series_instance_uid):
            return None
        series = self._known_series(facts)
        study = series.study if series else self._known_study(facts)
        return study.subject if study else None

    def _is_of(self, subject: Subject, facts: DicomFacts | None, entry: Entry | None, path: str) -> bool:
        """Whether an image, were it new, would be this subject's."""
        if not entry and facts and (known := self._subject_of_study(facts)):
            return known is subject
        if entry and subject.dataset.name != entry.dataset:
            return False
        return subject.name == self._pseudonym(facts, entry, path)

    def _owner(self, facts: DicomFacts | None, entry: Entry | None, path: str) -> Subject | str:
        """Return the subject of a new image; or why it would make two subjects of a person."""
        if facts and (known := self._subject_of_study(facts)):
            return known if self._is_of(known, facts, entry, path) else _ANOTHER_IN_MANIFEST
        if facts and facts.subject and not entry:
            datasets = select(Dataset.name).join(Subject).where(Subject.name == facts.subject)
            names = set(self._session.scalars(datasets))
            if names and self._dataset not in names:
                return _ANOTHER_DATASET.format(min(names))
        return self._subject(facts, entry, path)

    def _subject(self, facts: DicomFacts | None, entry: Entry | None, path: str) -> Subject:
        name = entry.dataset if entry else self._dataset
        dataset = self._session.scalars(select(Dataset).filter_by(name=name)).first()
        if dataset is None:
            dataset = Dataset(name=name)
            self._session.add(dataset)
            self._session.flush()
        pseudonym = self._pseudonym(facts, entry, path)
        of_name = select(Subject).filter_by(dataset_id=dataset.id, name=pseudonym)
        subject = self._session.scalars(of_name).first()
        if subject is None:
            subject = Subject(dataset=dataset, name=pseudonym)
            self._session.add(subject)
        return subject

    def _pseudonym(self, facts: DicomFacts | None, entry: Entry | None, path: str) -> str:
        if facts and facts.subject and not entry:
            return facts.subject
        study = facts.study_instance_uid if facts else ""
        identity = entry.subject if entry else study or subject_of_name(Path(path).name)
        return self._pseudonyms.name("subject", identity)

    def _collect(self, images: dict[int, Image | None], votes: list[GivenVote]) -> None:
        for vote in votes:
            frame = next(iter(images)) if vote.frame is None and len(images) == 1 else vote.frame
            image = None if frame is None else images.get(frame)
            if frame is None or image is None:
                self.summary.unmatched.append(vote)
                continue
            ballot = self.ballots.setdefault(image.id, _Ballot(vote.file, frame))
            ballot.votes.setdefault(self._pseudonyms.name("rater", vote.rater), []).append(vote.quality)

    def vote(self, number: int) -> None:
        """Add the votes on an image that are not there yet, and derive its label."""
        image, ballot = self._session.get_one(Image, number), self.ballots[number]
        for rater, qualities in ballot.votes.items():
            known = [vote.quality for vote in image.votes if vote.rater.name == rater]
            # The file may go on from what is known, or correct it.
            there = max(k for k in range(len(qualities) + 1) if known[len(known) - k :] == qualities[:k])
            for quality in qualities[there:]:
                image.votes.append(Vote(rater=self._rater(rater), quality=quality))
                self.summary.votes += 1
        self._session.flush()
        # Without new votes, too: the same command once more tells of the same ties.
        labelled = label_by_majority(self._session, [number])
        self.summary.ties += [Tie(ballot.file, ballot.frame, *counts) for counts in labelled.ties.values()]
        self.summary.left += len(labelled.left)

    def _rater(self, name: str) -> Rater:
        known = self._session.scalars(select(Rater).filter_by(name=name)).first()
        return known or Rater(name=name, simulated=False)


def _body_part(image: MRImage, facts: DicomFacts | None) -> str:
    part = normalize_body_part(image.body_part)
    return facts.body_part if part == OTHER and facts else part

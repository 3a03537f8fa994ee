"""One screening of files and folders into a results folder, which may be interrupted and resumed."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from miqanet import __version__
from miqanet.image import MRImage
from miqanet.reading import ReadError, list_files, read_file
from miqanet.screening.card import CARD_FILE, MODEL_FILE
from miqanet.screening.engine import Engine
from miqanet.screening.pipeline import Judged, judge
from miqanet.screening.report import ReportCollector, write_report
from miqanet.screening.results import (
    COLUMNS,
    ResultRow,
    ResultsWriter,
    encodable,
    mend_results,
    partial,
    read_results,
    write_parquet,
)
from miqanet.screening.series import SeriesTally, Tally, write_series
from miqanet.verdict import Quality

_SYNC_SECONDS = 1.0
"""Greatest age of a row that a power cut may take."""


class RunError(ValueError):
    """A results folder cannot be used as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is screened: with the weights, all that decides the results."""

    paths: tuple[str, ...]
    modalities: tuple[str, ...] = ("MR",)
    slice_axis: int | None = None
    with_patient: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """What a finished run found, and where it wrote it."""

    images: int
    high: int
    low: int
    review: int
    """Images in the review band; each of them is `high` or `low` besides."""

    skipped: int
    """Files that are no MR images."""

    errors: int
    """Files or frames that could not be read."""

    series: int
    low_series: int
    findings: dict[str, int]
    """Images by kind of artifact, most frequent first."""

    model_version: str
    threshold: float
    outputs: tuple[str, ...]
    """Files that the run wrote."""


class ScreeningRun:
    """A results folder being filled: `results.csv` as images are judged, the other files when all are.

    Args:
        folder: where results go; made if absent.
        engine: judges the images.
        selection: what is screened.
        resume: continue what an earlier run left in `folder` (or start, if nothing is there).
        overwrite: replace what an earlier run left in `folder`.
        report_images: number of images that the report shows; None for no report.
        leave_out: folders whose files are no input; what the run itself writes never is.

    Raises:
        RunError: `folder` has results and neither `resume` nor `overwrite` is set, or it is to be resumed but
            holds the results of something else.
    """

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        selection: Selection,
        *,
        resume: bool = False,
        overwrite: bool = False,
        report_images: int | None = 300,
        leave_out: tuple[Path, ...] = (),
    ) -> None:
        self._engine = engine
        self._selection = selection
        self._results = folder / "results.csv"
        self._parquet, self._series, self._report = self._derived = tuple(
            folder / name for name in ("results.parquet", "series.csv", "report.html")
        )
        hidden = folder / ".miqanet"
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / ".miqanet.lock", is_singleton=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"another run is at work in {folder}: wait for it, or choose another folder"
            ) from None
        if self._results.exists() and not (resume or overwrite):
            raise RunError(f"{folder} holds results: --resume continues them, --overwrite replaces them")
        if not resume:
            self._results.unlink(missing_ok=True)
            shutil.rmtree(hidden, ignore_errors=True)
        hidden.mkdir(exist_ok=True)
        outputs = (self._results, *self._derived, Path(self._lock.lock_file))
        self._own_files = {
            folder.resolve() / name for file in outputs for name in (file.name, partial(file).name)
        }
        self._own_folders = tuple(own.resolve() for own in (hidden, *leave_out))
        self._claim(hidden / "run.json")
        # What an earlier run derived from its results would be stale from the first new row on.
        for derived in self._derived:
            derived.unlink(missing_ok=True)
        self._collector: ReportCollector | None = None
        if report_images is not None:
            self._collector = ReportCollector(hidden / "pictures", limit=report_images)
        self._done: set[str] = set()
        self._last_path = ""
        self._last_frames: set[int] = set()
        self._recall()

    def _claim(self, settings_file: Path) -> None:
        """Write down what the results in this folder are of, or check that they are of the same."""
        settings = asdict(self._selection) | {
            "miqanet": __version__,
            "columns": COLUMNS,
            "weights": _digest(self._engine.weights),
        }
        text = json.dumps(settings, indent=1)
        if not self._results.exists():
            settings_file.write_text(text, encoding="utf-8")
            return
        settings = json.loads(text)
        try:
            earlier: dict[str, Any] = json.loads(settings_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RunError(
                f"{self._results} cannot be continued: {settings_file} is missing or damaged"
            ) from None
        if changed := [name for name in settings if settings[name] != earlier.get(name)]:
            raise RunError(
                f"{self._results} cannot be continued with other {' and '.join(changed)}: "
                "choose another folder, or replace the results with --overwrite"
            )
        mend_results(self._results)

    def _recall(self) -> None:
        """Take up what an earlier run has judged. Its last file may lack frames."""
        if not self._results.exists():
            return
        for row in read_results(self._results):
            if row.path != self._last_path:
                self._done.add(self._last_path)
                self._last_path, self._last_frames = row.path, set()
            self._last_frames.add(row.frame)
            if self._collector is not None:
                self._collector.add(row)

    def remaining(self) -> int:
        """Count the files that are still to be judged; it takes a walk through all folders."""
        return sum(1 for _ in self._files())

    def rows(self) -> Generator[ResultRow, None, None]:
        """Judge what is still to be judged; every row that is yielded is in `results.csv`."""
        judged_in_turn = judge(self._items(), self._engine, measured=True)
        with ResultsWriter(self._results) as writer, closing(judged_in_turn) as stream:
            synced = time.monotonic()
            for judged in stream:
                row = _row(judged)
                if self._collector is not None:
                    self._collector.add(row, judged.prepared, judged.verdict)
                writer.write(row)
                if time.monotonic() - synced > _SYNC_SECONDS:
                    writer.sync()
                    synced = time.monotonic()
                yield row

    def finish(self) -> Summary:
        """Write what is derived from the results, and sum them up."""
        whole, series = Tally(), SeriesTally()
        findings: Counter[str] = Counter()
        skipped = 0
        for row in self.results():
            whole.add(row)
            series.add(row)
            findings.update(row.kinds)
            skipped += row.skipped
        tallies = series.tallies()
        write_series(tallies, self._series)
        write_parquet(self.results(), self._parquet)
        card = self._engine.card
        if self._collector is not None:
            write_report(self._collector, self._report, card)
        return Summary(
            images=whole.images,
            high=whole.images - whole.low,
            low=whole.low,
            review=whole.review,
            skipped=skipped,
            errors=whole.errors,
            series=len(tallies),
            low_series=sum(tally.quality is Quality.LOW for tally in tallies),
            findings=dict(findings.most_common()),
            model_version=card.model_version,
            threshold=card.threshold,
            outputs=tuple(str(path) for path in (self._results, *self._derived) if path.exists()),
        )

    def results(self) -> Iterator[ResultRow]:
        """Read all rows that are written, those of earlier runs first."""
        return read_results(self._results)

    def _files(self) -> Iterator[str | ReadError]:
        """List what is still to be judged, each file once, and each trouble of listing them."""
        met: set[str | ReadError] = set()
        for file in list_files(self._selection.paths):
            path = encodable(file.path if isinstance(file, ReadError) else file)
            if path not in self._done and file not in met and not self._is_own(path):
                met.add(file)
                yield file

    def _is_own(self, path: str) -> bool:
        file = _resolved(str(Path(path).parent)) / Path(path).name
        return file in self._own_files or any(file.is_relative_to(own) for own in self._own_folders)

    def _items(self) -> Iterator[MRImage | ReadError]:
        for file in self._files():
            for item in self._read(file):
                if encodable(item.path) != self._last_path or item.frame not in self._last_frames:
                    yield item

    def _read(self, file: str | ReadError) -> Iterator[MRImage | ReadError]:
        if isinstance(file, ReadError):
            return iter((file,))
        chosen = self._selection
        return read_file(
            file,
            modalities=chosen.modalities,
            slice_axis=chosen.slice_axis,
            with_patient=chosen.with_patient,
        )


def _row(judged: Judged) -> ResultRow:
    if isinstance(judged.item, ReadError):
        return ResultRow.of_error(judged.item.path, judged.item.frame, judged.item.reason)
    assert judged.verdict is not None  # noqa: S101  # an image has a verdict or becomes a ReadError
    return ResultRow.of_verdict(judged.item, judged.verdict, judged.measures)


@lru_cache(maxsize=256)
def _resolved(folder: str) -> Path:
    return Path(folder).resolve()


def _digest(weights: Path) -> str:
    """Return a hash of what decides verdicts: the network and its card."""
    digest = sha256()
    for name in (CARD_FILE, MODEL_FILE, str(Path(MODEL_FILE).with_suffix(".bin"))):
        digest.update((weights / name).read_bytes())
    return digest.hexdigest()

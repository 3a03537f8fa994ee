"""Answers of a model that errs twice on the subjects that it is tested on, and a small world to benchmark in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from miqanet.database.folds import Role
from miqanet.database.png import encode_png
from miqanet.database.raters import RATERS, cast_votes
from miqanet.database.records import ImageRecord, SourceRecord, SubjectRecord, VoteRecord
from miqanet.evaluation.benchmark import Task, run_tasks
from miqanet.evaluation.catalog import METHODS
from miqanet.evaluation.data import Data
from miqanet.evaluation.methods import Fitted
from miqanet.evaluation.protocols import Fold, Protocol, folds
from miqanet.evaluation.results import read_rows
from miqanet.evaluation.rows import Row
from miqanet.evaluation.shipping import Answers

KINDS = ("motion", "noise")


@dataclass(frozen=True)
class Evaluated:
    answers: Answers
    roles: dict[int, Role]


@pytest.fixture
def evaluated() -> Evaluated:
    """Four subjects to validate with and four to test with: what is low has 0.6 and above, but for one image."""
    rng = np.random.default_rng(0)
    roles = {n: Role.VALIDATION if n < 4 else Role.TEST for n in range(8)}
    roles[8] = Role.HELD_OUT
    images, low_probability, artifacts, sources, clean = [], [], [], [], []
    for subject in range(8):
        part = "brain" if subject % 2 else "knee"
        for place in range(6):
            low = place < 3
            harms = (
                {"noise": 1.5} if place == 0 else {"motion": 1.2, "noise": 2.0} if low else {"motion": 0.5}
            )
            if place == 2:
                harms = {"motion": 1.1}
            images.append(ImageRecord(Path("x.png"), subject, "d", part, "", low, harms, simulated=True))
            missed = subject == 5 and place == 0
            low_probability.append(rng.uniform(0.6, 1) if low and not missed else rng.uniform(0, 0.4))
            artifacts.append([0.9 if kind in images[-1].kinds else 0.2 for kind in KINDS])
        sources.append(SourceRecord(Path("y.png"), subject, "d", part, ""))
        clean.append(0.99 if subject == 6 else 0.05)
    answers = Answers(
        images, np.array(low_probability), np.array(artifacts, np.float32), sources, np.array(clean)
    )
    return Evaluated(answers, roles)


SITES = (("site-a", "brain", 20), ("site-b", "knee", 12), ("site-c", "brain", 8))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Forty subjects of six images each; simulated raters vote on harms around 1."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    images, subjects, votes, hashes = [], [], [], {}
    for dataset, part, count in SITES:
        for _ in range(count):
            subjects.append(SubjectRecord(len(subjects) + 1, dataset, frozenset({part})))
            for k in range(6):
                number = len(images) + 1
                harm = float(np.exp(rng.normal(-0.3, 1)))
                cast = cast_votes(harm, rng)
                path = folder / f"{number:06d}.png"
                path.write_bytes(encode_png(rng.random((40, 32))))
                images.append(
                    ImageRecord(
                        path,
                        subjects[-1].subject,
                        dataset,
                        part,
                        "T1w" if k % 2 else "",
                        low=sum(cast) > 4,
                        harms={"motion" if k % 3 else "noise": harm},
                        simulated=True,
                        label_simulated=True,
                        image=number,
                        low_votes=sum(cast) / 8,
                    )
                )
                hashes[number] = f"content-{number}"
                votes.extend(
                    VoteRecord(number, rater.name, vote) for rater, vote in zip(RATERS, cast, strict=True)
                )
    return Data(
        images=images,
        subjects=subjects,
        subject_names={each.subject: f"{each.dataset}/{each.subject}" for each in subjects},
        sources=[],
        votes=votes,
        image_hashes=hashes,
        sha256="abc",
    )


@dataclass(frozen=True)
class Guess:
    """A method that sees the harm through noise, and too surely; it counts how often it learns."""

    name: str = "guess"
    noise: float = 0.3
    learned_from: frozenset[int] = frozenset()
    chosen_by: frozenset[int] = frozenset()
    body_parts: frozenset[str] | None = None
    fitted: list[tuple[int, int]] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"noise": self.noise}

    def fit(
        self,
        train: Sequence[ImageRecord],
        validation: Sequence[ImageRecord],
        folder: Path,
        tell: Callable[[str], None],
    ) -> Fitted:
        assert folder.is_dir()
        tell("learning")
        self.fitted.append((len(train), len(validation)))

        def predict(images: Sequence[ImageRecord]) -> np.ndarray:
            noise = np.array([np.random.default_rng(image.image).normal() for image in images])
            worst = np.array([max(image.harms.values()) for image in images])
            return 1 / (1 + np.exp(-20 * (np.log(worst) + self.noise * noise)))

        return Fitted(
            predict,
            "a desk",
            learned_from=self.learned_from,
            chosen_by=self.chosen_by,
            body_parts=self.body_parts,
        )


@pytest.fixture(scope="session")
def guess() -> type[Guess]:
    return Guess


@dataclass(frozen=True)
class Done:
    """A finished benchmark of two methods under P1 and P2, the better one under the reference's name."""

    out: Path
    made: dict[Protocol, list[Fold]]
    rows: dict[tuple[Protocol, str], Row]


@pytest.fixture(scope="session")
def done(world: Data, tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("benchmarks")
    made = {each: folds(each, world.images, world.subjects) for each in (Protocol.P1, Protocol.P2)}
    methods = [Guess("miqanet", 0.2), Guess("brisque", 1.0)]
    tasks = [
        Task(method, fold, out, world.sha256) for each in made.values() for fold in each for method in methods
    ]
    # Of the second method two rotations are not done.
    left = [t for t in tasks if t.method.name == "miqanet" or t.fold.name not in ("rotation-3", "rotation-4")]
    assert not run_tasks(left, tell=lambda _line: None, done=lambda _task: None)
    return Done(out, made, read_rows(out, made, METHODS, world))

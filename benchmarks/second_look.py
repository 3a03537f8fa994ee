"""What does a second look at images in doubt bring, and what does it cost? On validation images.

    python benchmarks/second_look.py DATABASE RUN                          (needs miqanet[benchmark])

RUN is a folder of `miqanet train`; its validation images are judged once, and once more turned by half. Of images
whose logit of low is nearer to 0 than each limit, the mean of both counts (`miqanet.preprocessing.DOUBT` was chosen
so). Accuracy is that of the scaled probability; decided without a person is what is outside the review band for 2 %
of misses and 5 % of false alarms; scaling and band are cross-validated over subjects. Each row is compared with one
look; in brackets stand 95 % intervals by bootstrap over subjects, paired.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.special import expit

from miqanet.database.folds import Role
from miqanet.evaluation.bootstrap import difference, estimate, stated
from miqanet.evaluation.calibration import decide_left_out
from miqanet.evaluation.data import Data
from miqanet.evaluation.metrics import Judged, accuracy, auc
from miqanet.evaluation.tables import percent, plain
from miqanet.screening.scaling import logits
from miqanet.training.checkpoints import weights_file
from miqanet.training.predict import predict
from miqanet.training.run import Run

_LIMITS = (0.0, 0.5, 1.0, 2.0, 3.0, np.inf)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path)
    parser.add_argument("run", type=Path)
    options = parser.parse_args()
    data = Data.read(options.database)
    roles = Run.read(options.run).roles(list(data.subjects), data.subject_names)
    images = [image for image in data.images if roles[image.subject] is Role.VALIDATION]
    once, mean = (
        logits(predict(weights_file(options.run), images, doubt=doubt).probability_low)
        for doubt in (0, np.inf)
    )
    low, subject = np.array([image.low for image in images]), np.array([image.subject for image in images])
    if data.simulated:
        print(f"On {data.simulated}.\n")
    headings = [f"{name}{less}" for name in ("AUC", "accuracy, %") for less in ("", ", less one look's")]
    headings = ["second look within", "of the images, %", *headings, "decided without a person, %"]
    print("|", " | ".join(headings), "|")
    print("|", " | ".join(["---"] * len(headings)), "|")
    first: tuple[Judged, ...] = ()
    for limit in _LIMITS:
        twice = np.abs(once) < limit
        judged = Judged(expit(np.where(twice, mean, once)), low, subject)
        decided = decide_left_out(judged)
        answers = judged, decided.judged
        first = first or answers
        cells = [f"{limit:g}", f"{100 * twice.mean():.0f}"]
        for figure, written, answer, at_first in zip(
            (auc, accuracy), (plain, percent), answers, first, strict=True
        ):
            cells.append(written(stated(estimate(figure, answer))))
            cells.append(written(stated(difference(figure, answer, at_first))) if limit else "–")
        cells.append(percent(stated(decided.figures()["decided"])))
        print("|", " | ".join(cells), "|")


if __name__ == "__main__":
    main()

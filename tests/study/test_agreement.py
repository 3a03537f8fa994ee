from __future__ import annotations

import json

import numpy as np
import pytest

from miqanet.consensus import (
    Ratings,
    cohen_kappas,
    dawid_skene,
    estimate,
    fleiss_kappa,
    gwet_ac1,
    krippendorff_alpha,
    leave_one_out,
    majority,
    rater_weights,
)
from miqanet.study.agreement import AgreementReport, assess_agreement, steps


def graded() -> Ratings:
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 4, size=(30, 1))
    values = np.where(rng.random((30, 4)) < 0.7, truth, rng.integers(1, 4, size=(30, 4))).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[0] = [1, 1, 2, 2]
    values[1] = np.nan
    return Ratings.of(values, raters=("Ann", "Ben", "Cat", "Dan"), items=[f"image {n}" for n in range(30)])


RATINGS = graded()


@pytest.fixture(scope="module")
def report() -> AgreementReport:
    return assess_agreement(RATINGS, resamples=100)


def test_overall_figures_are_those_of_the_library(report: AgreementReport) -> None:
    overall = report.figures["overall"]
    assert overall["fleiss_kappa"].value == fleiss_kappa(RATINGS)
    assert overall["gwet_ac1"].value == gwet_ac1(RATINGS)
    for level in ("nominal", "ordinal", "interval"):
        assert overall[f"krippendorff_alpha_{level}"].value == krippendorff_alpha(RATINGS, level)


def test_intervals_are_the_bootstraps_over_items_with_a_rating(report: AgreementReport) -> None:
    rated = RATINGS.take(np.delete(np.arange(30), 1))
    assert report.figures["overall"]["fleiss_kappa"] == estimate(fleiss_kappa, rated, resamples=100)
    for section, figures in report.figures.items():
        for name, figure in figures.items():
            assert figure.least <= figure.value <= figure.greatest, (section, name)


def test_figures_stand_beside_their_names(report: AgreementReport) -> None:
    figures = report.figures
    assert figures["pair_cohen_kappa"]["Ben, Dan"].value == cohen_kappas(RATINGS)[1, 3]
    assert figures["weight"]["Cat"].value == pytest.approx(rater_weights(RATINGS)[2])
    assert figures["fleiss_kappa_without"]["Dan"].value == leave_one_out(fleiss_kappa, RATINGS)[3]
    model = dawid_skene(RATINGS.one_hot)
    confusion = figures["dawid_skene_confusion"]
    assert confusion["Ben: 1 called 3"].value == pytest.approx(model.confusion[1, 0, 2], abs=1e-6)
    assert sum(confusion[f"Ann: 2 called {answer}"].value for answer in (1, 2, 3)) == pytest.approx(1)


def test_two_raters_cannot_be_spared() -> None:
    two = Ratings.of(RATINGS.values[2:, :2])
    assert not [
        section for section in assess_agreement(two, resamples=2).figures if section.endswith("_without")
    ]


def test_ticks_are_as_many_as_announced() -> None:
    ticks: list[int] = []
    assess_agreement(Ratings.of([[0, 1], [1, 1], [0, 0]]), resamples=7, tick=lambda: ticks.append(1))
    assert len(ticks) == steps(7) == 9


def test_json_holds_everything_and_no_nan(report: AgreementReport) -> None:
    content = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert content["overall"]["fleiss_kappa"]["value"] == fleiss_kappa(RATINGS)
    assert content["items"] == 30
    assert content["ratings"] + content["missing"] == 120
    assert set(report.figures) <= set(content)
    assert len(content["labels"]) == 30
    assert "image 0" in content["to_adjudicate"]
    assert content["labels"][0] == {
        "item": "image 0",
        "label": None,
        "tied": True,
        "fractions": [0.5, 0.5, 0],
        "posterior": report.model.posterior[0].tolist(),
    }
    assert content["labels"][1]["fractions"] == [None, None, None]
    labels = [label["label"] for label in content["labels"]]
    expected = majority(RATINGS).values
    assert labels == [None if np.isnan(value) else value for value in expected]


def test_nothing_rated_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing has been rated"):
        assess_agreement(Ratings.of(np.full((3, 2), np.nan), categories=(0, 1)))

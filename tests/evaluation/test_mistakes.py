from __future__ import annotations

from miqanet.evaluation.mistakes import mistakes, why
from miqanet.evaluation.protocols import Protocol


def test_the_surest_mistakes_come_first(done):
    row = done.rows[Protocol.P1, "brisque"]
    for low in (True, False):
        wrong = mistakes(row, low=low)
        assert wrong
        assert all(each.image.low == low and (each.probability_low >= 0.5) != low for each in wrong)
        distances = [abs(each.probability_low - 0.5) for each in wrong]
        assert distances == sorted(distances, reverse=True)
    counted = len(mistakes(row, low=True)) + len(mistakes(row, low=False))
    assert counted == int(((row.judged.probability_low >= 0.5) != row.judged.low).sum())


def test_mistakes_tell_votes_and_artifacts(done):
    wrong = mistakes(done.rows[Protocol.P1, "brisque"], low=True)
    kind, harm = next(iter(wrong[0].image.harms.items()))
    assert wrong[0].facts == f"{100 * wrong[0].image.low_votes:.0f} % of votes low, {kind} {harm:.2f}"
    said = why(wrong)
    split = sum(each.image.low_votes not in (0.0, 1.0) for each in wrong)
    assert f"{len(wrong)} images; {split} of {len(wrong)} with a split vote" in said
    assert why([]) == ""

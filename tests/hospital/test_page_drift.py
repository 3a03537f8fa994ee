from __future__ import annotations

import re
from datetime import date

import pytest
from statsmodels.stats.proportion import proportion_confint

from miqanet.hospital.page_drift import SCORES_HEIGHT, SHARE_HEIGHT, WIDTH, drift, wilson
from miqanet.hospital.rest_rows import ScoreDay
from miqanet.hospital.tallies import BINS

TODAY = date(2026, 3, 10)


def rows(scanner, day, counts, low=0):
    return [ScoreDay(scanner, day, tuple(counts.get(number, 0) for number in range(BINS)), low, 0)]


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 40), (3, 40), (400, 4000)])
def test_the_interval_is_wilsons(successes, trials):
    expected = proportion_confint(successes, trials, method="wilson")
    assert wilson(successes, trials) == pytest.approx(expected, abs=1e-6)


def test_a_days_figures_are_those_of_its_counts():
    (chart,) = drift(rows("MR 1", "2026-03-10", {0: 60, 12: 30, 19: 10}, low=20), TODAY, 30)
    (day,) = chart.days
    assert (day.judged, day.low, day.share) == (100, 20, 0.2)
    assert day.median == pytest.approx(0.025)
    assert day.least < 0.2 < day.most
    assert chart.share == 0.2


def test_days_are_drawn_where_they_belong():
    counts = rows("MR 1", "2026-02-09", {0: 100}) + rows("MR 1", "2026-03-10", {19: 100}, low=100)
    (chart,) = drift(counts, TODAY, 30)
    assert [day.x for day in chart.days] == pytest.approx([WIDTH / 60, WIDTH - WIDTH / 60])
    assert [chart.y(day.share) for day in chart.days] == [SHARE_HEIGHT, 0.0]
    ((_, path),) = chart.shades
    assert re.findall(r"M\S+ (\S+?)h", path) == [f"{SCORES_HEIGHT * 0.95:.1f}", "0.0"]
    assert chart.ticks[0] == (pytest.approx(WIDTH - WIDTH / 60), "10 Mar")


def test_scanners_share_a_scale_that_small_days_do_not_set():
    counts = rows("MR 1", "2026-03-10", {0: 96, 19: 4}, low=4) + rows("MR 2", "2026-03-10", {19: 2}, low=2)
    first, second = drift(counts, TODAY, 30)
    assert first.top == second.top == 0.05
    assert second.days[0].is_small
    assert second.y(second.days[0].share) == 0.0


def test_fuller_bins_are_darker():
    (chart,) = drift(rows("MR 1", "2026-03-10", {0: 90, 5: 9, 9: 1}), TODAY, 7)
    tops = {shade: path.partition("h")[0].split()[1] for shade, path in chart.shades}
    assert tops == {1: "50.0", 3: "70.0", 8: "95.0"}


def test_no_counts_give_no_chart():
    assert drift([], TODAY, 30) == []

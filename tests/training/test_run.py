from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from miqanet.database.folds import Role
from miqanet.database.records import SubjectRecord
from miqanet.training.run import RUN_FILE, Run

RUN = Run({"size": 64, "batch": 4, "workers": 1}, "abc", ("knee",), 0, True)
RUN_OF_ALL = replace(RUN, held_out=())


def test_a_run_reads_as_it_was_written(tmp_path):
    RUN.write(tmp_path)
    assert Run.read(tmp_path) == RUN


def test_time_hardware_and_processes_do_not_make_another_run():
    later = replace(RUN.took(12.34, "2 x Processor"), settings={**RUN.settings, "workers": 8})
    assert later.same_as(RUN)
    assert later.minutes == 12.3


def test_runs_of_before_there_was_a_choice_trained_miqanet():
    assert RUN.network == "miqanet"
    chosen = replace(RUN, settings={**RUN.settings, "network": "miqanet", "devices": 1})
    assert chosen.same_as(RUN)
    for other in ({"network": "vgg16"}, {"devices": 2}):
        assert not replace(RUN, settings={**RUN.settings, **other}).same_as(RUN)


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {**RUN.settings, "size": 128}},
        {"data_sha256": "def"},
        {"held_out": ()},
        {"fresh": False},
        {"started_from": {"weights": "shipped"}},
        {"started_from": {"pretrained": "resnet34.pth"}},
        {"labels_sha256": "ghi"},
    ],
)
def test_other_settings_or_data_make_another_run(change):
    assert not replace(RUN, **change).same_as(RUN)


def test_the_time_that_an_earlier_run_took_makes_no_other_run():
    continued = replace(RUN, started_from=asdict(replace(RUN, started_from=asdict(RUN))))
    earlier = replace(RUN, started_from=asdict(RUN.took(3, "A"))).took(0.1, "B")
    assert replace(RUN, started_from=asdict(earlier)).same_as(continued)
    assert not replace(RUN, started_from=asdict(replace(earlier, data_sha256="def"))).same_as(continued)


def test_what_began_with_imagenet_goes_back_to_no_earlier_run():
    first = replace(RUN, started_from={"pretrained": "resnet34.pth"})
    later = replace(RUN, started_from=asdict(first))
    assert later.lineage() == [first, later]
    with pytest.raises(ValueError, match="weights found, of which no training subjects are known"):
        replace(RUN, started_from={"weights": "found"}).lineage()


def test_a_run_that_began_with_another_is_known_again(tmp_path):
    continued = replace(RUN, started_from=asdict(RUN))
    continued.write(tmp_path)
    assert Run.read(tmp_path).same_as(continued)


def test_final_runs_finish_what_they_began_with_and_no_other_recipe():
    final = replace(RUN, started_from=asdict(RUN), final=True)
    again = replace(final, settings={**RUN.settings, "size": 512}, started_from=asdict(final))
    assert final.finishes(RUN)
    assert again.finishes(RUN)
    assert again.finishes(final)
    assert not again.finishes(again)
    assert not replace(again, started_from=asdict(replace(final, final=False))).finishes(RUN)
    assert not replace(again, started_from={"weights": "elsewhere"}).finishes(RUN)


def test_hardware_is_told_in_order_and_once():
    run = RUN.took(1, "2 x A").took(1, "2 x A").took(2, "B")
    assert run.hardware == "2 x A, then B"
    assert run.minutes == 4


def test_no_run_and_damaged_runs_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=RUN_FILE):
        Run.read(tmp_path)
    for content in ("{", "[]", "{}", json.dumps({"held_out": [], "color": 1})):
        (tmp_path / RUN_FILE).write_text(content)
        with pytest.raises(ValueError, match="damaged"):
            Run.read(tmp_path)


def test_roles_are_the_same_every_time_and_hold_out_what_is_named():
    subjects = [SubjectRecord(n, "d", frozenset({"knee" if n > 8 else "brain"})) for n in range(12)]
    names = {n: f"d/{n}" for n in range(12)}
    roles = RUN.roles(subjects, names)
    assert roles == RUN.roles(subjects[::-1], names)
    assert {n for n, role in roles.items() if role is Role.HELD_OUT} == {9, 10, 11}
    assert set(roles.values()) == set(Role)


def test_whom_an_earlier_run_trained_on_is_not_tested_on():
    subjects = [SubjectRecord(i, "site", frozenset({"brain"})) for i in range(10)]
    names = {i: f"site/{i}" for i in range(10)}
    roles = RUN_OF_ALL.roles(subjects, names)
    tested = next(subject for subject, role in roles.items() if role is Role.TEST)
    first = replace(RUN_OF_ALL, trained_on=(names[tested],))
    third = replace(RUN_OF_ALL, started_from=asdict(replace(RUN_OF_ALL, started_from=asdict(first))))
    assert third.roles(subjects, names) == {**roles, tested: Role.TRAIN}


def test_by_whom_an_earlier_run_chose_its_epoch_is_not_tested_on():
    subjects = [SubjectRecord(i, "site", frozenset({"brain"})) for i in range(10)]
    names = {i: f"site/{i}" for i in range(10)}
    roles = RUN_OF_ALL.roles(subjects, names)
    tested = next(subject for subject, role in roles.items() if role is Role.TEST)
    earlier = replace(RUN_OF_ALL, trained_on=(), validated_on=(names[tested],))
    following = replace(RUN_OF_ALL, started_from=asdict(earlier))
    assert following.roles(subjects, names) == {**roles, tested: Role.VALIDATION}


def test_whom_an_earlier_run_trained_on_cannot_be_held_out():
    subjects = [SubjectRecord(n, "d", frozenset({"knee" if n > 8 else "brain"})) for n in range(12)]
    names = {n: f"d/{n}" for n in range(12)}
    following = replace(RUN, started_from=asdict(replace(RUN_OF_ALL, trained_on=("d/9", "d/1"))))
    with pytest.raises(ValueError, match="learned from 1 of the subjects to hold out, such as d/9"):
        following.roles(subjects, names)

"""The commands around the rating room, from the first invitation to labels that training takes."""

from __future__ import annotations

import csv
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from miqanet.database.query import Database
from miqanet.database.study_schema import Participant, Presentation
from miqanet.study.creation import protocol_in_force
from miqanet.study.readings import Judgement, judge, order_of

LINK = re.compile(r"^(\S+) \((.*)\): http://127\.0\.0\.1:8000/join/([\w-]{43})$", re.MULTILINE)


@pytest.fixture
def place(database: Path, tmp_path: Path) -> Path:
    """A database of eight simulated images, to change."""
    return Path(shutil.copytree(database, tmp_path / "database"))


@pytest.fixture
def raters(tmp_path: Path) -> Path:
    path = tmp_path / "raters.csv"
    path.write_text("name,role\nann\nben\nboss,admin\n", encoding="utf-8")
    return path


def rate(place: Path, verdicts: dict[str, str | Sequence[str]]) -> None:
    """Let raters say the same of all their images, or in turn what is given."""
    with Database.open(place) as database, database.engine.begin() as connection:
        number, protocol = protocol_in_force(connection)
        query = (
            select(
                Participant.id, Participant.name, Presentation.id.label("presentation"), Presentation.position
            )
            .join(Presentation, Presentation.participant_id == Participant.id)
            .order_by(Participant.id, Presentation.position)
        )
        for row in connection.execute(query).all():
            if row.name not in verdicts:
                continue
            view = {"level": 1, "width": 2, "zoom": 1, "inverted": False, "background_boost": False}
            submission = str(uuid.uuid4())
            said = verdicts[row.name]
            verdict = said if isinstance(said, str) else said[row.position % len(said)]
            judgement = Judgement(row.presentation, submission, verdict, (), None, 2000, view)
            order = order_of(connection, row.id)
            judge(connection, row.id, order, number, protocol, judgement, datetime.now(UTC))


def test_create_prints_every_invitation_once(miqanet, place: Path, raters: Path) -> None:
    result = miqanet("study", "create", place, "--raters", raters, "--repeats", "50%", "--seed", 1)
    assert result.exit_code == 0, result.output
    invitations = {name: work for name, work, _ in LINK.findall(result.stdout)}
    images = invitations["ann"]
    assert re.fullmatch(r"\d+ images", images)
    assert invitations == {"ann": images, "ben": images, "boss": "administrator"}
    stored = (place / "database.sqlite").read_bytes()
    assert not any(token.encode() in stored for _, _, token in LINK.findall(result.stdout))
    again = miqanet("study", "create", place, "--raters", raters)
    assert again.exit_code == 2
    assert "a study already" in again.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--repeats", "many"), "many is no share"),
        (("--repeats", "90%"), "0 to 50%"),
        (("--per-image", 3), "there are 2"),
        (("--grades", 2), "3 to 7 grades"),
        (("--grades", 0), "3 to 7 grades"),
        (("--minimum-seconds", "inf"), "--minimum-seconds"),
        (("--tags", "a, a"), "artifact tags"),
        (("--tags", ""), "artifact tags"),
        (("--training", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_wrong_use_is_explained_and_begins_no_study(miqanet, place, raters, options, message) -> None:
    result = miqanet("study", "create", place, "--raters", raters, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "no study" in miqanet("study", "status", place).stderr


@pytest.mark.parametrize("command", ["status", "labels", "serve", "agreement"])
def test_without_a_study_the_way_to_one_is_named(miqanet, place: Path, command: str) -> None:
    result = miqanet("study", command, place)
    assert result.exit_code == 2
    assert "miqanet study create" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104
def test_other_machines_are_not_served_in_the_clear(miqanet, place: Path, raters: Path, host: str) -> None:
    miqanet("study", "create", place, "--raters", raters)
    result = miqanet("study", "serve", place, "--host", host)
    assert result.exit_code == 2
    assert "--behind-proxy" in result.stderr


def test_votes_become_labels_tables_and_figures(miqanet, place: Path, raters: Path, tmp_path: Path) -> None:
    miqanet("study", "create", place, "--raters", raters, "--name", "Two doctors")
    rate(place, {"ann": "low", "ben": "low"})
    status = miqanet("study", "status", place)
    assert status.exit_code == 0, status.output
    assert "Two doctors" in status.stdout
    assert re.search(r"ann .*100%.* \d{4}-\d\d-\d\d \d\d:\d\d ", status.stdout)

    refused = miqanet("study", "labels", place)
    assert refused.exit_code == 2
    assert "simulated raters" in refused.stderr
    labelled = miqanet("study", "labels", place, "--replace")
    assert labelled.exit_code == 0, labelled.output
    with Database.open(place) as opened:
        images = opened.images()
    assert len(images) == opened.image_count()
    assert all(image.low for image in images)

    for name in ("votes.csv", "votes.parquet"):
        exported = miqanet("study", "export", place, tmp_path / name)
        assert exported.exit_code == 0, exported.output
    rows = pq.read_table(tmp_path / "votes.parquet").to_pylist()
    assert len(rows) >= 2 * len(images)
    with (tmp_path / "votes.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(rows)
    again = miqanet("study", "export", place, tmp_path / "votes.csv")
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    assert miqanet("study", "export", place, tmp_path / "votes.csv", "--overwrite").exit_code == 0

    out = tmp_path / "agreement.json"
    figures = miqanet("study", "agreement", place, "--json", out, "--resamples", 10)
    assert figures.exit_code == 0, figures.output
    content = json.loads(out.read_text(encoding="utf-8"))
    assert content["study"] == "Two doctors"
    assert content["overall"]["percent_agreement"]["value"] == 1
    assert content["seconds"]["ann"]["value"] == 2
    assert len(content["labels"]) == len(images)
    assert "Seconds spent on an image" in figures.stdout
    assert "--item and --raters" in miqanet("study", "agreement", place, "--item", "x").stderr


def test_all_figures_of_a_scale_are_binarized_a_raters_own_too(
    miqanet, place: Path, raters: Path, tmp_path: Path
) -> None:
    options = ("--grades", 5, "--repeats", "50%", "--seed", 1)
    miqanet("study", "create", place, "--raters", raters, *options)
    assert "nothing has been rated" in miqanet("study", "agreement", place).stderr
    rate(place, {"ann": ("4", "5", "5"), "ben": ("1", "4")})
    kappas = []
    for binarize in ((), ("--binarize", 3)):
        out = tmp_path / f"{len(binarize)}.json"
        result = miqanet("study", "agreement", place, "--json", out, "--resamples", 5, *binarize)
        assert result.exit_code == 0, result.output
        kappas.append(json.loads(out.read_text(encoding="utf-8"))["intra_rater_kappa"]["ann"]["value"])
    # Four and five are the same once they are at least three, and so there is no agreement beyond chance.
    assert kappas[0] is not None
    assert kappas[1] is None


def test_ties_go_to_a_senior_reader_and_come_back(miqanet, place: Path, raters: Path, tmp_path: Path) -> None:
    miqanet("study", "create", place, "--raters", raters)
    rate(place, {"ann": "low", "ben": "high"})
    ties = tmp_path / "ties.csv"
    result = miqanet("study", "labels", place, "--replace", "--ties", ties)
    assert result.exit_code == 0, result.output
    assert "0 images labelled" in result.stdout
    text = ties.read_text(encoding="utf-8")
    assert miqanet("study", "labels", place, "--ties", ties).exit_code == 2
    ties.write_text(text.replace(",,", ",low,", 1).replace(",,", ",high,"), encoding="utf-8")
    decided = miqanet("study", "labels", place, "--decisions", ties)
    assert decided.exit_code == 0, decided.output
    with Database.open(place) as opened:
        images = opened.images()
    assert [image.low for image in images].count(True) == 1
    assert len(images) == opened.image_count()


def test_a_lost_invitation_is_replaced(miqanet, place: Path, raters: Path) -> None:
    miqanet("study", "create", place, "--raters", raters)
    result = miqanet("study", "invite", place, "ann", "--url", "https://rating.example/")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"https://rating\.example/join/[\w-]{43}\n", result.stdout)
    assert miqanet("study", "invite", place, "zoe").exit_code == 2


def test_a_port_that_is_taken_is_wrong_use(miqanet, place: Path, raters: Path) -> None:
    miqanet("study", "create", place, "--raters", raters)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = miqanet("study", "serve", place, "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "in use" in result.stderr


@pytest.mark.system
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_room_opens_and_is_closed_from_outside(
    miqanet, place: Path, raters: Path, free_port, end: signal.Signals
) -> None:
    created = miqanet("study", "create", place, "--raters", raters)
    token = LINK.search(created.stdout)[3]
    port = free_port()
    command = [sys.executable, "-c", "from miqanet.cli import main; main()", "study", "serve", place]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 300
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request("GET", f"/join/{token}")
                break
            except OSError:
                connection.close()
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        answer = connection.getresponse()
        assert answer.status == 303
        connection.close()
    finally:
        process.send_signal(end)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert f"open at http://127.0.0.1:{port}" in out
    assert "closed" in out
    # Links are keys: what was asked for is not logged.
    assert token not in out + err

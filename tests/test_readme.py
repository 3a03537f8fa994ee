"""The README does what it says: set-up commands, Python, links."""

import re
from pathlib import Path

import pytest
from PIL import Image

from miqanet.artifacts.phantom import phantom

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = "\n".join(README.splitlines()[:32])

SETUP = ["python3 -m pip install . && miqanet demo", "python3 -m pip install -e '.[dev]' && pytest"]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_first_screen_sets_everything_up_by_two_commands():
    assert [block.strip() for block in blocks(FIRST_SCREEN, "sh")] == SETUP


def test_setup_commands_are_the_only_ones_so_that_ci_finds_them():
    assert re.findall(r"^python3 -m pip install .*$", README, re.MULTILINE) == SETUP


def test_first_screen_says_what_it_is_not():
    assert "VCIP 2022" in FIRST_SCREEN
    assert "Not a medical device" in FIRST_SCREEN
    assert "are not public" in FIRST_SCREEN
    assert "simulated" in FIRST_SCREEN


@pytest.mark.parametrize("program", blocks(README, "python"))
def test_python_examples_run(program, tmp_path, monkeypatch, capsys):
    (tmp_path / "scans").mkdir()
    Image.fromarray((255 * phantom()).astype("uint8")).save(tmp_path / "scans" / "slice.png")
    (tmp_path / "scans" / "notes.txt").write_text("no image")
    monkeypatch.chdir(tmp_path)
    exec(program, {})  # noqa: S102
    printed = capsys.readouterr().out
    assert "notes.txt skipped:" in printed
    assert re.search(r"slice\.png (high|low)", printed)


def test_picture_is_small():
    assert (ROOT / "docs" / "images" / "report.png").stat().st_size < 200_000

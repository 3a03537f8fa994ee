import numpy as np
from PIL import Image
from typer.testing import CliRunner

from miqanet.artifacts import KINDS
from miqanet.cli import app


def sheet(*arguments):
    return CliRunner().invoke(app, ["artifacts", "sheet", *map(str, arguments)])


def test_sheet_draws_every_artifact_of_the_phantom(tmp_path):
    result = sheet("--out", tmp_path / "new" / "sheets")
    assert result.exit_code == 0, result.output
    assert sorted(path.stem for path in (tmp_path / "new" / "sheets").iterdir()) == list(KINDS)
    with Image.open(tmp_path / "new" / "sheets" / "spike.png") as picture:
        assert picture.mode == "L"
        assert np.ptp(np.asarray(picture)) > 200


def test_sheet_draws_the_artifacts_asked_for(tmp_path):
    assert sheet("--kind", "noise", "--kind", "metal", "--out", tmp_path).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metal.png", "noise.png"]


def test_sheet_reads_an_image(tmp_path):
    gradient = np.tile(np.linspace(0, 200, 48, dtype=np.uint8), (40, 1))
    Image.fromarray(gradient).save(tmp_path / "slice.png")
    result = sheet(tmp_path / "slice.png", "--kind", "noise", "--out", tmp_path / "sheets")
    assert result.exit_code == 0, result.output


def test_unknown_artifact_is_wrong_use(tmp_path):
    result = sheet("--kind", "halo", "--out", tmp_path)
    assert result.exit_code == 2
    assert "halo" in result.output


def test_missing_image_is_wrong_use(tmp_path):
    result = sheet(tmp_path / "absent.dcm", "--out", tmp_path)
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "afile").touch()
    for out in (tmp_path / "afile", tmp_path / "afile" / "below"):
        result = sheet("--kind", "noise", "--out", out)
        assert result.exit_code == 2
        assert "afile" in result.stderr

from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.database.manifest import absent, read_manifest, read_sources


def test_artifacts_phantoms_and_natural_folder_are_not_clean(clean: Path) -> None:
    entries = {str(Path(path).relative_to(clean)): entry for path, entry in read_manifest(clean).items()}
    spoiled = {name for name, entry in entries.items() if not entry.clean}
    assert spoiled == {"natural/ghosts.png", "site-a/noisy.png", "site-b/bottle.png"}
    assert {name for name, entry in entries.items() if entry.set_apart} == {"natural/ghosts.png"}
    assert entries["site-b/image_5.png"].body_part == "knee axial"
    assert entries["site-b/image_5.png"].subject == "subject_2"


def test_manifest_of_the_parent_is_used(clean: Path) -> None:
    assert read_manifest(clean / "site-a") == read_manifest(clean)


def test_no_manifest_says_nothing(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "elsewhere") == {}


def test_what_it_names_and_is_not_there_is_told(clean: Path) -> None:
    files = [str(path) for path in clean.rglob("*.png")]
    manifest = read_manifest(clean)
    assert absent(manifest, clean, files) == []
    (told,) = absent(manifest, clean, [file for file in files if not file.endswith("image_0.png")])
    assert Path(told.path).name == "image_0.png"
    assert absent(manifest, clean / "site-b", [file for file in files if "site-b" in file]) == []
    assert absent({}, clean, files) == []


def test_one_that_names_nothing_that_is_there_is_refused(clean: Path) -> None:
    table = clean / "MANIFEST.csv"
    table.write_text(table.read_text().replace("/image", "\\image").replace("/", "\\"))
    with pytest.raises(ValueError, match=r"MANIFEST\.csv names none of the files below .*forward slashes"):
        absent(read_manifest(clean), clean, [str(path) for path in clean.rglob("*.png")])


def test_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text("file,dataset,subject,body_part\n")
    with pytest.raises(ValueError, match="modality_contrast"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("column", ["natural_artifact", "natural_artefact"])
def test_either_spelling_leaves_out_what_has_artifacts(tmp_path: Path, column: str) -> None:
    columns = f"file,dataset,subject,body_part,modality_contrast,{column}"
    (tmp_path / "MANIFEST.csv").write_text(f"{columns}\na.png,d,s,brain,T1w,y\nb.png,d,s,brain,T1w,n\n")
    assert [entry.clean for entry in read_manifest(tmp_path).values()] == [False, True]


def test_sources_and_licenses_are_told_once_a_dataset(clean: Path, tmp_path: Path) -> None:
    columns = "file,dataset,subject,body_part,modality_contrast,source_repo,commit,licence"
    rows = [
        f"{name}.png,{dataset},s,brain,T1w,of/{dataset},abc,CC0"
        for name, dataset in (("a", "one"), ("b", "one"), ("c", "two"), ("d", "three"))
    ]
    (tmp_path / "MANIFEST.csv").write_text("\n".join([columns, *rows]))
    assert read_sources(tmp_path, {"one", "two"}) == [
        {"dataset": name, "source": f"of/{name}", "commit": "abc", "license": "CC0"}
        for name in ("one", "two")
    ]
    assert read_sources(clean, {"site-a"}) == []
    assert read_sources(tmp_path / "elsewhere" / "below", {"one"}) == []

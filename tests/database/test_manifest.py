from __future__ import annotations

from pathlib import Path

import pytest

from miqanet.database.manifest import read_manifest


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


def test_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text("file,dataset,subject,body_part\n")
    with pytest.raises(ValueError, match="modality_contrast"):
        read_manifest(tmp_path)

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydicom.uid import UID

from miqanet.database.pseudonyms import Pseudonyms, create_key, keep_apart, read_key

ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)


def test_a_key_gives_an_identity_one_pseudonym_and_another_key_another() -> None:
    assert ONE.name("subject", "4711") == ONE.name("subject", "4711")
    names = {ONE.name("subject", "4711"), OTHER.name("subject", "4711"), ONE.name("subject", "4712")}
    assert len({*names, ONE.name("rater", "4711")}) == 4
    assert not any("4711" in name for name in names)


def test_uids_are_valid_and_consistent() -> None:
    uids = {ONE.uid(f"1.2.3.{n}") for n in range(500)}
    assert len(uids) == 500
    assert all(UID(uid).is_valid and len(uid) <= 64 for uid in uids)
    assert ONE.uid("1.2.3.1") == ONE.uid("1.2.3.1") != OTHER.uid("1.2.3.1")


def test_fingerprint_tells_keys_apart_and_does_not_give_them_away() -> None:
    assert ONE.fingerprint != OTHER.fingerprint
    assert len(bytes.fromhex(ONE.fingerprint)) == 8


def test_a_created_key_is_read_back_and_only_its_owner_may(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_key(path)
    assert len(read_key(path)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    create_key(tmp_path / "second")
    assert read_key(tmp_path / "second") != read_key(path)


def test_the_folder_of_a_key_is_made_for_its_owner_and_one_that_is_there_stays(tmp_path: Path) -> None:
    create_key(tmp_path / "keys" / "miqanet")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o750)
    create_key(tmp_path / "shared" / "miqanet")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o750


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path / "key")
    before = read_key(tmp_path / "key")
    with pytest.raises(FileExistsError, match="not overwritten"):
        create_key(tmp_path / "key")
    assert read_key(tmp_path / "key") == before


@pytest.mark.parametrize("content", ["", "secret", "ab" * 31, "é" * 64])
def test_a_file_without_a_key_is_an_error_that_does_not_quote_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(ValueError, match="holds no key") as error:
        read_key(tmp_path / "key")
    assert not content or content not in str(error.value)
    with pytest.raises(FileNotFoundError, match="--create-key"):
        read_key(tmp_path / "none")


def test_a_key_in_the_folder_is_refused_by_any_way_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "database"
    (folder / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    keep_apart(tmp_path / "key", folder)
    for key in (folder / "key", folder / "below" / "key", tmp_path / "link" / "key"):
        with pytest.raises(ValueError, match="lies in"):
            keep_apart(key, tmp_path / "elsewhere", folder)

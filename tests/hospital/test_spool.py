from __future__ import annotations

import errno
import os
import stat
from io import BytesIO
from pathlib import Path

import pytest

NOON = 1_767_355_200.0


def test_what_was_written_is_there(spool):
    path = spool.new_path(NOON)
    spool.write(path, BytesIO(b"object"))
    assert spool.file(path).read_bytes() == b"object"


def test_objects_of_a_day_lie_together_under_names_of_their_own(spool):
    paths = {spool.new_path(NOON) for _ in range(100)}
    assert len(paths) == 100
    assert {Path(path).parent.as_posix() for path in paths} == {"images/20260102"}


def test_nobody_else_reads_objects(spool):
    path = spool.new_path(NOON)
    spool.write(path, BytesIO(b"object"))
    file = spool.file(path)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent)] == [0o600, 0o700]


def test_nothing_is_overwritten(spool):
    path = spool.new_path(NOON)
    spool.write(path, BytesIO(b"first"))
    with pytest.raises(FileExistsError):
        spool.write(path, BytesIO(b"second"))
    assert spool.file(path).read_bytes() == b"first"


def test_object_and_name_are_on_the_disk_before_write_returns(spool, monkeypatch):
    synced = []
    sync = os.fsync

    def record(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    path = spool.new_path(NOON)
    spool.write(path, BytesIO(b"object"))
    file = spool.file(path).resolve()
    assert synced == [file.parent.parent, file, file.parent]


def test_a_folder_that_another_process_has_made_is_put_on_the_disk_too(spool, monkeypatch):
    path = spool.new_path(NOON)
    spool.file(path).parent.mkdir()
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").resolve())
    )
    spool.write(path, BytesIO(b"object"))
    assert spool.file("images").resolve() in synced
    synced.clear()
    spool.write(spool.new_path(NOON), BytesIO(b"object"))
    assert len(synced) == 2


def test_an_object_that_the_disk_has_no_room_for_leaves_nothing(spool, monkeypatch):
    def refuse(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool.write(spool.new_path(NOON), BytesIO(b"object"))
    monkeypatch.setattr(os, "fsync", refuse)
    path = spool.new_path(NOON)
    with pytest.raises(OSError, match="No space left"):
        spool.write(path, BytesIO(b"object"))
    assert not spool.file(path).exists()


def test_old_objects_are_found_and_days_without_any_removed(spool):
    old, new = spool.new_path(NOON), spool.new_path(NOON + 86_400)
    for path in (old, new):
        spool.write(path, BytesIO(b"object"))
    os.utime(spool.file(old), (NOON, NOON))
    assert list(spool.written_before(NOON + 1)) == [old]
    spool.delete(old)
    spool.delete(old)
    spool.drop_empty_days(NOON + 86_400)
    assert not spool.file(old).parent.exists()
    assert spool.file(new).exists()


def test_the_folder_of_today_stays_though_it_is_empty(spool):
    path = spool.new_path(NOON)
    spool.write(path, BytesIO(b"object"))
    spool.delete(path)
    spool.drop_empty_days(NOON)
    assert spool.file(path).parent.is_dir()

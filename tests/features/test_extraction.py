from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from miqanet.features import METHODS, bliinds2, brisque
from miqanet.features.extraction import extract
from miqanet.features.gray import to_gray
from miqanet.image import MRImage
from miqanet.reading import ReadError


def image(name: str, rows: int = 64, columns: int = 70, **known: str) -> MRImage:
    rng = np.random.default_rng(len(name))
    return MRImage(rng.uniform(0, 900, (rows, columns)).astype(np.float32), name, 2, **known)


def test_a_row_has_what_is_known_and_the_vectors_in_order() -> None:
    shown = image("a.dcm", series_instance_uid="1.2", sop_instance_uid="1.2.3", patient="Doe^Jane")
    (row,) = extract([shown], ["bliinds2", "brisque"])
    assert (row.path, row.frame, row.rows, row.columns) == ("a.dcm", 2, 64, 70)
    assert (row.series_instance_uid, row.sop_instance_uid, row.error) == ("1.2", "1.2.3", "")
    assert "Doe" not in repr(row)
    np.testing.assert_array_equal(row.vectors[0], bliinds2(to_gray(shown.pixels)))
    np.testing.assert_array_equal(row.vectors[1], brisque(to_gray(shown.pixels)))


def test_what_could_not_be_read_is_a_row_with_its_reason() -> None:
    rows = list(extract([ReadError("b.png", 0, "empty file: zero bytes"), image("c.png")], ["brisque"]))
    assert [row.path for row in rows] == ["b.png", "c.png"]
    assert rows[0].error == "empty file: zero bytes"
    assert rows[0].vectors == ()


def test_a_method_that_an_image_is_too_small_for_leaves_the_others() -> None:
    (row,) = extract([image("small.png", 30, 40)], ["diivine", "brisque"])
    assert row.vectors[0] is None
    assert row.vectors[1] is not None
    assert row.error == "DIIVINE takes images of at least 60 x 60 pixels, not 30 x 40"


def test_images_are_drawn_as_they_are_needed() -> None:
    drawn = 0

    def endless() -> Iterator[MRImage]:
        nonlocal drawn
        while True:
            drawn += 1
            yield image(f"{drawn}.png", 16, 16)

    rows = extract(endless(), ["brisque"])
    next(rows)
    rows.close()
    assert drawn == 1


@pytest.mark.system
def test_processes_give_the_same_rows_in_the_same_order() -> None:
    items = [image("x" * number) for number in range(1, 9)]
    items.insert(3, ReadError("bad", 0, "no image"))  # type: ignore[arg-type]
    alone = list(extract(items, list(METHODS)))
    side_by_side = list(extract(items, list(METHODS), workers=2))
    assert [row.path for row in side_by_side] == [item.path for item in items]
    for one, other in zip(alone, side_by_side, strict=True):
        assert len(one.vectors) == len(other.vectors)
        for a, b in zip(one.vectors, other.vectors, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_a_method_that_needs_too_much_memory_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(_: np.ndarray) -> None:
        raise MemoryError

    monkeypatch.setitem(METHODS, "bliinds2", exhaust)
    (row,) = extract([image("a.dcm")], ["bliinds2", "brisque"])
    assert row.error == "bliinds2 needs more memory than there is"
    assert row.vectors[0] is None
    assert row.vectors[1] is not None

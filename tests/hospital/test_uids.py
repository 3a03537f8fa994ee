from __future__ import annotations

from pydicom.uid import UID

from miqanet.hospital.uids import derived_uid, random_uid


def test_random_identifiers_are_valid_and_differ():
    one, other = random_uid(), random_uid()
    assert one != other
    assert UID(one).is_valid


def test_a_derived_identifier_is_the_same_each_time_and_no_other():
    assert derived_uid("1.2.3", "series") == derived_uid("1.2.3", "series")
    assert len({derived_uid(uid, name) for uid in ("1.2.3", "1.2.4") for name in ("a", "b")}) == 4
    assert UID(derived_uid("1.2.3", "series")).is_valid

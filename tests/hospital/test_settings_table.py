from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from miqanet.hospital.settings_table import ConfigError, Table

FILE = Path("/etc/miqanet/miqanet.toml")


def table(**values: Any) -> Table:
    return Table(values, FILE, "part")


def test_values_come_as_they_are_meant():
    values = table(
        text="a",
        title=" SCANNER ",
        host="pacs.hospital",
        number=5,
        flag=True,
        path="below/it",
        networks=["10.0.0.1", "10.1.0.0/16"],
    )
    assert values.text("text") == "a"
    assert values.ae_title("title") == "SCANNER"
    assert values.host("host") == "pacs.hospital"
    assert values.number("number") == 5
    assert values.flag("flag", default=False)
    assert values.path("path") == FILE.parent / "below" / "it"
    assert values.networks("networks") == (ip_network("10.0.0.1/32"), ip_network("10.1.0.0/16"))
    values.finish()


def test_defaults_stand_for_what_is_missing():
    values = table()
    assert (values.text("a", "b"), values.number("c", 7), values.flag("d", default=False)) == ("b", 7, False)
    assert values.tables("e") == []
    values.table("f").finish()


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", 5),
        ("text", " "),
        ("ae_title", "A" * 17),
        ("ae_title", "Ä"),
        ("ae_title", "A\\B"),
        ("host", "pacs..hospital"),
        ("host", "a" * 64),
        ("host", "my pacs"),
        ("host", "pacs\0"),
        ("number", "5"),
        ("number", True),
        ("number", 0),
        ("port", 65536),
        ("existing_file", "/nowhere/key.pem"),
        ("networks", "10.0.0.1"),
        ("networks", []),
        ("networks", ["10.0.0.300"]),
        ("networks", ["10.0.0.1", 7]),
        ("table", 5),
        ("tables", {"a": 1}),
        ("tables", [5]),
    ],
)
def test_an_unusable_value_is_named_with_file_and_key(method, value):
    with pytest.raises(ConfigError, match=r"^/etc/miqanet/miqanet\.toml: part\.key: \w"):
        getattr(table(key=value), method)("key")


def test_a_missing_value_without_default_is_named():
    with pytest.raises(ConfigError, match=r"part\.key: it is missing"):
        table().text("key")


def test_an_unknown_key_is_named():
    with pytest.raises(ConfigError, match=r"part\.retension: there is no such key"):
        table(retension=5).finish()


def test_keys_of_tables_within_are_named_in_full():
    inner = table(peers=[{}, {"addresses": []}]).tables("peers")[1]
    with pytest.raises(ConfigError, match=r"part\.peers\[2\]\.addresses"):
        inner.networks("addresses")


def test_zero_is_a_number_where_it_is_allowed():
    assert table(key=0).number("key", least=0) == 0
    assert not table(key=False).flag("key", default=True)

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from miqanet.hospital.config import (
    AuditFile,
    AuditSyslog,
    Config,
    CStoreArchive,
    StowArchive,
    Tls,
    read_config,
)
from miqanet.hospital.settings_table import ConfigError

LEAST = """
[[dicom.peers]]
ae_title = "SCANNER1"
addresses = ["10.0.3.17"]

[storage]
spool = "spool"
"""


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Config]:
    """Return a reader of a configuration given as text, beside which `a.pem` lies."""
    (tmp_path / "a.pem").touch()

    def read(text: str) -> Config:
        (tmp_path / "miqanet.toml").write_text(text, encoding="utf-8")
        return read_config(tmp_path / "miqanet.toml")

    return read


def test_the_least_configuration_listens_on_this_machine_only(config, tmp_path):
    read = config(LEAST)
    assert (read.dicom.bind, read.web.bind) == ("127.0.0.1", "127.0.0.1")
    assert (read.dicom.ae_title, read.dicom.port, read.dicom.tls) == ("MIQANET", 11112, None)
    assert read.storage.spool == tmp_path / "spool"
    assert read.storage.database_url == f"sqlite:///{tmp_path}/spool/node.sqlite"
    assert (read.web.tls, read.web.https, read.web.proxy) == (None, False, None)
    assert read.archives == ()
    assert not read.results.heat_maps
    assert read.audit == AuditFile(tmp_path / "audit.log")


def test_only_listed_callers_are_admitted(config):
    dicom = config(LEAST).dicom
    assert dicom.admits("SCANNER1", "10.0.3.17")
    assert dicom.admits("SCANNER1 ", "10.0.3.17")
    assert not dicom.admits("SCANNER1", "10.0.3.18")
    assert not dicom.admits("SCANNER2", "10.0.3.17")
    assert not dicom.admits("SCANNER1", "::1")


def test_an_address_of_version_4_is_known_on_a_socket_of_version_6(config):
    assert config(LEAST).dicom.admits("SCANNER1", "::ffff:10.0.3.17")


def test_nobody_listed_is_an_error(config):
    with pytest.raises(ConfigError, match=r"dicom\.peers: name at least one sender"):
        config('[storage]\nspool = "spool"')


def test_archives_of_both_kinds(config, tmp_path):
    read = config(
        LEAST
        + """
[[archives]]
name = "pacs"
ae_title = "PACS"
host = "pacs.hospital"
port = 104
tls = { certificate = "a.pem", key = "a.pem", authorities = "a.pem" }

[[archives]]
name = "web"
url = "https://pacs.hospital/dicom-web/"
authorization = "a.pem"
"""
    )
    pem = tmp_path / "a.pem"
    assert read.archives == (
        CStoreArchive("pacs", "PACS", "pacs.hospital", 104, Tls(pem, pem, pem)),
        StowArchive("web", "https://pacs.hospital/dicom-web", pem, None),
    )


def test_two_archives_of_one_name_are_refused(config):
    archive = '[[archives]]\nname = "pacs"\nurl = "http://localhost"\n'
    with pytest.raises(ConfigError, match=r"archives\[2\]\.name: two archives are called 'pacs'"):
        config(LEAST + archive + archive)


def test_audit_messages_can_go_to_syslog(config, tmp_path):
    audit = config(LEAST + '[audit]\nsyslog = "log.hospital"\nauthorities = "a.pem"\n').audit
    assert audit == AuditSyslog("log.hospital", 6514, tmp_path / "a.pem")


def test_headers_count_only_from_the_proxys_addresses(config):
    proxy = config(LEAST + '[web.proxy]\naddresses = ["10.0.0.1"]\nadmins = ["pacs"]\n').web.proxy
    assert proxy.admins == {"pacs"}
    assert proxy.readers == proxy.names == frozenset()
    assert proxy.is_at("10.0.0.1")
    assert proxy.is_at("::ffff:10.0.0.1")
    assert not proxy.is_at("10.0.0.2")
    assert not proxy.is_at("")


def test_with_tls_of_its_own_the_page_is_reached_by_https(config, tmp_path):
    web = config(LEAST + '[web.tls]\ncertificate = "a.pem"\nkey = "a.pem"\n').web
    assert web.tls.key == tmp_path / "a.pem"
    assert web.https
    assert config(LEAST + '[web]\nhttps = false\ntls = { certificate = "a.pem", key = "a.pem" }\n').web.https


def test_other_machines_reach_the_page_by_tls_alone(config):
    for address in ("127.0.0.9", "::1", "localhost"):
        assert config(f'{LEAST}[web]\nbind = "{address}"\n').web.bind == address
    assert config(LEAST + '[web]\nbind = "10.0.0.1"\nhttps = true\n').web.https


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('database_url = "postgresql://x/y"', r"storage\.database_url: it begins with sqlite:///"),
        ("retention_days = 0", r"storage\.retention_days: write a whole number from 1"),
        ('[web]\nhost = "0.0.0.0"', r"web\.host: there is no such key"),
        ('[web]\nbind = "0.0.0.0"', r"web\.bind: .* in the clear"),
        ('[web]\nbind = "pacs.hospital"', r"web\.bind: .* in the clear"),
        ('[web.proxy]\naddresses = ["10.0.0.1"]\nadmins = "x"', r"web\.proxy\.admins: write a list"),
        ("[web.proxy]", r"web\.proxy\.addresses: it is missing"),
        ("[results]\nidle_seconds = 1.5", r"results\.idle_seconds: write a whole number"),
        ("[dicomm]\nport = 104", r"dicomm: there is no such key"),
        ('[[archives]]\nname = "a"\nurl = "ftp://x"', r"archives\[1\]\.url: write it as https://HOST"),
        ('[[archives]]\nname = "a"\nurl = "https://x:99999"', r"archives\[1\]\.url: write it as"),
        ('[[archives]]\nname = "a"\nurl = "https:///dicom-web"', r"archives\[1\]\.url: write it as"),
        ('[[archives]]\nname = "a"\nurl = "http://pacs..hospital"', r"archives\[1\]\.url: write it as"),
        (
            '[[archives]]\nname = "a"\nae_title = "A"\nhost = "pacs..hospital"\nport = 104',
            r"archives\[1\]\.host: write the name of a machine",
        ),
        ('[audit]\nsyslog = "log..hospital"', r"audit\.syslog: write the name of a machine"),
        ('[[archives]]\nname = "a"\nhost = "x"', r"archives\[1\]\.ae_title: it is missing"),
        ('[audit]\nsyslog = "x"', r"audit\.authorities: it is missing"),
        ("[results", r"is no TOML file"),
    ],
)
def test_an_error_names_the_key(config, more, message):
    with pytest.raises(ConfigError, match=message):
        config(LEAST + more)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")


def test_a_password_in_a_url_is_never_shown(config):
    read = config(LEAST + 'database_url = "postgresql+pg8000://node:secret@db/node"')
    assert "secret" in read.storage.database_url
    assert "secret" not in repr(read)


def test_the_configuration_in_the_documentation_can_be_read(config, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "reference" / "node-configuration.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "tls").mkdir()
    for name in re.findall(r'"(tls/[^"]+)"', example):
        (tmp_path / name).touch()
    read = config(example)
    assert isinstance(read.audit, AuditSyslog)
    assert [archive.name for archive in read.archives] == ["pacs", "web"]
    assert read.dicom.tls is not None

"""A certificate and its key from files: which are taken, which refused, and a new one meanwhile."""

import os
from pathlib import Path

import pytest

from msgd.net import SecurityError
from msgd.os_tls import OsSecurity
from tests.msgd.certificates import FIRST, SECOND, FakeTlsClient, client_context, der, put
from tests.msgd.fake_net import FakeChannel
from wire.certificate import read_binding, read_end_ms, read_pin


def security(folder: Path) -> OsSecurity:
    return OsSecurity(*put(folder), os.getuid())


def test_what_a_certificate_says(tmp_path: Path) -> None:
    made = security(tmp_path)
    assert made.pin == read_pin(der(FIRST))
    assert made.binding == read_binding(der(FIRST))
    assert made.end_ms == read_end_ms(der(FIRST))
    channel = made.protect(FakeChannel("x"))
    assert channel.binding == made.binding


def test_a_new_certificate_is_for_new_connections(tmp_path: Path) -> None:
    made = security(tmp_path)
    carriers = FakeChannel("old"), FakeChannel("new")
    old = made.protect(carriers[0])
    assert not made.renew()
    put(tmp_path, SECOND)
    assert made.renew()
    for carrier, channel, pair in zip(
        carriers, (old, made.protect(carriers[1])), (FIRST, SECOND), strict=True
    ):
        client = FakeTlsClient(carrier, client_context(pair))
        client.shake()
        channel.shake()
        assert client.shake()
        assert channel.shake() is None
        assert client.engine.getpeercert(binary_form=True) == der(pair)
        assert channel.binding == read_binding(der(pair))


def test_a_broken_file_leaves_the_old_certificate(tmp_path: Path) -> None:
    made = security(tmp_path)
    pin = made.pin
    (tmp_path / "key.pem").write_text(SECOND[1])
    with pytest.raises(SecurityError, match="the key is not the one of the certificate"):
        made.renew()
    assert made.pin == pin
    carrier = FakeChannel("x")
    client = FakeTlsClient(carrier)
    client.shake()
    channel = made.protect(carrier)
    channel.shake()
    assert client.shake()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_that_only_its_owner_reads(tmp_path: Path, mode: int) -> None:
    paths = put(tmp_path)
    (tmp_path / "key.pem").chmod(mode)
    OsSecurity(*paths, os.getuid())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])
def test_a_key_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    paths = put(tmp_path)
    (tmp_path / "key.pem").chmod(mode)
    with pytest.raises(SecurityError, match=rf"mode {mode:04o}.*chmod 600"):
        OsSecurity(*paths, os.getuid())


def test_a_key_behind_a_link_is_refused(tmp_path: Path) -> None:
    certificate, key = put(tmp_path)
    (tmp_path / "link").symlink_to(key)
    with pytest.raises(SecurityError, match="is a symbolic link"):
        OsSecurity(certificate, str(tmp_path / "link"), os.getuid())


def test_a_key_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    paths = put(tmp_path)
    if os.getuid() == 0:
        os.chown(paths[1], 65_534, -1)
    with pytest.raises(SecurityError, match="belongs to another user"):
        OsSecurity(*paths, os.getuid() or 1)


def test_files_that_are_none(tmp_path: Path) -> None:
    certificate, key = put(tmp_path)
    with pytest.raises(SecurityError, match="is not there; msgd cert makes"):
        OsSecurity(certificate, str(tmp_path / "nowhere"), os.getuid())
    with pytest.raises(SecurityError, match="is not a file"):
        OsSecurity(str(tmp_path), key, os.getuid())
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecurityError, match="is not a file"):
        OsSecurity(certificate, str(tmp_path / "pipe"), os.getuid())
    with pytest.raises(SecurityError, match="cannot be read: not a directory"):
        OsSecurity(certificate + "/x", key, os.getuid())


@pytest.mark.parametrize(
    "text", ["", "nonsense", FIRST[1], FIRST[0].replace("M", "N"), FIRST[0][:200]]
)
def test_a_certificate_that_is_none(tmp_path: Path, text: str) -> None:
    paths = put(tmp_path, (text, FIRST[1]))
    with pytest.raises(SecurityError, match="must be PEM files"):
        OsSecurity(*paths, os.getuid())


SMALL = (
    """\
-----BEGIN CERTIFICATE-----
MIIBeTCCASOgAwIBAgIUEpUylNmEh2MIWQQ/bDZLAbS3aRkwDQYJKoZIhvcNAQEL
BQAwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjIyMTAwNloYDzIwNTEw
NzE0MjIxMDA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwXDANBgkqhkiG9w0BAQEF
AANLADBIAkEAtMKYTeZ3Xyw/3MYYHyt1DtRBfnMFoBh6AsW8ycAg1GnkMjRV1Vme
1lV0W1hVRvR1UpK4AEPp8s+mNyBd21PIqwIDAQABo0swSTAMBgNVHRMBAf8EAjAA
MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUCoktWwSg53zx
HUzU+zmPL4GLFFcwDQYJKoZIhvcNAQELBQADQQCRanoHw58aRp5R6/QYLUdTgEaZ
5ZweYADYxRkNg0rVbH//cd2CESFOJPzI183oEWW39WoYqWoh6ITJc58axj8C
-----END CERTIFICATE-----
""",
    """\
-----BEGIN PRIVATE KEY-----
MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAtMKYTeZ3Xyw/3MYY
Hyt1DtRBfnMFoBh6AsW8ycAg1GnkMjRV1Vme1lV0W1hVRvR1UpK4AEPp8s+mNyBd
21PIqwIDAQABAkAi70D0PUhw0mJ9TqO20nVLKmaGA8DgkhpykrjL3R/7LTCjLZtc
RWmpb6lWrNCcXElTRyxRES1ONjBQnoUqLDXRAiEA5ayG0sP1NAhfqLZoQC7OSY9e
Wyb9IY3RaP+Pvvo7PJcCIQDJesIyoNanix0m6bwnLh8Fu6z+X/oNVBDnbDgt15GT
DQIgAX8VRcxHDba8QNInbbugVnRbrgZcAdr1sVRw8FKbDjMCIFmPY/u1WzWmtRKz
G5we+FNIFaINb8207L6ycFaQWHmRAiEAkvSZB9V6pv9dERBE5rpdUfPt5xln5srF
bxwTNG2nu9A=
-----END PRIVATE KEY-----
""",
)
"""512 bits of RSA."""

ENCRYPTED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhFnNFBPVx/hAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEAUM12ydjROFtBgjhopVURwEgZDK
SIJjkMnsIJH3BKYooysVVjqbVbAbCdJFzGviUMRrsCtsONy51I4ILONHyRLi5q96
ihcIASdPXMbTjCIcoAf2F+R0DDcgTvC4ASioxbmOtAN3qMENm8v7P9ltBNYkZK6S
swThfMIPl2Dxvf9X/HuAXVnMP2SeHgBH/4oIZVwngakMZUIUHSqiliXezPcKFxg=
-----END ENCRYPTED PRIVATE KEY-----
"""


def test_what_is_no_pem_file_at_all_is_called_so(tmp_path: Path) -> None:
    paths = put(tmp_path, (FIRST[0], "nonsense"))
    with pytest.raises(SecurityError, match="cannot be used: one is no PEM file;"):
        OsSecurity(*paths, os.getuid())


def test_a_key_that_is_too_small_for_tls_is_found_at_the_start(tmp_path: Path) -> None:
    paths = put(tmp_path, SMALL)
    with pytest.raises(SecurityError, match="too small"):
        OsSecurity(*paths, os.getuid())


def test_an_encrypted_key_is_not_asked_for_on_the_terminal(tmp_path: Path) -> None:
    paths = put(tmp_path, (FIRST[0], ENCRYPTED_KEY))
    with pytest.raises(SecurityError, match="must not be encrypted"):
        OsSecurity(*paths, os.getuid())

"""Pins and bindings of a certificate that the openssl command made; it says the same pin."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.certificate import CERTIFICATE_BYTES_MAX, read_binding, read_end_ms, read_pin
from wire.errors import CertificateError

CERTIFICATE = base64.b64decode(
    "MIIBdTCCARugAwIBAgIUJud1wyW6bJZQEDu9un2mJk5IabowCgYIKoZIzj0EAwIw"
    "FjEUMBIGA1UEAwwLZXhhbXBsZS5vcmcwHhcNMjYxMTIyMjA1MzA2WhcNNDYxMTE3"
    "MjA1MzA2WjAWMRQwEgYDVQQDDAtleGFtcGxlLm9yZzBZMBMGByqGSM49AgEGCCqG"
    "SM49AwEHA0IABIwue0dhOFmOjnwWOxGR20vnQGW30P7mVr23++aTN2wcw/bJ8TYk"
    "ni4EVCigrQe1PFJpE5hD8mg1SdlJD9JdTvqjRzBFMAwGA1UdEwEB/wQCMAAwFgYD"
    "VR0RBA8wDYILZXhhbXBsZS5vcmcwHQYDVR0OBBYEFNt1y2DtwCoJogaP+duHJGfR"
    "esjLMAoGCCqGSM49BAMCA0gAMEUCIQDRWgaGS6TwMFeOudkiYfZSuKm0qdnP4nb8"
    "ivz3j2LplgIgPZgn5JEoaRtJc1A2QRxtKhCgT2WTiOMA2+Cux4zhCpg="
)
ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
NOT_AFTER = b"461117205306Z"


def signed_with(last: int) -> bytes:
    """The same, as if signed in another way."""
    return CERTIFICATE.replace(ECDSA_SHA256, ECDSA_SHA256[:-1] + bytes([last]))


def element(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content


def rebuilt(old: bytes, new: bytes) -> bytes:
    """The same, with other bytes in its signed half."""
    signed = CERTIFICATE[8 : 8 + int.from_bytes(CERTIFICATE[6:8], "big")]
    assert signed.count(old) == 1
    return element(0x30, element(0x30, signed.replace(old, new)) + CERTIFICATE[8 + len(signed) :])


def first_version() -> bytes:
    """The same, without the version: which says version 1."""
    return rebuilt(b"\xa0\x03\x02\x01\x02", b"")


def with_end(tag: int, text: bytes) -> bytes:
    """The same, with another end."""
    start = b"\x17\x0d261122205306Z"
    new = start + bytes([tag, len(text)]) + text
    old = start + b"\x17\x0d" + NOT_AFTER
    return rebuilt(b"\x30" + bytes([len(old)]) + old, b"\x30" + bytes([len(new)]) + new)


def test_the_pin_is_what_openssl_says() -> None:
    assert read_pin(CERTIFICATE) == "sha256//vUckVevXcCHVqNrSzV05KJ2Fnd2zAi+tHuudXPbeN4k="


def test_a_certificate_of_the_first_version_has_its_key_one_place_earlier() -> None:
    assert read_pin(first_version()) == read_pin(CERTIFICATE)
    assert read_end_ms(first_version()) == read_end_ms(CERTIFICATE)


def test_the_end_is_what_openssl_says() -> None:
    assert read_end_ms(CERTIFICATE) == 2_426_100_786_000  # Nov 17 20:53:06 2046 GMT


@pytest.mark.parametrize(
    ("text", "end_ms"),
    [(b"491231235959Z", 2_524_607_999_000), (b"500101000000Z", -631_152_000_000)],
)
def test_two_digits_of_a_year_mean_1950_to_2049(text: bytes, end_ms: int) -> None:
    assert read_end_ms(CERTIFICATE.replace(NOT_AFTER, text)) == end_ms


@pytest.mark.parametrize("text", [b"461317205306Z", b"46111720530\xff", b"4611172053060"])
def test_an_end_that_is_no_time(text: bytes) -> None:
    with pytest.raises(CertificateError, match="no time"):
        read_end_ms(CERTIFICATE.replace(NOT_AFTER, text.ljust(13, b"x")))


def test_an_end_far_away_has_four_digits() -> None:
    assert read_end_ms(with_end(0x18, b"20461117205306Z")) == 2_426_100_786_000
    assert read_end_ms(with_end(0x18, b"20811117205306Z")) == 3_530_638_386_000


@pytest.mark.parametrize(
    ("tag", "text"), [(0x18, NOT_AFTER), (0x16, NOT_AFTER), (0x30, b""), (0x17, b"")]
)
def test_an_end_of_another_kind(tag: int, text: bytes) -> None:
    with pytest.raises(CertificateError, match="no time"):
        read_end_ms(with_end(tag, text))


@pytest.mark.parametrize(
    ("last", "name"), [(1, "sha224"), (2, "sha256"), (3, "sha384"), (4, "sha512"), (9, "sha256")]
)
def test_the_binding_takes_the_hash_of_the_signature(last: int, name: str) -> None:
    certificate = signed_with(last)
    assert read_binding(certificate) == hashlib.new(name, certificate).digest()


def test_a_certificate_may_be_so_long_and_no_longer() -> None:
    longest = CERTIFICATE + bytes(CERTIFICATE_BYTES_MAX - len(CERTIFICATE))
    assert read_pin(longest) == read_pin(CERTIFICATE)
    with pytest.raises(CertificateError, match="too long"):
        read_pin(longest + b"\0")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "too early"),
        (b"\x30", "too early"),
        (b"\x31\x00", "something else"),
        (b"\x30\x80", "a length"),
        (b"\x30\x84\0\0\0\0", "a length"),
        (b"\x30\x82\xff", "too early"),
        (b"\x30\x02\x30\x00", "too early"),
    ],
)
def test_what_is_no_certificate(data: bytes, words: str) -> None:
    for read in (read_pin, read_binding, read_end_ms):
        with pytest.raises(CertificateError, match=words):
            read(data)


@given(st.integers(0, len(CERTIFICATE) - 1))
def test_half_a_certificate_is_none(size: int) -> None:
    with pytest.raises(CertificateError):
        read_pin(CERTIFICATE[:size])


@given(st.integers(0, len(CERTIFICATE) - 1), st.integers(1, 255), st.binary(max_size=40))
def test_no_byte_of_it_breaks_anything(at: int, flip: int, extra: bytes) -> None:
    broken = bytearray(CERTIFICATE)
    broken[at] ^= flip
    for read in (read_pin, read_binding, read_end_ms):
        for data in (bytes(broken), bytes(broken[:at]) + extra, extra):
            try:
                read(data)
            except CertificateError:
                continue

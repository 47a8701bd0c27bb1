"""Who is shut out, for how long, and what the file says about it."""

import ipaddress

import pytest

from msgd.bans import BANS_MAX, Ban, BanError, Bans, decode, read_whom


def ban(whom: str, until_ms: int | None = None) -> Ban:
    return Ban(whom, 1_000, until_ms, "why")


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Bob", "bob"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.77/24", "192.0.2.0/24"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.1/120", "192.0.2.0/24"),
        ("::1", "::1/128"),
    ],
)
def test_whom_one_may_mean(text: str, kept: str) -> None:
    assert read_whom(text) == kept


def test_what_reads_as_an_address_may_be_a_name() -> None:
    assert read_whom("10.0.0.1", is_name=True) == "10.0.0.1"


@pytest.mark.parametrize("text", ["", "a b", "192.0.2.0/33", "bob/24", "\x1b"])
def test_what_can_be_nobody_is_refused(text: str) -> None:
    with pytest.raises(BanError):
        read_whom(text)


def test_a_ban_holds_until_its_moment_and_not_at_it() -> None:
    bans = Bans()
    bans.add(ban("bob", 5_000), 1_000)
    assert bans.of_user("bob", 4_999) is not None
    assert bans.of_user("bob", 5_000) is None
    assert bans.of_user("alice", 4_999) is None


def test_a_network_takes_in_all_of_its_addresses_and_no_other() -> None:
    bans = Bans()
    for whom in ("192.0.2.0/24", "198.51.100.7/32", "2001:db8::/64"):
        bans.add(ban(whom, 5_000), 0)
    assert bans.of_address(address("192.0.2.255"), 0) is not None
    assert bans.of_address(address("192.0.3.0"), 0) is None
    assert bans.of_address(address("198.51.100.7"), 0) is not None
    assert bans.of_address(address("198.51.100.8"), 0) is None
    assert bans.of_address(address("2001:db8::ffff"), 0) is not None
    assert bans.of_address(address("2001:db8:0:1::"), 0) is None
    assert bans.of_address(address("192.0.2.1"), 5_000) is None


def test_taking_back() -> None:
    bans = Bans()
    bans.add(ban("bob"), 0)
    bans.add(ban("192.0.2.0/24"), 0)
    assert bans.remove("bob")
    assert not bans.remove("bob")
    assert bans.remove("192.0.2.0/24")
    assert not bans.remove("192.0.2.0/24")
    assert len(bans) == 0


def test_there_is_a_most_and_what_is_over_makes_room() -> None:
    bans = Bans()
    for number in range(BANS_MAX):
        bans.add(ban(f"u{number}", 5_000), 0)
    bans.add(ban("u7", 6_000), 0)  # in its own place
    with pytest.raises(BanError, match="the most there can be"):
        bans.add(ban("one-more"), 4_999)
    bans.add(ban("one-more"), 5_000)
    assert {each.whom for each in bans.all()} == {"u7", "one-more"}


def test_the_file_says_the_same_again() -> None:
    bans = Bans()
    for whom in ("bob", "192.0.2.0/24", "2001:db8::/64"):
        bans.add(ban(whom), 0)
    bans.add(ban("old", 10), 0)
    again = decode(bans.encode(), 10)
    assert [each.whom for each in again.all()] == ["bob", "192.0.2.0/24", "2001:db8::/64"]
    assert len(decode(b"", 0)) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"format":"msgd.bans/2","bans":[]}',
        b'{"format":"msgd.bans/1","bans":[{"whom":"bob"}]}',
        b'{"format":"msgd.bans/1","bans":[{"whom":"a b","since_ms":1,"until_ms":1,"reason":""}]}',
        b'{"format":"msgd.bans/1","bans":[{"whom":"a","since_ms":1,"until_ms":"","reason":""}]}',
    ],
)
def test_a_file_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(BanError):
        decode(data, 0)

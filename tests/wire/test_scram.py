"""SCRAM-SHA-256 against the RFC's own numbers, against another implementation, and against lies."""

import contextlib
import hashlib
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import (  # type: ignore[import-untyped]  # it has no types of its own
    ScramClient,
    ScramException,
    ScramMechanism,
)

from wire import limits, scram
from wire.scram import (
    BindingError,
    ClientLogin,
    ScramError,
    ServerLogin,
    Verifier,
    check_header,
    derive_keys,
    iterations_allowed,
    make_nonce,
    make_verifier,
    read_challenge,
    read_first,
)

# RFC 7677, section 3.
RFC_CLIENT = "rOprNGfwEbeRWgbNEkqO"
RFC_SERVER = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
RFC_SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
RFC_CHALLENGE = f"r={RFC_CLIENT}{RFC_SERVER},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
RFC_FINAL = (
    f"c=biws,r={RFC_CLIENT}{RFC_SERVER},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
).encode()
RFC_SIGNATURE = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

CERTIFICATE = hashlib.sha256(b"a certificate").digest()
SERVER_NONCE = "s" * 32
CLIENT_NONCE = "c" * 32
SALT = bytes(range(16))
FEW = 4_096
"""Iterations: a test has no password to guard."""
PASSWORD = "correct horse battery"
VERIFIER = make_verifier(PASSWORD, SALT, FEW)
FIRST = f"n,,n=bob,r={CLIENT_NONCE}".encode()


def proof_of(client: ClientLogin, challenge: bytes, password: str = PASSWORD) -> bytes:
    _, salt, iterations = read_challenge(challenge)
    return client.prove(challenge, derive_keys(password, salt, iterations))


def server_for(first: bytes, binding: bytes | None = None) -> ServerLogin:
    read = read_first(first)
    check_header(read, binding)
    return ServerLogin(VERIFIER, read, SERVER_NONCE, binding)


def test_the_example_of_the_rfc() -> None:
    client = ClientLogin("user", RFC_CLIENT, None)
    assert client.first == f"n,,n=user,r={RFC_CLIENT}".encode()
    verifier = make_verifier("pencil", RFC_SALT, 4_096)
    server = ServerLogin(verifier, read_first(client.first), RFC_SERVER, None)
    assert server.challenge == RFC_CHALLENGE
    assert proof_of(client, server.challenge, "pencil") == RFC_FINAL
    assert server.check(RFC_FINAL) == RFC_SIGNATURE
    client.check(RFC_SIGNATURE)


@pytest.mark.parametrize("binding", [None, CERTIFICATE])
def test_our_client_and_another_server(binding: bytes | None) -> None:
    mechanism = ScramMechanism("SCRAM-SHA-256" if binding is None else "SCRAM-SHA-256-PLUS")
    salt, stored, key, count = mechanism.make_auth_info(PASSWORD, FEW, SALT)
    assert (stored, key) == (VERIFIER.stored_key, VERIFIER.server_key)
    bound = None if binding is None else ("tls-server-end-point", binding)
    server = mechanism.make_server(lambda _: (salt, stored, key, count), bound)
    client = ClientLogin("b,o=b", make_nonce(bytes(24)), binding)
    server.set_client_first(client.first.decode())
    server.set_client_final(proof_of(client, server.get_server_first().encode()).decode())
    client.check(server.get_server_final().encode())


@pytest.mark.parametrize("binding", [None, CERTIFICATE])
@pytest.mark.parametrize("password", [PASSWORD, "another password"])
def test_another_client_and_our_server(binding: bytes | None, password: str) -> None:
    name = "SCRAM-SHA-256" if binding is None else "SCRAM-SHA-256-PLUS"
    bound = None if binding is None else ("tls-server-end-point", binding)
    client = ScramClient([name], "bob", password, bound)
    server = server_for(client.get_client_first().encode(), binding)
    client.set_server_first(server.challenge.decode())
    final = server.check(client.get_client_final().encode())
    assert (final is not None) is (password == PASSWORD)
    if final is not None:
        client.set_server_final(final.decode())
    else:
        with pytest.raises(ScramException):
            client.set_server_final("v=" + b64encode(bytes(32)).decode())


@given(st.binary(min_size=24, max_size=24), st.none() | st.binary(min_size=32, max_size=64))
def test_both_ends_agree_whatever_the_nonces(random: bytes, binding: bytes | None) -> None:
    client = ClientLogin("bob", make_nonce(random), binding)
    server = ServerLogin(VERIFIER, read_first(client.first), make_nonce(random[::-1]), binding)
    final = server.check(proof_of(client, server.challenge))
    assert final is not None
    client.check(final)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_first, read_challenge, server_for(FIRST).check):
        try:
            read(data)
        except ScramError:
            continue


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_wrong_byte_in_a_proof_is_one_too_many(place: int, change: int) -> None:
    client = ClientLogin("bob", CLIENT_NONCE, CERTIFICATE)
    server = server_for(client.first, CERTIFICATE)
    final = bytearray(proof_of(client, server.challenge))
    final[place % len(final)] ^= change
    with contextlib.suppress(ScramError):
        assert server.check(bytes(final)) is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "parts"),
        (b"n,,n=bob", "parts"),
        (b"n,n=bob,r=" + b"c" * 32, "parts"),
        (b"x,,n=bob,r=" + b"c" * 32, "header"),
        (b"n,a=alice,n=bob,r=" + b"c" * 32, "identity"),
        (b"n,,m=x,n=bob,r=" + b"c" * 32, "a name"),
        (b"n,,n=bob,x=" + b"c" * 32, "a nonce"),
        (b"n,,n=bob,r=" + b"c" * 15, "nonce"),
        (b"n,,n=bob,r=" + b"c" * 129, "nonce"),
        (b"n,,n=bob,r=" + b"c" * 31 + b" ", "ASCII"),
    ],
)
def test_a_bad_first_message_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ScramError, match=why):
        read_first(data)


@pytest.mark.parametrize("count", [16, 128])
def test_a_nonce_of_either_length_is_taken(count: int) -> None:
    assert read_first(b"n,,n=,r=" + b"c" * count + b",x=more").nonce == "c" * count


@pytest.mark.parametrize(
    ("header", "binding", "good"),
    [
        (b"n,,", None, True),
        (b"y,,", None, True),
        (b"p=tls-server-end-point,,", None, False),
        (b"n,,", CERTIFICATE, False),
        (b"y,,", CERTIFICATE, False),
        (b"p=tls-unique,,", CERTIFICATE, False),
        (b"p=tls-server-end-point,,", CERTIFICATE, True),
    ],
)
def test_a_login_is_bound_where_it_can_be_and_only_there(
    header: bytes, binding: bytes | None, good: bool
) -> None:
    first = read_first(header + b"n=bob,r=" + b"c" * 32)
    if good:
        check_header(first, binding)
    else:
        with pytest.raises(BindingError):
            check_header(first, binding)


def test_a_login_bound_to_another_certificate_is_refused() -> None:
    client = ClientLogin("bob", CLIENT_NONCE, hashlib.sha256(b"in the middle").digest())
    server = server_for(client.first, CERTIFICATE)
    with pytest.raises(BindingError, match="another connection"):
        server.check(proof_of(client, server.challenge))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "parts"),
        (b"c=biws,p=AAAA", "parts"),
        (b"x=biws,r=n,p=AAAA", "parts"),
        (b"c=biws,x=n,p=AAAA", "parts"),
        (b"c=biws,r=n,p=%%%%", "base64"),
        (b"c=biws,r=n,p=AB==", "base64"),
        (b"c=biws,r=n,p=AAAA", "a proof"),
        (b"c=biws,r=n,p=" + b64encode(bytes(32)), "another login"),
        (f"c=%,r={CLIENT_NONCE}{SERVER_NONCE},p=".encode() + b64encode(bytes(32)), "base64"),
    ],
)
def test_a_bad_final_message_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ScramError, match=why):
        server_for(FIRST).check(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"r=x,s=AAAA", "read"),
        (b"e=other-error,,", "read"),
        (b"r=x,s=AAAA,i=", "iterations"),
        (b"r=x,s=AAAA,i=-1", "iterations"),
        (b"r=x,s=AAAA,i=12345678901", "iterations"),
        (b"r=\x00,s=AAAA,i=600000", "ASCII"),
        (b"r=x,s=%,i=600000", "base64"),
    ],
)
def test_a_bad_challenge_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ScramError, match=why):
        read_challenge(data)


@pytest.mark.parametrize(
    ("nonce", "salt", "iterations", "why"),
    [
        ("other", SALT, 600_000, "not an answer"),
        (CLIENT_NONCE, SALT, 600_000, "not an answer"),
        (CLIENT_NONCE + "s", SALT, 599_999, "599999 iterations"),
        (CLIENT_NONCE + "s", SALT, 5_000_001, "5000001 iterations"),
        (CLIENT_NONCE + "s", SALT[:15], 600_000, "salt has 15"),
        (CLIENT_NONCE + "s", bytes(65), 600_000, "salt has 65"),
    ],
)
def test_a_client_is_not_talked_into_anything(
    nonce: str, salt: bytes, iterations: int, why: str
) -> None:
    challenge = f"r={nonce},s={b64encode(salt).decode()},i={iterations}".encode()
    with pytest.raises(ScramError, match=why):
        ClientLogin("bob", CLIENT_NONCE, None).answer(challenge, PASSWORD)


def test_a_client_answers_what_is_as_it_should_be() -> None:
    verifier = make_verifier(PASSWORD, SALT, limits.ITERATIONS_MIN)
    client = ClientLogin("bob", CLIENT_NONCE, None)
    server = ServerLogin(verifier, read_first(client.first), SERVER_NONCE, None)
    final = server.check(client.answer(server.challenge, PASSWORD))
    assert final is not None
    client.check(final)
    with pytest.raises(ScramError, match="could not show"):
        client.check(b"v=" + b64encode(bytes(32)))


def test_the_window_of_iterations() -> None:
    allowed = [599_999, 600_000, 5_000_000, 5_000_001]
    assert [iterations_allowed(count) for count in allowed] == [False, True, True, False]


def test_a_verifier_does_not_show_its_keys() -> None:
    shown = repr(Verifier(SALT, FEW, b"stored", b"server"))
    assert "stored_key" not in shown
    assert "b'server'" not in shown


def test_every_message_fits_in_its_field() -> None:
    client = ClientLogin("n" * limits.NAME_BYTES_MAX, "c" * 128, bytes(64))
    verifier = Verifier(bytes(limits.SALT_BYTES_MAX), limits.ITERATIONS_MAX, bytes(32), bytes(32))
    server = ServerLogin(verifier, read_first(client.first), "s" * 32, bytes(64))
    final = client.prove(server.challenge, derive_keys(PASSWORD, bytes(64), 1))
    for message in (client.first, server.challenge, final):
        assert len(message) <= limits.SCRAM_BYTES_MAX
    assert scram.NONCE_BYTES == 24

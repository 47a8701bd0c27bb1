"""What must never be in the log, whatever goes right or wrong with it: bodies and secrets."""

from base64 import b64encode

import pytest

from msgd.log import Log
from tests.msgd.fake_machine import FakeOutput
from tests.msgd.fake_server import Server
from tests.msgd.password_world import INVITE, Guest, create, server_with, verifier_of
from wire.messages import ChangePassword, LoginProof, LoginRequest, LoginSuccess
from wire.scram import BINDING_HEADER

BODY = "the body of a message"
PASSWORDS = ("bob's password", "a wrong one", "a new password", "the next password")


def logged(server: Server, *, as_json: bool) -> bytes:
    """A day with logins that go right and wrong in every way; what the log says of it."""
    output = FakeOutput()
    log = Log(output, as_json=as_json)
    server.events.subscribe(log.write)
    bob = Guest(server)
    for password in PASSWORDS[1:3]:
        bob.log_in("bob", password)
    assert isinstance(bob.log_in("bob", PASSWORDS[0]), LoginSuccess)
    made = verifier_of(PASSWORDS[3])
    keys = (made.salt, made.iterations, made.stored_key, made.server_key)
    bob.client.say(ChangePassword(bob.client.request(), *keys))
    bob.client.send("bob", "carol", body=BODY)
    create(server.client(), "dave", invite=INVITE)
    create(server.client(), "a bad name", invite=INVITE)
    create(server.client(), "erin", with_it=False)
    for scram in (b"p=x,,n=bob,r=" + PASSWORDS[0].encode(), BINDING_HEADER, b"\xff" * 50):
        server.client().say(LoginRequest(1, "bob", bytes(8), scram=scram))
    odd = Guest(server)
    odd.ask("bob")
    odd.client.say(LoginProof(1, b"c=biws,r=x,p=" + PASSWORDS[0].encode()))
    server.client().say_bytes(PASSWORDS[0].encode() * 10)
    log.flush()
    assert output.data.count(b"\n") > 8
    return output.data


@pytest.mark.parametrize("as_json", [False, True])
def test_no_body_and_no_secret_is_in_the_log(as_json: bool) -> None:
    server = server_with()
    said = logged(server, as_json=as_json)
    made = verifier_of(PASSWORDS[3])
    keys = (made.stored_key, made.server_key, INVITE, server.store.state.registry.secret)
    secrets = [BODY.encode(), *(each.encode() for each in PASSWORDS), *keys]
    for secret in secrets:
        assert len(secret) >= 5
        for form in (secret, secret.hex().encode(), b64encode(secret), repr(secret).encode()[2:-1]):
            assert form not in said, form
    for mark in (b"r=", b"p=", b"n,,", b"salt"):
        assert mark not in said

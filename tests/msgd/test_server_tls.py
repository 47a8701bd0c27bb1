"""The server put together with a certificate and a local socket, on a machine in memory."""

import pytest

from msgd.net import Wish
from msgd.server import serve
from tests.msgd.test_certificates import FakeSecurity
from tests.msgd.test_server import Desk, settings


def test_with_a_certificate_everybody_may_listen() -> None:
    desk = Desk(security=FakeSecurity())
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(host="0.0.0.0", tls_cert="c", tls_key="k"), desk.machine()) == 0
    assert desk.network.security is desk.security
    assert desk.said == [
        "msgd: listening on 0.0.0.0:7070",
        "msgd: TLS with the certificate sha256//first, good until 2030-06-01",
    ]
    assert "NOTICE TLS with the certificate sha256//first" in desk.output.data.decode()


def test_without_one_nothing_is_encrypted() -> None:
    desk = Desk(security=FakeSecurity())
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0
    assert desk.network.security is None


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_half_a_pair_is_none(given: str, missing: str) -> None:
    desk = Desk(security=FakeSecurity())
    assert serve(settings(**{given: "x"}), desk.machine()) == 2
    (words,) = desk.complained
    assert f"{missing} is missing" in words


def test_a_pair_that_is_no_good_is_refused_before_anything_is_opened() -> None:
    desk = Desk()
    assert serve(settings(tls_cert="c", tls_key="k"), desk.machine()) == 78
    assert desk.complained == ["msgd: c and k are no good"]
    assert not desk.took_signals


def test_sighup_takes_the_files_again() -> None:
    security = FakeSecurity()
    security.next = "sha256//second"
    desk = Desk(security=security)
    desk.network.wishes += [Wish.REOPEN, Wish.STOP]
    assert serve(settings(tls_cert="c", tls_key="k"), desk.machine()) == 0
    assert security.renewals == 1
    assert "new connections get a new certificate: sha256//second" in desk.output.data.decode()


@pytest.mark.parametrize(("option", "mode"), [({}, 0o600), ({"unix_socket_mode": "0660"}, 0o660)])
def test_a_local_socket_beside_it(option: dict[str, str], mode: int) -> None:
    desk = Desk()
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(unix_socket="/run/s", **option), desk.machine()) == 0
    assert desk.network.listens_at == ("/run/s", mode)
    assert desk.said[1:] == ["msgd: listening on /run/s too"]


def test_a_local_socket_that_cannot_be_leaves_everything_in_order() -> None:
    desk = Desk()
    desk.network.local_error = "/run/s is in use by another program"
    assert serve(settings(unix_socket="/run/s"), desk.machine()) == 1
    assert desk.complained == ["msgd: /run/s is in use by another program"]
    desk.network.local_error = None
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0, "the lock was let go"


def test_other_modes_there_are_not() -> None:
    with pytest.raises(Exception, match="unix_socket_mode is one of 0600, 0660"):
        settings(unix_socket_mode="0666")

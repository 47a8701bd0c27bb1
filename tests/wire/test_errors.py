from wire.codes import Code
from wire.errors import LocalProtocolError, RemoteProtocolError, TlvError, WireError


def test_the_peers_fault_carries_its_code() -> None:
    error = RemoteProtocolError(Code.MALFORMED, "a text")
    assert (error.code, error.text, str(error)) == (Code.MALFORMED, "a text", "a text")


def test_all_errors_have_one_base_and_never_mix() -> None:
    for kind in (TlvError, RemoteProtocolError, LocalProtocolError):
        assert issubclass(kind, WireError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)

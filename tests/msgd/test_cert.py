"""`msgd cert`: what openssl is asked for, which files there are afterwards, and the words."""

import re
import shutil
import ssl
import sys
from pathlib import Path

import pytest

from msgd import cert
from msgd.__main__ import main
from msgd.cert import CertError, Wanted, make
from msgd.command_line import Action, UsageError, parse
from msgd.options import SettingsError
from msgd.os_openssl import OpensslError, run_openssl
from tests.msgd.certificates import FIRST, der, put
from wire.certificate import read_pin

MADE = FIRST[1] + FIRST[0]
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


class FakeFiles:
    """Files in memory."""

    def __init__(self, **files: bytes) -> None:
        self.files = {f"/d/{name}.pem": data for name, data in files.items()}

    def exists(self, path: str) -> bool:
        return path in self.files

    def write_new(self, path: str, data: bytes) -> None:
        assert path not in self.files
        self.files[path] = data

    def replace(self, path: str, data: bytes) -> None:
        self.files[path] = data


class FakeOpenssl:
    """Notes what it is asked for."""

    def __init__(self, answer: str = MADE) -> None:
        self.answer = answer
        self.arguments: tuple[str, ...] = ()
        self.given = ""

    def __call__(self, arguments: tuple[str, ...], given: str) -> str:
        self.arguments, self.given = arguments, given
        return self.answer


def test_a_key_and_its_certificate() -> None:
    files, openssl = FakeFiles(), FakeOpenssl()
    make(Wanted(("Chat.example.org", "192.0.2.7", "2001:db8::1"), "/d", 30), files, openssl)
    assert files.files == {"/d/key.pem": FIRST[1].encode(), "/d/cert.pem": FIRST[0].encode()}
    assert "ec_paramgen_curve:prime256v1" in openssl.arguments
    assert openssl.arguments[openssl.arguments.index("-days") + 1] == "30"
    names = "subjectAltName = DNS:chat.example.org, IP:192.0.2.7, IP:2001:db8::1\n"
    assert names in openssl.given
    assert "CN = chat.example.org\n" in openssl.given


@pytest.mark.parametrize("there", ["cert", "key"])
def test_nothing_is_written_over(there: str) -> None:
    files = FakeFiles(**{there: b"old"})
    with pytest.raises(CertError, match=rf"/d/{there}\.pem is there already"):
        make(Wanted(("a",), "/d"), files, FakeOpenssl())
    assert files.files == {f"/d/{there}.pem": b"old"}


def test_a_new_certificate_for_the_old_key() -> None:
    files, openssl = FakeFiles(cert=b"old", key=b"key"), FakeOpenssl(FIRST[0])
    make(Wanted(("a",), "/d", renews=True), files, openssl)
    assert files.files == {"/d/cert.pem": FIRST[0].encode(), "/d/key.pem": b"key"}
    assert openssl.arguments[-2:] == ("-key", "/d/key.pem")
    assert "-newkey" not in openssl.arguments


def test_without_a_key_nothing_is_renewed() -> None:
    with pytest.raises(CertError, match=r"/d/key\.pem is not there"):
        make(Wanted(("a",), "/d", renews=True), FakeFiles(), FakeOpenssl())


@pytest.mark.parametrize("answer", ["", FIRST[0], FIRST[1], "-----BEGIN CERTIFICATE-----\n"])
def test_an_openssl_that_says_something_else(answer: str) -> None:
    files = FakeFiles()
    with pytest.raises(CertError, match="something else"):
        make(Wanted(("a",), "/d"), files, FakeOpenssl(answer))
    assert files.files == {}


@pytest.mark.parametrize(
    "host",
    ["a", "a.b", "xn--bcher-kva.example", "*.example.org", "1.2.3.4", "::1", "a_b", "x" * 63],
)
def test_names_and_addresses(host: str) -> None:
    make(Wanted((host,), "/d"), FakeFiles(), FakeOpenssl())


@pytest.mark.parametrize(
    "host",
    ["", "a b", "a,b", "a\nb", "$x", "bücher.example", "a..b", ".a", "x" * 64, "a/b", "a;b", "a.*"],
)
def test_what_is_neither(host: str) -> None:
    refused(host)


def test_a_name_may_be_so_long_and_no_longer() -> None:
    longest = ".".join(("x" * 62, "x" * 63, "x" * 62, "x" * 63))
    assert len(longest) == 253
    make(Wanted((longest,), "/d"), FakeFiles(), FakeOpenssl())
    refused("x" + longest)


def refused(host: str) -> None:
    with pytest.raises(CertError, match="neither a host name nor an address"):
        make(Wanted((host,), "/d"), FakeFiles(), FakeOpenssl())


def test_a_long_name_stands_among_the_names_only() -> None:
    openssl = FakeOpenssl()
    long = ".".join(["x" * 60] * 3)
    make(Wanted((long,), "/d"), FakeFiles(), openssl)
    assert "CN = msgd\n" in openssl.given
    assert f"DNS:{long}\n" in openssl.given


@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (64, True), (65, False)])
def test_so_many_names(count: int, *, good: bool) -> None:
    wanted = Wanted(tuple(f"h{number}" for number in range(count)), "/d")
    if good:
        make(wanted, FakeFiles(), FakeOpenssl())
    else:
        with pytest.raises(CertError, match="--host is needed"):
            make(wanted, FakeFiles(), FakeOpenssl())


# ----- the command line ---------------------------------------------------------------------------


def test_what_can_be_asked_for() -> None:
    command = parse(["cert", "--host", "a", "b", "--days", "7", "--host=c", "--out", "/d"])
    assert command.action is Action.CERT
    assert command.certificate == Wanted(("a", "b", "c"), "/d", 7)
    assert parse(["cert", "--renew", "--host", "a"]).certificate == Wanted(("a",), renews=True)
    shown = parse(["cert", "--show", "--tls-cert", "x"])
    assert shown.certificate is None
    assert shown.options.values == {"tls_cert": "x"}


@pytest.mark.parametrize("days", ["1", "36500"])
def test_days_at_their_limits(days: str) -> None:
    assert parse(["cert", "--host", "a", "--days", days]).certificate is not None


@pytest.mark.parametrize(
    "words",
    [
        ["--show", "--host", "a"],
        ["--show", "--days", "3"],
        ["--host", "a", "--tls-cert", "x"],
        ["--hast", "a"],
        ["a"],
        ["--host", "a", "--days", "0"],
        ["--host", "a", "--days", "36501"],
    ],
)
def test_what_makes_no_sense(words: list[str]) -> None:
    with pytest.raises((UsageError, SettingsError)):
        parse(["cert", *words])


def test_the_files_have_their_names() -> None:
    assert (cert.CERTIFICATE_FILE, cert.KEY_FILE) == ("cert.pem", "key.pem")


# ----- the program --------------------------------------------------------------------------------


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["msgd", "cert", *words])
    return main()


@needs_openssl
def test_a_real_one_and_a_new_one_with_the_same_pin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "tls"
    assert run(monkeypatch, "--host", "localhost", "127.0.0.1", "--out", str(folder)) == 0
    said = capsys.readouterr().out
    first = (folder / "cert.pem").read_text()
    pin = read_pin(ssl.PEM_cert_to_DER_cert(first))
    assert said.endswith(f"  {pin}\n")
    for name in ("cert.pem", "key.pem"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert run(monkeypatch, "--host", "localhost", "--out", str(folder)) == 1
    assert "is there already" in capsys.readouterr().err
    assert run(monkeypatch, "--renew", "--host", "localhost", "--out", str(folder)) == 0
    again = (folder / "cert.pem").read_text()
    assert again != first
    assert pin in capsys.readouterr().out
    assert run(monkeypatch, "--show", "--tls-cert", str(folder / "cert.pem")) == 0
    assert capsys.readouterr().out == f"{pin}\n"


@needs_openssl
def test_words_of_openssl_are_passed_on() -> None:
    with pytest.raises(OpensslError, match="the command openssl failed: "):
        run_openssl(("req", "-config", "/dev/stdin"), "nonsense")


def test_without_openssl_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OpensslError, match="apt install openssl"):
        run_openssl(("version",), "")


def test_the_pin_of_a_chain_is_the_first_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, _ = put(tmp_path, ("words before\n" + FIRST[0] + FIRST[0], FIRST[1]))
    monkeypatch.setenv("MSGD_TLS_CERT", path)
    assert run(monkeypatch, "--show") == 0
    assert capsys.readouterr().out == read_pin(der(FIRST)) + "\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "holds no certificate"), (FIRST[1], "holds no certificate"), (None, "is not there")],
)
def test_nothing_to_show(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    text: str | None,
    words: str,
) -> None:
    path = tmp_path / "cert.pem"
    if text is not None:
        path.write_text(text)
    assert run(monkeypatch, "--show", "--tls-cert", str(path)) == 1
    assert re.search(words, capsys.readouterr().err)


def test_a_folder_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert run(monkeypatch, "--host", "a", "--out", str(tmp_path / "file" / "x")) == 1
    assert "Not a directory" in capsys.readouterr().err

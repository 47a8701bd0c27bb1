"""The settings: who wins, and what is refused with which words."""

import pytest

from msgc.os_files import FilesError
from msgc.passwords import PasswordChoice
from msgc.server import Server
from msgc.settings import Settings, SettingsError, gather


def put_together(
    config: str | None = None,
    environment: dict[str, str] | None = None,
    **arguments: str | None,
) -> Settings:
    def read_text(path: str, bytes_max: int) -> str | None:
        assert path == "/config"
        return config

    return gather(arguments, environment or {}, read_text, "/config", config_named=False)


def test_defaults() -> None:
    assert put_together() == Settings("127.0.0.1", 7070, None, "auto", bell=True)


def test_each_place_wins_over_the_one_before() -> None:
    config = 'host = "a"\nport = 1\nuser = "alice"\nbell = false\n'
    assert put_together(config) == Settings("a", 1, "alice", "auto", bell=False)
    environment = {"MSGC_HOST": "b", "MSGC_PORT": "2", "MSGC_BELL": "yes", "MSGC_COLOR": "always"}
    assert put_together(config, environment) == Settings("b", 2, "alice", "always", bell=True)
    found = put_together(config, environment, host="c", port="3", user="bob", color=None)
    assert found == Settings("c", 3, "bob", "always", bell=True)


def test_no_color_counts_but_for_an_option() -> None:
    assert put_together(environment={"NO_COLOR": "1"}).color == "never"
    assert put_together(environment={"NO_COLOR": "1"}, color="always").color == "always"
    assert put_together(environment={"NO_COLOR": ""}).color == "auto"


@pytest.mark.parametrize(
    ("config", "environment", "arguments", "words"),
    [
        ('hots = "a"', {}, {}, 'unknown key "hots". Did you mean "host"?'),
        (
            "zzz = 1",
            {},
            {},
            "Known: server, tls, tls_ca, tls_pin, unsafe_plaintext, password_file, ",
        ),
        ('port = "7070"', {}, {}, '"port" must be a number.'),
        ("bell = 1", {}, {}, '"bell" must be a true or false.'),
        ("host = ", {}, {}, "/config is not TOML"),
        ('quiet = "night"', {}, {}, "quiet: Write quiet hours as 22:00-07:00, or none."),
        ("keys = 1", {}, {}, "keys are chosen as [keys.composer]"),
        ("[keys]\nsend = 1", {}, {}, "keys are chosen as [keys.composer]"),
        ("[keys.composer]\nsend = [1]", {}, {}, "keys are chosen as [keys.composer]"),
        (None, {"MSGC_PORT": "x"}, {}, "MSGC_PORT must be a number."),
        (None, {"MSGC_BELL": "x"}, {}, "MSGC_BELL must be yes or no."),
        (None, {}, {"port": "0"}, "from 1 to 65535"),
        (None, {}, {"port": "70000"}, "from 1 to 65535"),
        (None, {}, {"color": "blue"}, "color must be one of auto, always, never."),
        (None, {}, {"host": ""}, "The host must not be empty."),
    ],
)
def test_mistakes_are_named(
    config: str | None, environment: dict[str, str], arguments: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        put_together(config, environment, **arguments)
    assert words in str(raised.value)


def test_a_file_that_was_named_must_be_there() -> None:
    with pytest.raises(SettingsError, match="There is no configuration file"):
        gather({}, {}, lambda _path, _bytes_max: None, "/config", config_named=True)


def test_a_file_that_cannot_be_read_is_told() -> None:
    def read_text(path: str, bytes_max: int) -> str | None:
        raise FilesError("Cannot read it.")

    with pytest.raises(SettingsError, match="Cannot read it"):
        gather({}, {}, read_text, "/config", config_named=False)


def test_keys_are_handed_on_as_they_are_written() -> None:
    config = '[keys.composer]\nsend = ["^X", "F2"]\ndiscard = "F8"\n[keys.all]\n'
    chosen = put_together(config).keys
    assert chosen == {"composer": {"send": ("^X", "F2"), "discard": ("F8",)}, "all": {}}


def test_what_decides_in_this_run_is_noted() -> None:
    found = put_together('quiet = "23-6"', {"NO_COLOR": "1", "MSGC_QUIET": "1-2"}, host="c")
    assert found.fixed == {"color": "NO_COLOR", "quiet": "MSGC_QUIET", "host": "--host"}
    assert str(found.quiet) == "01:00-02:00"


def test_a_server_said_in_one_and_in_parts() -> None:
    config = 'server = "tls://a.example:1"\n'
    assert put_together(config).server == Server("a.example", 1, tls=True)
    assert put_together(config, {"MSGC_HOST": "b"}).server == Server("b", 7070)
    assert put_together(config, {"MSGC_SERVER": "c", "MSGC_PORT": "2"}).server == Server("c", 2)
    assert put_together(config, server="unix:/s").server == Server("", 0, "/s")
    assert put_together('host = "a"\n', server="d:4").server == Server("d", 4)


PIN = "sha256//" + "a" * 43 + "="


@pytest.mark.parametrize(
    ("config", "arguments", "words"),
    [
        ("", {"server": "a", "host": "b"}, "leave out --host"),
        ("", {"server": "http://a"}, "host:port"),
        ("", {"tls_pin": "abc"}, "sha256//"),
        (f'tls_pin = "{PIN}"\ntls_ca = "f"\n', {}, "tls_pin, or tls_ca"),
        ("unsafe_plaintext = true\n", {"server": "tls://a"}, "both asked for"),
        ("tls = true\n", {"server": "unix:/s"}, "a Unix socket were both"),
        ('password_file = "f"\n', {"password_command": "c"}, "one source"),
    ],
)
def test_what_does_not_go_together(
    config: str, arguments: dict[str, str | None], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        put_together(config, None, **arguments)


def test_trust_and_the_source_of_a_password() -> None:
    found = put_together("password_keyring = true\n", tls_pin=PIN)
    assert found.trust.pin == PIN
    assert found.password == PasswordChoice(keyring=True)

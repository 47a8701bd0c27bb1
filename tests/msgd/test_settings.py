from dataclasses import replace
from random import Random

import pytest

from msgd.options import Kind, SettingsError, Value
from msgd.reactor_limits import DESCRIPTORS_RESERVED, ReactorLimits
from msgd.settings import (
    OPTIONS,
    Layer,
    merge,
    nearest,
    read_environment,
    read_toml,
)
from store.store import Store
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk


def test_defaults_are_the_rules_and_the_stores_own() -> None:
    settings = merge([])
    assert settings.host == "127.0.0.1"
    assert settings.port == 7070
    assert not settings.headless
    assert settings.exchange_limits().ping_idle_ms == settings.ping_idle_ms
    assert settings.store_settings().reserve_bytes == settings.reserve_bytes


def test_the_later_layer_counts() -> None:
    file = read_toml(b"port = 1\nhost = '::1'\nheadless = true\ncolor = 'never'", "file")
    environment = read_environment({"MSGD_PORT": "2", "MSGD_HOST": "127.0.0.2", "PATH": "/"})
    line = Layer("command line", {"port": "3", "headless": False})
    settings = merge([file, environment, line])
    assert (settings.port, settings.host, settings.headless) == (3, "127.0.0.2", False)
    assert settings.color == "never"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_can_come_from_the_environment_and_the_file(option: object) -> None:
    assert hasattr(option, "name")
    found = next(row for row in OPTIONS if row is option)
    given = (
        "true" if found.kind is Kind.FLAG else "x" if found.default == "" else str(found.default)
    )
    from_environment = merge([read_environment({found.variable: given})])
    assert str(getattr(from_environment, found.name)).lower() == given
    if found.name != "config":
        quoted = given if found.kind is Kind.FLAG else f'"{given}"'
        from_file = merge([read_toml(f"{found.name} = {quoted}".encode(), "file")])
        assert getattr(from_file, found.name) == getattr(from_environment, found.name)


@pytest.mark.parametrize(
    ("text", "number"), [("8388608", 8 << 20), ("8M", 8 << 20), ("8m", 8 << 20), ("20K", 20 << 10)]
)
def test_sizes_may_have_units(text: str, number: int) -> None:
    assert merge([Layer("line", {"reserve_bytes": text})]).reserve_bytes == number


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("port", "70000", "line: port takes a number from 0 to 65535, not '70000'"),
        ("port", "7K", "port takes a number"),
        ("port", "-1", "port takes a number"),
        ("port", "7_0", "port takes a number"),
        ("port", "\u0667", "port takes a number"),
        ("port", "9" * 30, "port takes a number"),
        ("port", True, "port takes a number"),
        ("host", 5, "host takes a text, not 5"),
        ("host", "a\0b", "host takes a text"),
        ("color", "red", "color is one of auto, always, never, not 'red'"),
        ("headless", "perhaps", "headless takes true or false, not 'perhaps'"),
        ("prot", "1", "there is no option 'prot'; did you mean \"port\"?"),
        ("xyzzy", "1", "there is no option 'xyzzy'"),
    ],
)
def test_what_cannot_be_is_refused_with_words(name: str, value: str | int, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        merge([Layer("line", {name: value})])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff", "file: not UTF-8 text"),
        (b"port = ", "file: not TOML"),
        (b"port = 1.5", "file: port takes a text, a number, true or false"),
        (b"[limits]\nport = 1", "file: limits takes a text, a number"),
        (b"config = 'other'", "file: a configuration file cannot name another one"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_toml(data, "file")
    assert words in str(caught.value)


def test_a_misspelt_variable_is_refused_and_an_empty_one_is_absent() -> None:
    with pytest.raises(SettingsError, match="'prot'"):
        merge([read_environment({"MSGD_PROT": "1"})])
    assert merge([read_environment({"MSGD_PORT": ""})]).port == 7070


def test_options_that_contradict_each_other_are_refused() -> None:
    settings = merge([Layer("line", {"ping_idle_ms": 60_000})])
    with pytest.raises(SettingsError, match="contradict"):
        settings.exchange_limits()


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [("ping_idle_ms", 60_000, "dead_after_ms"), ("window_bytes_max", 1_024, "body_bytes_max")],
)
def test_both_options_of_a_contradiction_are_named(name: str, value: int, other: str) -> None:
    with pytest.raises(SettingsError) as caught:
        merge([Layer("line", {name: value})]).exchange_limits()
    assert name in str(caught.value)
    assert other in str(caught.value)


def test_a_checkpoint_must_begin_before_the_journal_is_full() -> None:
    settings = merge([Layer("line", {"checkpoint_journal_bytes": "60M"})])
    with pytest.raises(SettingsError, match="checkpoint_journal_bytes must be at most half"):
        settings.store_settings()


def test_a_store_opens_with_the_least_and_the_most_of_everything() -> None:
    for option in OPTIONS:
        for value in {option.minimum, min(option.maximum, 1 << 30)} - {0}:
            given: dict[str, Value] = {"journal_bytes_max": 1 << 40, option.name: value}
            if option.kind is Kind.BYTES and option.name != "window_bytes_max":
                given.setdefault("checkpoint_journal_bytes", 1 << 20)
                settings = merge([Layer("line", given)])
                settings.exchange_limits()
                lazy = replace(settings.store_settings(), reserve_bytes=0)
                Store.open(SimDisk(Random(1)), SimClock(), Random(2).randbytes, lazy).close()


def test_there_are_never_more_connections_than_descriptors() -> None:
    settings = merge([])
    assert settings.reactor_limits(1 << 20).connections_max == ReactorLimits().connections_max
    assert settings.reactor_limits(DESCRIPTORS_RESERVED + 10).connections_max == 10
    with pytest.raises(SettingsError, match=r"only 384 files may be open at once.*ulimit -n"):
        settings.reactor_limits(384)


@pytest.mark.parametrize(("paused", "most", "connections"), [(2, 2, 1), (1, 2, 0)])
def test_limits_that_contradict_each_other_are_a_bug(
    paused: int, most: int, connections: int
) -> None:
    with pytest.raises(ValueError, match="must"):
        ReactorLimits(output_bytes_pause=paused, output_bytes_max=most, connections_max=connections)


def test_nearest_says_nothing_when_nothing_is_near() -> None:
    assert nearest("xyzzy") == ""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgd.panel import requests
from msgd.panel.codec import (
    CodecError,
    Lines,
    decode_request,
    decode_scene,
    encode_error,
    encode_request,
    encode_scene,
)
from msgd.panel.requests import Part, Request
from msgd.panel.values import SCHEMA, Scene, Sort
from msgd.values import Now
from tests.msgd.panel.panel_bench import PanelBench
from tests.msgd.panel.states import busy

REQUESTS: tuple[Request, ...] = (
    requests.Hello(1, read_only=True),
    requests.Look(1, 2, 3, tail=True),
    requests.Look(1, 2, 3, tail=False, start=7),
    requests.Arrange(Sort.STUCK, inverted=True, filter="a\u4e2d"),
    requests.Move(Part.QUEUE, "page_down"),
    requests.Hold(paused=True),
    requests.Follow(),
    requests.Inspect("bob"),
    requests.Inspect(None),
    requests.Kick("bob"),
    requests.Announce("Down at noon.\n\x1b[2J"),
    requests.Stop(confirmed=False),
)


def scene_of(bench: PanelBench) -> Scene:
    (panel,) = bench.admin._panels.values()
    return panel.desk.scene(Now(bench.clock.monotonic_ms(), bench.clock.wall_ms()))


@pytest.mark.parametrize("request_", REQUESTS)
def test_requests_come_back_as_they_went(request_: Request) -> None:
    line = encode_request(request_)
    assert line.isascii()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_request(line) == request_


def test_every_request_is_tried_above() -> None:
    assert {type(each) for each in REQUESTS} == set(get_args(Request))


@pytest.mark.parametrize("keys", [(), ("G", "k", "\r"), ("/", "zz")])
def test_scenes_come_back_as_they_went(keys: tuple[str, ...]) -> None:
    bench = busy(24, 80)
    bench.press(*keys)
    scene = scene_of(bench)
    assert decode_scene(encode_scene(scene)) == scene


def test_what_a_newer_server_adds_is_passed_over() -> None:
    scene = scene_of(busy(24, 80))
    value = json.loads(encode_scene(scene))
    value["new"] = {"x": [1]}
    value["meters"]["new"] = None
    assert decode_scene(json.dumps(value).encode()) == scene


def test_nothing_of_a_scene_is_drawn_as_it_came() -> None:
    value = json.loads(encode_scene(scene_of(busy(24, 80))))
    value["users"]["rows"][0]["name"] = "\x1b]0;x\x07\u202e"
    scene = decode_scene(json.dumps(value).encode())
    assert scene.users.rows[0].name == "^[]0;x^G<RLO>"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "not a line of JSON"),
        (b"{", "not a line of JSON"),
        (b"[" * 4_000, "not a line of JSON"),
        (b"9" * 4_400, "not a line of JSON"),
        (b"\xff", "not a line of JSON"),
        (b"[]", 'a text under "do"'),
        (b'{"do":1}', 'a text under "do"'),
        (b'{"do":"reboot"}', "there is no request 'reboot'"),
        (b'{"do":"request"}', "there is no request"),
        (b'{"do":"kick"}', "name is missing"),
        (b'{"do":"kick","name":7}', "a text was to come"),
        (b'{"do":"kick","name":"\\ud800"}', "half a character"),
        (b'{"do":"hold","paused":1}', "a value of the kind bool"),
        (b'{"do":"hello","version":true,"read_only":true}', "a value of the kind int"),
        (b'{"do":"hello","version":1.5,"read_only":true}', "a number of the kind int"),
        (b'{"do":"hello","version":1e400,"read_only":true}', "a number of the kind int"),
        (b'{"do":"hello","version":NaN,"read_only":true}', "a number of the kind int"),
        (b'{"do":"arrange","sort":"size","inverted":true,"filter":""}', "no such sort"),
        (b'{"do":"arrange","sort":[],"inverted":true,"filter":""}', "no such sort"),
        (b'{"do":"move","part":{},"command":"up"}', "no such part"),
    ],
)
def test_what_is_no_request_is_said(line: bytes, words: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_request(line)
    assert words in str(caught.value)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoders(data: bytes) -> None:
    for decode in (decode_request, decode_scene):
        with pytest.raises(CodecError):
            decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=9,
)


@given(st.data())
def test_a_scene_with_anything_in_a_field_is_one_or_is_refused(data: st.DataObject) -> None:
    value = json.loads(SCENE)
    place = value
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    try:
        scene = decode_scene(json.dumps(value).encode())
    except CodecError:
        return
    assert decode_scene(encode_scene(scene)) == scene


SCENE = encode_scene(scene_of(busy(24, 80)))


def test_other_versions_and_refusals_are_told_in_words() -> None:
    with pytest.raises(CodecError, match="another version than"):
        decode_scene(b'{"schema":"msgd.panel/2"}')
    with pytest.raises(CodecError, match=r"no place for more\^\["):
        decode_scene(encode_error("no place for more\x1b"))
    assert SCHEMA in SCENE.decode()


@given(st.lists(st.binary(max_size=9).map(lambda data: data.replace(b"\n", b"")), max_size=9))
def test_lines_come_whole_however_they_are_cut(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    whole = Lines(100)
    assert whole.feed(data) == lines
    single = Lines(100)
    assert [line for byte in data for line in single.feed(bytes([byte]))] == lines


def test_a_line_without_end_is_not_held() -> None:
    lines = Lines(10)
    assert lines.feed(b"0123456789") == []
    with pytest.raises(CodecError, match="longer than 10 bytes"):
        lines.feed(b"0")

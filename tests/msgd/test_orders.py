"""What the operator orders from a shell, from the words to the answer."""

import json
from typing import Any

import pytest

from msgd.command_line import Action, UsageError, parse
from msgd.events import EventKind
from msgd.net import CallError, Ready
from msgd.order_call import ask, json_text, plain_text
from msgd.panel.screen import Role
from msgd.verbs import Answer, Order, VerbError, decode_answer, decode_order
from tests.msgd.panel.fake_console import FakeConsole
from tests.msgd.panel.fake_line import PanelNetwork
from tests.msgd.panel.panel_bench import PanelBench
from tests.msgd.test_admin import Raw
from wire.codes import Code
from wire.messages import Error, LoginRequest


@pytest.fixture
def bench() -> PanelBench:
    return PanelBench(role=Role.ATTACHED)


def order(bench: PanelBench, verb: str, **arguments: str | int | bool) -> dict[str, Any]:
    """What the server answers, to a connection of its own."""
    raw = Raw(bench, begin=False)
    raw.say_bytes(Order(verb, arguments).encode())
    (answer,) = raw.hear()
    raw.channel.ended = True
    bench.settle()
    assert raw.channel.closed
    return answer


def attempt(bench: PanelBench, name: str) -> list[Any]:
    """Log in; what came."""
    client = bench.client()
    client.say(LoginRequest(1, name, b"12345678", create_if_new=True))
    bench.settle()
    return client.hear()


def test_a_kicked_user_is_told_why(bench: PanelBench) -> None:
    alice = bench.user("alice")
    answer = order(bench, "kick", name="ALICE", reason="too  loud\n")
    assert answer == {"done": True, "text": "alice was disconnected", "rows": []}
    (error,) = alice.hear()
    assert isinstance(error, Error)
    assert error.code == Code.KICKED
    assert error.text.endswith("ended this session: too loud")
    assert "kick ordered by process 9: alice was disconnected" in bench.noted(EventKind.NOTICE)
    assert "kicked by the operator: too loud" in bench.noted(EventKind.DISCONNECT)[-1]


@pytest.mark.parametrize(
    ("verb", "arguments", "words"),
    [
        ("kick", {"name": "alice"}, "alice is not connected"),
        ("kick", {"name": "bob"}, "there is no user bob"),
        ("kick", {"name": 7}, "there is no user "),
        ("kick", {}, "there is no user "),
        ("ban", {"whom": "a b"}, "this is neither an address nor a username"),
        ("ban", {"whom": "1.2.3.4/99"}, "this is no network"),
        ("unban", {"whom": "bob"}, "there is no ban of bob; msgd bans lists all"),
        ("unban", {"whom": "b b"}, "this is neither an address nor a username"),
        ("knight", {}, "this server has no order 'knight'"),
    ],
)
def test_what_cannot_be_done_is_said(
    bench: PanelBench, verb: str, arguments: dict[str, Any], words: str
) -> None:
    alice = bench.user("alice")
    alice.channel.ended = True
    bench.settle()
    answer = order(bench, verb, **arguments)
    assert not answer["done"]
    assert answer["text"].startswith(words)


def test_a_banned_user_is_ended_and_not_admitted_until_it_is_over(bench: PanelBench) -> None:
    bench.user("alice")
    answer = order(bench, "ban", whom="alice", minutes=1, reason="spam")
    assert answer["text"] == "alice is banned for 1 minutes; 1 session ended"
    error = attempt(bench, "Alice")[-1]
    assert isinstance(error, Error)
    assert error.code == Code.KICKED
    assert error.text == "the server's operator has banned this user: spam"
    assert len(attempt(bench, "bob")) == 1, "others are as welcome as before"
    bench.pass_time(60_000)
    assert not isinstance(attempt(bench, "alice")[-1], Error)


def test_a_banned_network_is_ended_and_not_admitted(bench: PanelBench) -> None:
    alice = bench.user("alice")
    answer = order(bench, "ban", whom="127.0.0.1/8")
    assert answer["text"] == "127.0.0.0/8 is banned until it is taken back; 1 session ended"
    assert isinstance(alice.hear()[-1], Error)
    refused = bench.network.connect()
    bench.settle()
    assert refused.channel.closed
    assert order(bench, "unban", whom="127.0.0.1/8")["done"]
    bench.user("alice")


def test_bans_are_listed_and_written(bench: PanelBench) -> None:
    assert order(bench, "bans")["text"] == "nobody is banned"
    order(bench, "ban", whom="10.0.0.1", minutes=5, name=True)
    order(bench, "ban", whom="10.0.0.1")
    answer = order(bench, "bans")
    assert answer["text"] == "2 bans"
    assert [row["whom"] for row in answer["rows"]] == ["10.0.0.1", "10.0.0.1/32"]
    assert answer["rows"][1]["until_ms"] is None
    assert [len(json.loads(data)["bans"]) for data in bench.saved_bans] == [1, 2]


def test_a_file_that_cannot_be_written_is_said(bench: PanelBench) -> None:
    def fail(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    bench.save_bans = fail
    answer = order(bench, "ban", whom="alice")
    assert not answer["done"]
    assert answer["text"].endswith("only until the server ends: the file: No space left on device")
    assert attempt(bench, "alice")[-1].code == Code.KICKED


@pytest.mark.parametrize(
    "line",
    [
        b'{"order":"kick"}\n',
        b'{"order":7,"arguments":{}}\n',
        b'{"order":"kick","arguments":[]}\n',
        b'{"order":"kick","arguments":{"name":null}}\n',
        b'{"order":"kick",\n',
    ],
)
def test_what_is_no_order_ends_the_connection(bench: PanelBench, line: bytes) -> None:
    raw = Raw(bench, begin=False)
    raw.say_bytes(line)
    assert "error" in raw.hear()[-1]
    assert raw.channel.closed


def test_one_order_a_connection_and_none_of_strangers(bench: PanelBench) -> None:
    raw = Raw(bench, begin=False)
    raw.say_bytes(Order("bans").encode() * 2)
    assert "one order at a time" in raw.hear()[-1]["error"]
    stranger = Raw(bench, user_id=0, begin=False)
    stranger.say_bytes(b"")
    assert "only the user who runs" in stranger.hear()[-1]["error"]


# ----- the shell's side ---------------------------------------------------------------------------


class Shell(PanelNetwork):
    """What an order is given through: while it waits, the server has its turns."""

    def __init__(self, bench: PanelBench) -> None:
        super().__init__(bench.network, FakeConsole(24, 80))
        self.bench = bench

    def poll(self, timeout_ms: int | None) -> Ready:
        self.bench.settle()
        ready = super().poll(timeout_ms)
        if not ready.readable and not ready.writable:
            self.bench.clock.advance_to(self.bench.clock.now_ms + (timeout_ms or 0))
        return ready


def test_an_order_is_given_and_answered(bench: PanelBench) -> None:
    bench.user("alice")
    answer = ask(Shell(bench), bench.clock, "/d/panel.sock", Order("kick", {"name": "alice"}))
    assert answer == Answer(done=True, text="alice was disconnected")


def test_a_server_that_refuses_says_so(bench: PanelBench) -> None:
    shell = Shell(bench)
    shell.user_id = 0
    with pytest.raises(VerbError, match="only the user who runs this server"):
        ask(shell, bench.clock, "/d/panel.sock", Order("bans"))


def test_nobody_there(bench: PanelBench) -> None:
    bench.network.local_path = None
    with pytest.raises(CallError, match="connection refused"):
        ask(Shell(bench), bench.clock, "/d/panel.sock", Order("bans"))


class Deaf(Shell):
    """A server that never has a turn."""

    def poll(self, timeout_ms: int | None) -> Ready:
        self.bench.clock.advance_to(self.bench.clock.now_ms + 1_000)
        return PanelNetwork.poll(self, timeout_ms)


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(bench: PanelBench) -> None:
    with pytest.raises(CallError, match="does not answer"):
        ask(Deaf(bench), bench.clock, "/d/panel.sock", Order("bans"))


@pytest.mark.parametrize(
    ("words", "verb", "arguments"),
    [
        (["kick", "bob"], "kick", {"name": "bob", "reason": ""}),
        (["kick", "--reason=a b", "bob"], "kick", {"name": "bob", "reason": "a b"}),
        (["kick", "bob", "--reason", "x", "--data", "/d"], "kick", {"name": "bob", "reason": "x"}),
        (
            ["ban", "::1", "--minutes", "5"],
            "ban",
            {"whom": "::1", "minutes": 5, "reason": "", "name": False},
        ),
        (["unban", "--name", "::1"], "unban", {"whom": "::1", "name": True}),
        (["unban", "--", "--x"], "unban", {"whom": "--x", "name": False}),
        (["bans", "--json"], "bans", {}),
    ],
)
def test_words_become_orders(words: list[str], verb: str, arguments: dict[str, Any]) -> None:
    command = parse(words)
    assert command.action is Action.ORDER
    assert command.order == Order(verb, arguments)
    assert command.as_json == ("--json" in words)
    decoded = decode_order(command.order.encode().rstrip())
    assert decoded == command.order


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kick"], "use: msgd kick NAME"),
        (["kick", "a", "b"], "use: msgd kick NAME"),
        (["ban", "a", "--minute", "3"], "msgd ban has no option '--minute'; did you mean"),
        (["bans", "--reason"], "msgd bans has no option '--reason'"),
        (["ban", "a", "--minutes"], "--minutes needs a value"),
        (["--headless", "kick"], "kick must be the first word: msgd kick NAME"),
        (["kcik", "a"], 'did you mean "kick"?'),
    ],
)
def test_words_that_are_no_order(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert said in str(caught.value)


def test_answers_as_text_and_as_json() -> None:
    row = {"whom": "bob\x1b", "since_ms": 0, "until_ms": None, "reason": ""}
    answer = Answer(done=True, text="1 ban", rows=(row,))
    assert decode_answer(answer.encode()) == answer
    assert plain_text(answer).splitlines()[0] == "1 ban"
    assert "\x1b" not in plain_text(answer)
    assert "since 1970-01-01" in plain_text(answer)
    assert "no until" in plain_text(answer)
    assert json.loads(json_text(answer))["rows"][0]["until_ms"] is None


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"error":"go away"}', b'{"done":1}'])
def test_what_is_no_answer_is_an_error(line: bytes) -> None:
    with pytest.raises(VerbError):
        decode_answer(line)

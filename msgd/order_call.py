"""The shell's side of an order: call the server of a data folder, ask, and print the answer.

Must never retry: an order that may have been obeyed is not given twice by itself.
Fails with CallError when no server answers in time, and with VerbError when it refuses to listen.
"""

import json
from typing import Final

from msgd.net import CallError, CallingNetwork, Channel, ChannelError, Clock, Wait
from msgd.panel.codec import CodecError, Lines
from msgd.panel.words import date_time_text
from msgd.verbs import ANSWER_BYTES_MAX, Answer, Order, VerbError, decode_answer
from term.safe import safe_line

PATIENCE_MS: Final = 10_000
RECEIVE_BYTES_MAX: Final = 1 << 16


def ask(network: CallingNetwork, clock: Clock, path: str, order: Order) -> Answer:
    """Have an order obeyed. Raises CallError, VerbError."""
    channel = network.call(path)
    lines = Lines(ANSWER_BYTES_MAX)
    unsent = order.encode()
    until_ms = clock.monotonic_ms() + PATIENCE_MS
    try:
        while (left_ms := until_ms - clock.monotonic_ms()) > 0:
            network.watch(channel, reading=True, writing=bool(unsent))
            ready = network.poll(left_ms)
            if unsent and channel in ready.writable:
                unsent = _send(channel, unsent)
            if channel not in ready.readable:
                continue
            data = channel.receive(RECEIVE_BYTES_MAX)
            if isinstance(data, Wait):
                continue
            if not data:
                raise CallError("the server has ended")
            complete = lines.feed(data)
            if complete:
                return decode_answer(complete[0])
        raise CallError("the server runs, but does not answer")
    except ChannelError as error:
        raise CallError(f"the server is gone: {error}") from None
    except CodecError as error:
        raise VerbError(str(error)) from None
    finally:
        network.watch(channel, reading=False, writing=False)
        channel.close()


def _send(channel: Channel, unsent: bytes) -> bytes:
    """What is left to be sent."""
    try:
        taken = channel.send(unsent)
    except ChannelError:
        return b""  # it has hung up, and may have said why: that is still to be read
    return unsent if isinstance(taken, Wait) else unsent[taken:]


def json_text(answer: Answer) -> str:
    """One object."""
    rows = [dict(row) for row in answer.rows]
    return json.dumps({"done": answer.done, "text": answer.text, "rows": rows}, indent=2)


def plain_text(answer: Answer) -> str:
    """For people: the sentence, and a line for each row. Times are told as dates."""
    lines: list[str] = [safe_line(answer.text, 1_000)]
    for row in answer.rows:
        words = "  ".join(_shown(name, value) for name, value in row.items())
        lines.append(f"  {words}".rstrip())
    return "\n".join(lines)


def _shown(name: str, value: object) -> str:
    word = name.removesuffix("_ms")
    if value is None:
        return f"no {word}"
    if name.endswith("_ms") and isinstance(value, int):
        return f"{word} {date_time_text(value)}"
    return safe_line(str(value), 1_000)

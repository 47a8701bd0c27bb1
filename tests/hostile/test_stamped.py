"""What is timed is stamped by the kernel, not when somebody comes to look."""

import selectors
import socket
import sys
import time

import pytest

from tests.hostile.stamped import StampedPeer
from wire import frames
from wire.messages import Hello, Ping, Pong, Welcome

TRIES = 1_000
WELCOME = Welcome(1, bytes(16), "test", 1, 1_000, 65_536, 65_536, 100, 64, 65_536, 30_000)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what comes")
def test_what_came_is_stamped_before_it_is_read_and_after_it_was_sent() -> None:
    with (
        selectors.DefaultSelector() as selector,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        peer = StampedPeer(selector, listener.getsockname()[1], context=None)
        server, _ = listener.accept()
        with server:
            peer.say(Hello((1,), "test"))
            server.sendall(frames.encode(WELCOME))
            while not peer.pump():
                selector.select()
            late = 0
            for number in range(1, TRIES + 1):
                sent_ns = time.time_ns()
                server.sendall(frames.encode(Ping(number)))
                before_ns = time.time_ns()
                while not (messages := peer.pump()):
                    selector.select()
                assert messages == [Ping(number)]
                assert peer.came_ns >= sent_ns
                late += peer.came_ns > before_ns
                peer.say(Pong(number))
                peer.flush()
                assert before_ns <= peer.sent_ns <= time.time_ns()
            assert late < TRIES // 2, (
                "at the most when the system begins to stamp, and now and then"
            )
        peer.close()

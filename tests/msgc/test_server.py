"""Addresses of servers, as people write them."""

import pytest

from msgc.server import Server, ServerTextError, parse_server


@pytest.mark.parametrize(
    ("text", "server", "name"),
    [
        ("chat.example", Server("chat.example", 7070), "chat.example:7070"),
        ("chat.example:1", Server("chat.example", 1), "chat.example:1"),
        ("127.0.0.1:65535", Server("127.0.0.1", 65_535), "127.0.0.1:65535"),
        ("::1", Server("::1", 7070), "[::1]:7070"),
        ("[2001:db8::1]:9", Server("2001:db8::1", 9), "[2001:db8::1]:9"),
        ("[2001:db8::1]", Server("2001:db8::1", 7070), "[2001:db8::1]:7070"),
        ("tls://chat.example", Server("chat.example", 7070, tls=True), "chat.example:7070"),
        ("tls://[::1]:9", Server("::1", 9, tls=True), "[::1]:9"),
        ("unix:/run/msgd.sock", Server("", 0, "/run/msgd.sock"), "unix:/run/msgd.sock"),
        (f"unix:/{'a' * 106}", Server("", 0, f"/{'a' * 106}"), f"unix:/{'a' * 106}"),
    ],
)
def test_what_is_understood(text: str, server: Server, name: str) -> None:
    assert parse_server(text, 7070) == server
    assert server.name == name


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":7070",
            "host:",
            "host:0",
            "host:65536",
            "host:x",
            "host:\uff11",
            "tls://",
            "tls://:1",
        ),
        *("http://host", "[::1", "[::1]7070", "host/path", "unix:", "unix:path", "user@host"),
        *(f"unix:/{'a' * 107}", "host:999999999999999999999"),
    ],
)
def test_what_is_not(text: str) -> None:
    with pytest.raises(ServerTextError, match="host:port"):
        parse_server(text, 7070)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("LocalHost", True)),
        *(("10.0.0.1", False), ("chat.example", False), ("localhost.example", False)),
        *(("::", False), ("0.0.0.0", False)),
    ],
)
def test_which_hosts_are_this_computer(host: str, here: bool) -> None:
    assert Server(host, 1).is_here is here
    assert Server(host, 1, "/a").is_here

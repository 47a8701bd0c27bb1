"""MSGP/1, the protocol between msgd and msgc: what is said, and nothing else.

No socket, clock, thread, log or file is touched in this package. `wire.connection` is the way in;
`docs/protocol.md` is the same in prose.
"""

"""kill -9 of the real server, again and again, with an oracle outside."""

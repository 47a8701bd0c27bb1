"""The real server under strace, which makes its system calls fail."""

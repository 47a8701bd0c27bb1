"""Options about the machine that the server runs on: who runs it, and how its log reads.

Must never decide anything: `msgd.host` and `msgd.log` do. Fails never.
"""

from typing import Final

from msgd.options import Kind, Option, flag

OPTIONS: Final = (
    flag("allow_root", "run as root too, which nothing here needs"),
    Option(
        "log_format",
        Kind.TEXT,
        "text",
        "lines of the log: text or json",
        "FORMAT",
        choices=("text", "json"),
    ),
)

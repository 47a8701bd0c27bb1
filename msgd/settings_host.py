"""Options about the machine that the server runs on: who runs it, how its log reads, and who
watches it.

Must never decide anything: `msgd.host`, `msgd.log` and `msgd.metrics_page` do. Fails never.
"""

from typing import Final

from msgd.options import Kind, Option, flag, number

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
    number("metrics_port", 0, 0, 65_535, "metrics for Prometheus, on 127.0.0.1; 0: none"),
)

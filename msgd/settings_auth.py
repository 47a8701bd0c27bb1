"""Options about who may be somebody here: what a login needs, and who makes accounts.

Must never decide anything about one user: `msgd.exchange_login` and `msgd.exchange_accounts` do.
Fails never.
"""

from dataclasses import replace
from typing import Final

from msgd.limits import ExchangeLimits
from msgd.options import Kind, Option, number
from wire.codes import Registration

DAY_MS: Final = 86_400_000
NAME_RESERVED_DAYS: Final = 30

OPTIONS: Final = (
    Option(
        "auth",
        Kind.TEXT,
        "auto",
        "to log in: open, password",
        "HOW",
        choices=("auto", "open", "password"),
    ),
    Option(
        "registration",
        Kind.TEXT,
        "auto",
        "accounts by: open, invite, closed",
        "HOW",
        choices=("auto", "open", "invite", "closed"),
    ),
    number(
        "name_reserved_days",
        NAME_RESERVED_DAYS,
        0,
        3_650,
        "names stay reserved (with auth password)",
    ),
)


def with_auth(
    limits: ExchangeLimits,
    *,
    auth: str,
    registration: str,
    name_reserved_days: int,
    is_local: bool,
) -> ExchangeLimits:
    """The rules with these options. `is_local`: nobody can connect from another machine.

    Left to itself, a server that only this machine reaches wants a name, and everybody may make an
    account; any other wants a password, and an invite for a new account.
    """
    password_needed = auth == "password" or (auth == "auto" and not is_local)
    if registration == "auto":
        registration = "invite" if password_needed else "open"
    return replace(
        limits,
        password_needed=password_needed,
        registration=Registration[registration.upper()],
        name_reserved_ms=name_reserved_days * DAY_MS if password_needed else 0,
    )


def words(limits: ExchangeLimits) -> str:
    """What holds, for the log."""
    how = "a password" if limits.password_needed else "a name"
    who = {
        Registration.OPEN: "everybody makes accounts",
        Registration.INVITE: "accounts are made by invite",
        Registration.CLOSED: "accounts are made by the operator",
    }[Registration(limits.registration)]
    return f"a login needs {how}, {who}"


def unheeded(limits: ExchangeLimits, name_reserved_days: int) -> str:
    """What was chosen and counts for nothing; empty if there is nothing."""
    if limits.password_needed or name_reserved_days in {0, NAME_RESERVED_DAYS}:
        return ""
    return (
        "--name-reserved-days counts for nothing here: where a login needs no password, the name "
        "of a deleted account is free at once (--auth password keeps it)"
    )


def warning(limits: ExchangeLimits, *, is_local: bool) -> str:
    """What the operator should know of what was chosen; empty if there is nothing."""
    if is_local or limits.password_needed:
        return ""
    return (
        "other machines can connect, and a login needs no password: whoever reaches the port can "
        "be any user, and read that user's messages (--auth open)"
    )

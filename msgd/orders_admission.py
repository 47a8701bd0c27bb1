"""The orders `passwd` and `invite`: who may be somebody here.

Must never put an invite or a verifier into the sentence of an answer, which is logged: invites are
rows of it.
Fails never; an order that cannot be carried out is answered with words.
"""

from typing import Final

from msgd import names
from msgd.exchange import Exchange
from msgd.values import Now
from msgd.verbs import Answer, Arguments
from store.credential import KEY_BYTES, Credential
from store.limits import INVITES_AT_ONCE_MAX, INVITES_MAX
from wire import limits
from wire.invite import InviteError, invite_text, read_invite
from wire.scram import iterations_allowed

DAY_MS: Final = 86_400_000
DAYS_MAX: Final = 365
ALL: Final = "all"


def change_password(exchange: Exchange, arguments: Arguments, now: Now) -> Answer:
    """`msgd passwd NAME`: the verifier was made by the shell's side (`msgd.passwd`)."""
    name = names.fold(str(arguments.get("name", "")))
    credential: Credential | None = None
    if not arguments.get("remove"):
        credential = _credential(arguments)
        if credential is None:
            return Answer(done=False, text="no verifier that can be taken")
    create = bool(arguments.get("create"))
    done, text = exchange.operator.set_password(name, credential, now, create=create)
    if done and exchange.kick(name, now, "the password was set by the operator"):
        text += "; the session was ended"
    return Answer(done=done, text=text)


def make_invites(exchange: Exchange, arguments: Arguments, now: Now) -> Answer:
    """`msgd invite`, and no more said than how many and how long."""
    count, days = arguments.get("count", 1), arguments.get("days", 7)
    if not isinstance(count, int) or not isinstance(days, int) or not 1 <= days <= DAYS_MAX:
        return Answer(done=False, text=f"--days takes 1 to {DAYS_MAX}")
    until_ms = now.wall_ms + days * DAY_MS
    invites = exchange.operator.make_invites(count, until_ms, now)
    if not invites:
        return Answer(
            done=False,
            text=f"{INVITES_AT_ONCE_MAX} invites at once are the most, and {INVITES_MAX} that are "
            "not used",
        )
    text = "an invite" if count == 1 else f"{count} invites"
    text += f", each for one account, for {days} day{'s' * (days != 1)}"
    if not exchange.operator.wants_invites:
        text += "; this server does not ask for any now (--registration invite)"
    rows = tuple({"invite": invite_text(invite), "until_ms": until_ms} for invite in invites)
    return Answer(done=True, text=text, rows=rows)


def manage_invites(exchange: Exchange, arguments: Arguments, now: Now) -> Answer:
    """`msgd invite`: make some, take one or all back, or tell how many are out."""
    revoked = arguments.get("revoke")
    if revoked:
        return _revoke_invites(exchange, str(revoked), now)
    if arguments.get("list"):
        times = exchange.operator.invites_out(now)
        text = f"{_counted(len(times))} out, not used"
        return Answer(done=True, text=text, rows=tuple({"until_ms": each} for each in times))
    return make_invites(exchange, arguments, now)


def _revoke_invites(exchange: Exchange, words: str, now: Now) -> Answer:
    try:
        invite = None if words == ALL else read_invite(words)
    except InviteError as error:
        return Answer(done=False, text=f"{error}; or say all")
    count = exchange.operator.revoke_invites(invite, now)
    if invite is not None and not count:
        text = "there is no such invite: it was used, is over, or never was"
        return Answer(done=False, text=text)
    return Answer(done=True, text=f"{_counted(count)} taken back")


def _counted(count: int) -> str:
    return "1 invite is" if count == 1 else f"{count} invites are"


def _credential(arguments: Arguments) -> Credential | None:
    """What the order brings; None when it makes no sense."""
    iterations = arguments.get("iterations")
    try:
        salt, stored_key, server_key = (
            bytes.fromhex(str(arguments.get(key, "")))
            for key in ("salt", "stored_key", "server_key")
        )
    except ValueError:
        return None
    if not isinstance(iterations, int) or not iterations_allowed(iterations):
        return None
    if not limits.SALT_BYTES_MIN <= len(salt) <= limits.SALT_BYTES_MAX:
        return None
    if len(stored_key) != KEY_BYTES or len(server_key) != KEY_BYTES:
        return None
    return Credential(salt, iterations, stored_key, server_key)

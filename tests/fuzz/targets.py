"""All targets by their names, and where their corpora are.

A target is a function of bytes. It raises if something is wrong, and only then. A target must never
depend on anything but its bytes: what was found once must be found again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.fuzz import targets_forged, targets_store, targets_wire, targets_words

CORPUS: Final = Path(__file__).parent / "corpus"

TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "tlv": targets_wire.read_tlv,
    "frame": targets_wire.read_frame,
    "connection": targets_wire.converse,
    "scram": targets_wire.log_in,
    "invite": targets_wire.read_invite,
    "certificate": targets_wire.read_certificate,
    "journal": targets_store.read_journal,
    "mailbox": targets_store.read_mailbox,
    "manifest": targets_store.read_manifest,
    "accounts": targets_store.read_accounts,
    "account": targets_store.read_account,
    "forged": targets_forged.use_forged,
    "text": targets_words.show_raw,
    "keys": targets_words.press,
    "server_config": targets_words.configure_server,
    "client_config": targets_words.configure_client,
    "panel": targets_words.attend,
    "bans": targets_words.read_bans,
}


def corpus_of(name: str) -> list[Path]:
    """The kept inputs of a target, in order."""
    return sorted((CORPUS / name).glob("*"))

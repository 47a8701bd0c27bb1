"""`msgd dump`: any file of the store as text, one record a line.

Bodies and names are escaped: nothing that somebody sent reaches the terminal as it is. The nonces
of the journal are not shown, nor anything of a password but that there is one.

Must never write. Fails with StoreError and DiskError where the damage is; lines before it are out.
"""

from collections.abc import Iterator

from store.account import Account
from store.accounts_log import SavedAccounts
from store.admitting_records import Admitting, CredentialSet, Invited, Registered, Retired
from store.blocking import Blocked
from store.disk import Disk
from store.entry import Entry
from store.inspect import entries_of, load_saved, need_manifest, records_of, replay_of
from store.manifest import Manifest
from store.queue import Queue
from store.records import (
    Accepted,
    Begun,
    Created,
    Ended,
    Fields,
    Recalled,
    RecalledFromAll,
    RecordCode,
    Settled,
    Touched,
)

BODY_SHOWN_MAX = 200


def escape(data: bytes | str) -> str:
    """Text that is safe to look at, in quotes."""
    text = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
    return ascii(text)


def shorten(body: bytes) -> str:
    """A body, cut where it becomes long."""
    if len(body) <= BODY_SHOWN_MAX:
        return escape(body)
    return f"{escape(body[:BODY_SHOWN_MAX])}+{len(body) - BODY_SHOWN_MAX} bytes"


def dump(disk: Disk) -> Iterator[str]:
    """The whole store: MANIFEST, accounts, mailboxes, and the journal since the last checkpoint."""
    manifest = need_manifest(disk)
    yield from dump_manifest(manifest)
    saved = load_saved(disk, manifest)
    numbers = sorted(saved.accounts)  # one account at a time: there may be a million
    for number in numbers:
        yield dump_account(saved.accounts[number], saved)
    for each in saved.everyone.recalled.values():
        kept = ",".join(map(str, each.kept)) or "nobody"
        yield f"recalled {each.number} from={each.sender} at={each.at_number} kept={kept}"
    for name, until_ms in saved.registry.reserved.items():
        yield f"reserved name={escape(name)} until_ms={until_ms}"
    for invite_hash, until_ms in saved.registry.invites.items():
        yield f"invite {invite_hash[:4].hex()} until_ms={until_ms}"
    yield from dump_queue(disk, manifest, saved.everyone.queue, None)
    for number in numbers:
        account = saved.accounts[number]
        yield from dump_queue(disk, manifest, account.queue, account)
    yield from dump_journal(disk, manifest)


def dump_user(disk: Disk, name: str) -> Iterator[str]:
    """One account as of the last checkpoint, and its queue; nothing when there is none."""
    manifest = need_manifest(disk)
    saved = load_saved(disk, manifest)
    for account in saved.accounts.values():
        if account.name == name:
            yield dump_account(account, saved)
            yield from dump_queue(disk, manifest, account.queue, account)
            yield from dump_queue(disk, manifest, saved.everyone.queue, account)


def dump_manifest(manifest: Manifest) -> Iterator[str]:
    """MANIFEST."""
    yield (
        f"manifest generation={manifest.generation} store={manifest.store_id.hex()} "
        f"next_number={manifest.next_number} last_received_at_ms={manifest.last_received_at_ms} "
        f"replay_lsn={manifest.replay_lsn} accounts_file={manifest.accounts_file} "
        f"accounts_bytes={manifest.accounts_bytes} "
        f"segments={','.join(f'{number:x}' for number, _ in manifest.segments)}"
    )


def dump_account(account: Account, saved: SavedAccounts) -> str:
    """One account."""
    total = account.closing_total if account.closing else saved.everyone.total
    recalled = len(account.withdrawn(saved.everyone))
    marks = ""
    if account.marked:
        marks = f" session={account.session_number}"
        marks += f" handed={account.handed_from}-{account.handed_to}"
    if account.credential is not None:
        marks += " password=yes"
    if account.blocked:
        marks += f" blocked={','.join(map(str, account.blocked))}"
    ranges = " ".join(f"({start},{end}]" for start, end in account.settled.pairs())
    return (
        f"account {account.number} name={escape(account.name)} "
        f"created_at_ms={account.created_at_ms} last_seen_ms={account.last_seen_ms} "
        f"messages={account.own_messages + total - account.everyone_seen - recalled} "
        f"outcomes={account.own_outcomes} closing={account.closing} "
        f"installations={len(account.windows)} settled={ranges}{marks}"
    )


def dump_queue(
    disk: Disk, manifest: Manifest, queue: Queue, account: Account | None
) -> Iterator[str]:
    """A mailbox file, entry by entry, as this account sees it."""
    if queue.has_file:
        owner = "everyone" if queue.number == 0 else str(queue.number)
        for entry in entries_of(disk, manifest.store_id, queue):
            settled = account is not None and account.settled.covers(entry.number)
            yield f"entry {owner} {'settled' if settled else 'waiting'} {dump_entry(entry)}"


def dump_entry(entry: Entry) -> str:
    """One entry."""
    return (
        f"{entry.number} {entry.kind.name} id={entry.message_id.hex()} from={entry.sender} "
        f"name={escape(entry.sender_name)} at_ms={entry.received_at_ms} "
        f"audience={entry.audience.name}:{entry.audience_count} code={entry.code} "
        f"body={shorten(entry.body)}"
    )


def dump_journal(disk: Disk, manifest: Manifest) -> Iterator[str]:
    """The batches since the last checkpoint."""
    for batch in replay_of(disk, manifest).batches():
        for number, type_, fields in records_of(batch):
            yield f"record lsn={batch.lsn} {number} {RecordCode(type_).name} {dump_fields(fields)}"


def dump_fields(fields: Fields) -> str:
    """One record's fields."""
    if isinstance(fields, Accepted):
        to = ",".join(map(str, fields.recipients)) or "everyone"
        return (
            f"at_ms={fields.at_ms} from={fields.sender} name={escape(fields.sender_name)} "
            f"id={fields.message_id.hex()} to={to} body={shorten(fields.body)}"
        )
    if isinstance(fields, Settled):
        numbers = ",".join(str(each.number) for each in fields.settlements)
        return (
            f"at_ms={fields.at_ms} account={fields.account} name={escape(fields.name)} "
            f"discarded={fields.discarded} entries={numbers}"
        )
    if isinstance(fields, Created):
        return f"at_ms={fields.at_ms} name={escape(fields.name)}"
    if isinstance(fields, Begun):
        return f"at_ms={fields.at_ms} account={fields.account} everyone={fields.everyone_total}"
    if isinstance(fields, Ended):
        handed = f"{fields.handed_from}-{fields.handed_to}"
        return f"at_ms={fields.at_ms} account={fields.account} handed={handed}"
    if isinstance(fields, Recalled):
        copies = ",".join(f"{each.number}@{each.account}" for each in fields.copies)
        return (
            f"at_ms={fields.at_ms} from={fields.sender} id={fields.message_id.hex()} "
            f"copies={copies}"
        )
    if isinstance(fields, RecalledFromAll):
        kept = ",".join(map(str, fields.kept)) or "nobody"
        return (
            f"at_ms={fields.at_ms} from={fields.sender} id={fields.message_id.hex()} "
            f"entry={fields.number} kept={kept}"
        )
    if isinstance(fields, Blocked):
        blocked = ",".join(map(str, fields.blocked)) or "nobody"
        return f"at_ms={fields.at_ms} account={fields.account} blocked={blocked}"
    if isinstance(fields, Touched):
        return f"at_ms={fields.at_ms} account={fields.account}"
    return dump_admitting(fields)


def dump_admitting(fields: Admitting) -> str:
    """The fields of the records about who may be somebody here, without what is secret."""
    if isinstance(fields, CredentialSet):
        has = "no" if fields.credential is None else "yes"
        return f"at_ms={fields.at_ms} account={fields.account} password={has}"
    if isinstance(fields, Registered):
        has = "no" if fields.credential is None else "yes"
        invite = fields.invite[:4].hex() or "none"
        return f"at_ms={fields.at_ms} name={escape(fields.name)} password={has} invite={invite}"
    if isinstance(fields, Retired):
        return (
            f"at_ms={fields.at_ms} account={fields.account} name={escape(fields.name)} "
            f"until_ms={fields.until_ms}"
        )
    if isinstance(fields, Invited):
        hashes = ",".join(each[:4].hex() for each in fields.hashes)
        return f"at_ms={fields.at_ms} until_ms={fields.until_ms} invites={hashes}"
    return f"at_ms={fields.at_ms}"

"""What the server answers to requests about accounts, and its news, as events for the user's side.

Messages and their fates are `msgc.link_traffic`'s; what moves the link itself is `msgc.link`'s.

Must never ask for the next page of a list that does not go forward.
Fails with RemoteProtocolError when the server answers what was not asked.
"""

from collections import deque

from msgc.limits import ACCOUNTS_KEPT_MAX
from msgc.link_events import (
    AccountLine,
    Accounts,
    Blocked,
    BlockRefused,
    CheckDone,
    Created,
    CreateRefused,
    DeleteRefused,
    LinkEvent,
    NoticeArrived,
    PasswordChanged,
    PasswordRefused,
    ServerStopping,
)
from msgc.link_requests import Kind, Requests
from wire import messages
from wire.codes import Code, NoticeKind
from wire.connection import Unsupported
from wire.errors import RemoteProtocolError
from wire.messages import ListAccounts, Message


class Answers:
    """See the module's text. One for each link."""

    def __init__(self, requests: Requests, events: deque[LinkEvent]) -> None:
        self._requests = requests
        self._events = events

    def page(self, message: messages.AccountList) -> ListAccounts | None:
        """One page of users; gives the request for the next, if there is one."""
        asked = self._requests.take(message.request, Kind.LIST)
        asked.count += len(message.entries)
        cursor = message.cursor
        if cursor is not None and asked.cursor is not None and cursor <= asked.cursor:
            raise RemoteProtocolError(Code.MALFORMED, "its list of users does not end")
        number = None
        if cursor is not None and asked.count < ACCOUNTS_KEPT_MAX:
            asked.cursor = cursor
            number = self._requests.add(asked)
        entries = tuple(
            AccountLine(
                entry.username,
                entry.presence,
                entry.last_seen_ms,
                entry.created_at_ms,
                entry.queue_full,
            )
            for entry in message.entries
        )
        self._events.append(
            Accounts(
                request=asked.first,
                entries=entries,
                accounts_total=message.accounts_total,
                accounts_connected=message.accounts_connected,
                complete=number is None,
            )
        )
        return None if number is None else ListAccounts(number, asked.name, cursor)

    def handle(self, message: Message | Unsupported) -> None:
        """An answer or news; others are passed over."""
        match message:
            case messages.CheckComplete(request=request):
                asked = self._requests.take(request, Kind.CHECK)
                delivered = max(0, message.delivered - asked.count)
                self._events.append(CheckDone(request, delivered, message.remaining, asked.flag))
            case messages.CreateSuccess(request=request):
                self._requests.take(request, Kind.CREATE)
                self._events.append(Created(request, message.username))
            case messages.CreateFailure(request=request):
                asked = self._requests.take(request, Kind.CREATE)
                self._events.append(
                    CreateRefused(request, asked.name or "", message.code, message.text)
                )
            case messages.SendersBlocked(request=request):
                asked = self._requests.take(request, Kind.BLOCK)
                if not asked.flag:
                    self._events.append(Blocked(request, asked.name or "", message.blocked))
            case messages.BlockFailure(request=request):
                asked = self._requests.take(request, Kind.BLOCK)
                if not asked.flag:
                    self._events.append(
                        BlockRefused(request, asked.name or "", message.code, message.text)
                    )
            case messages.PasswordChanged(request=request):
                self._requests.take(request, Kind.PASSWORD)
                self._events.append(PasswordChanged(request))
            case messages.PasswordFailure(request=request):
                self._requests.take(request, Kind.PASSWORD)
                self._events.append(PasswordRefused(request, message.code, message.text))
            case messages.DeletionFailure(request=request):
                self._requests.take(request, Kind.DELETE)
                self._events.append(
                    DeleteRefused(message.code, message.text, message.messages_waiting)
                )
            case messages.Notice(kind=NoticeKind.SHUTTING_DOWN):
                self._events.append(ServerStopping(message.text))
            case messages.Notice():
                self._events.append(NoticeArrived(message.kind, message.text, message.count))
            case _:
                pass

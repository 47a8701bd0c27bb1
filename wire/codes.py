"""The numbers of MSGP/1: frames, fields, codes and kinds.

Numbers are for ever. A retired one stays here as a comment and is not used again; 0 is reserved in
every list. A field whose number has the top bit set (0x8000) must be understood by who reads it.

Must never share a list with the disk: `store` has numbers of its own.
Fails never; unknown numbers are the readers' affair.
"""

from enum import IntEnum, unique
from typing import Final

MUST_UNDERSTAND: Final = 0x8000


@unique
class FrameType(IntEnum):
    """What a frame is. The names are the seeds' own where the seeds have one."""

    HELLO = 1
    WELCOME = 2
    ERROR = 3
    PING = 4
    PONG = 5
    NOTICE = 6
    LOGOUT = 7
    LOGGED_OUT = 8

    CREATE_ACCOUNT = 16
    CREATE_SUCCESS = 17
    CREATE_FAILURE = 18
    LOGIN_REQUEST = 19
    LOGIN_SUCCESS = 20
    LOGIN_FAILURE = 21
    LIST_ACCOUNTS = 22
    ACCOUNT_LIST = 23
    LOGIN_CHALLENGE = 24
    LOGIN_PROOF = 25
    CHANGE_PASSWORD = 26
    PASSWORD_CHANGED = 27
    PASSWORD_FAILURE = 28

    SEND_MESSAGE = 32
    MESSAGE_PENDING = 33
    MESSAGE_FAILURE = 34
    MESSAGE_SUCCESS = 35
    DISTRIBUTE_MESSAGE = 36
    MESSAGE_RECEIPT = 37
    RECEIPT_SETTLED = 38
    CHECK_MESSAGES = 39
    CHECK_COMPLETE = 40
    RECALL_MESSAGE = 41
    MESSAGE_RECALLED = 42
    RECALL_FAILURE = 43
    BLOCK_SENDERS = 44
    SENDERS_BLOCKED = 45
    BLOCK_FAILURE = 46

    DELETION_REQUEST = 48
    DELETION_SUCCESS = 49
    DELETION_FAILURE = 50


@unique
class Field(IntEnum):
    """What a field is. A number means the same in every frame."""

    REQUEST = 1
    VERSION = 2
    AGENT = 3
    CAPABILITY = 4
    SERVER_ID = 5
    AUTHENTICATION = 6
    SERVER_TIME = 7
    FRAME_BYTES_MAX = 8
    BODY_BYTES_MAX = 9
    RECIPIENTS_MAX = 10
    WINDOW_MESSAGES = 11
    WINDOW_BYTES = 12
    PING_INTERVAL = 13
    REGISTRATION = 14
    CHANNEL_BINDING = 15

    CODE = 16
    TEXT = 17
    FATAL = 18
    KIND = 19
    COUNT = 20

    USERNAME = 32
    INSTALLATION = 33
    CREATE_IF_NEW = 34
    LIVE = 35
    CREATED = 36
    MESSAGES_WAITING = 37
    OUTCOMES_WAITING = 38
    LAST_SEEN = 39
    PATTERN = 40
    CURSOR = 41
    LIMIT = 42
    PRESENCE = 43
    ACCOUNTS_TOTAL = 44
    ACCOUNTS_CONNECTED = 45
    QUEUE_FULL = 46
    CREATED_AT = 47
    ACCOUNT = 48
    SCRAM = 49
    SALT = 50
    ITERATIONS = 51
    STORED_KEY = 52
    SERVER_KEY = 53
    INVITE = 54

    MESSAGE_ID = 64
    RECIPIENT = 65
    EVERYONE = 66
    BODY = 67
    RECEIVED_AT = 68
    DUPLICATE = 69
    DELIVERY = 70
    SENDER = 71
    AUDIENCE = 72
    DELIVERED_AT = 73
    OUTCOMES_ONLY = 74
    DELIVERED = 75
    REMAINING = 76
    SETTLED_AT = 77
    RECALLED = 78
    HANDED_OUT = 79
    ENDED = 80
    GONE = 81
    LATER = 82
    BLOCKED = 83
    UNBLOCKED = 84

    FORCE = 96
    DISCARDED = 97


@unique
class Code(IntEnum):
    """Why something failed. One list for ERROR and all the FAILURE frames."""

    # The protocol was broken, or cannot go on: carried by ERROR.
    MALFORMED = 1
    FRAME_TOO_LARGE = 2
    ILLEGAL_NOW = 3
    UNSUPPORTED = 4
    VERSION = 5
    TOO_SLOW = 6
    TOO_MANY_CONNECTIONS = 7
    TAKEN_OVER = 8
    KICKED = 9
    INTERNAL = 10

    # Something was refused, or came to nothing: carried by the FAILURE frames.
    RECIPIENT_DELETED = 11
    NAME_TAKEN = 12
    NAME_INVALID = 13
    IN_USE = 14
    UNKNOWN_USER = 15
    UNKNOWN_RECIPIENT = 16
    NO_RECIPIENTS = 17
    TOO_MANY_RECIPIENTS = 18
    BODY_EMPTY = 19
    BODY_TOO_LARGE = 20
    TOO_OLD = 21
    TOO_MANY_INSTALLATIONS = 22
    STORAGE_FULL = 23
    BUSY = 24
    NOT_OWNER = 25
    UNDELIVERED_MESSAGES = 26
    WRONG_INSTALLATION = 27
    BEING_DELETED = 28
    QUEUE_FULL = 29
    RECALLED = 30
    UNKNOWN_MESSAGE = 31
    WRONG_PASSWORD = 32
    PASSWORD_NEEDED = 33
    PASSWORD_REFUSED = 34
    CHANNEL_BINDING = 35
    REGISTRATION_CLOSED = 36
    INVITE_INVALID = 37
    TOO_MANY_ATTEMPTS = 38
    BLOCKED = 39
    TOO_MANY_BLOCKED = 40
    TLS_NEEDED = 41


@unique
class Presence(IntEnum):
    """Whether a user is there. Silent: connected, but a ping is unanswered."""

    OFF = 1
    ON = 2
    SILENT = 3


@unique
class Audience(IntEnum):
    """To whom a message was sent: the seeds' 1-to-1, 1-to-n and 1-to-all."""

    ONE = 1
    SEVERAL = 2
    EVERYONE = 3


@unique
class NoticeKind(IntEnum):
    """What a NOTICE tells. A client that does not know a kind shows its text."""

    MAIL_WAITING = 1
    SHUTTING_DOWN = 2
    ANNOUNCEMENT = 3
    STORAGE_FULL = 4
    QUEUE_FULL = 5


@unique
class Authentication(IntEnum):
    """What WELCOME says is needed to log in."""

    NAME_ONLY = 1
    SCRAM_SHA_256 = 2


@unique
class Registration(IntEnum):
    """Who may make an account, as WELCOME says it."""

    OPEN = 1
    INVITE = 2
    CLOSED = 3

"""The limits of everything that terminals show and send, each with its unit in its name.

Must never hold a limit of the wire or of the store: those live beside what they limit.
A limit that contradicts another one fails the import.
"""

from typing import Final

# Foreign text on a screen (see term/safe.py).
TEXT_COLUMNS_MAX: Final = 4_096
TEXT_LINES_MAX: Final = 200
TAB_COLUMNS: Final = 4
BODY_MARKS_MAX: Final = 4  # combining marks per base; ncurses keeps four in a cell
LINE_MARKS_MAX: Final = 2
LOG_CHARACTERS_MAX: Final = 256
HIDDEN_QUIET_MAX: Final = 8  # up to this many removed characters are not worth a word
CACHED_CHARACTERS_MAX: Final = 65_536

# Screens.
SCREEN_COLUMNS_MIN: Final = 60
SCREEN_ROWS_MIN: Final = 16
SCREEN_COLUMNS_MAX: Final = 1_000
SCREEN_ROWS_MAX: Final = 1_000

NOTICE_COLUMNS_MAX: Final = 80

# What comes from a keyboard.
READ_BYTES_MAX: Final = 65_536
SEQUENCE_BYTES_MAX: Final = 64  # a longer control sequence is still dropped as a unit
PASTE_BYTES_MAX: Final = 262_144
ESCAPE_DELAY_MS: Final = 25  # a lone Esc is a key after this silence
SEQUENCE_SILENCE_MS: Final = 1_000  # an unfinished control sequence is given up after this silence
BARE_PASTE_GOES_ON_MS: Final = 30  # what follows a paste without brackets so soon belongs to it
PASTE_SILENCE_MS: Final = 10_000  # a paste whose end never comes is handed over after this silence

# Editing.
EDIT_BYTES_MAX: Final = 65_536
UNDO_STEPS_MAX: Final = 200
UNDO_CHARACTERS_MAX: Final = 1_048_576  # of all steps together
KILLS_MAX: Final = 16  # each is at most as long as the text

# Lines without a screen.
PLAIN_LINE_BYTES_MAX: Final = 65_536

if LINE_MARKS_MAX > BODY_MARKS_MAX:
    raise ValueError("a one-line field may not hold more marks per base than a body")
if not ESCAPE_DELAY_MS < SEQUENCE_SILENCE_MS < PASTE_SILENCE_MS:
    raise ValueError("the waits of the key decoder must grow: escape, sequence, paste")

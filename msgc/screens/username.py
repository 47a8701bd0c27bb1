"""The first screen: under which name to connect, and what became of the attempt.

Asks for a name, shows that it is being tried, counts down while the server cannot be reached, and
asks again when the server refuses. Must never decide that a name is free: only the server can.
"""

from typing import Final

from msgc.profile import is_name
from msgc.screens.desk import Desk
from msgc.screens.password import form_blocks
from msgc.screens.screen import TYPING_KEYS, Done, Outcome, Screen
from msgc.screens.secret import Asks, SecretForm, Went
from msgc.view import Block, Field, Fixed, Gap, Room, View, said, view
from msgc.view_values import Distrust, Overview, Phase, Wish
from msgc.words import name_rule
from term.editor import Editor
from term.editor import Outcome as Typed
from term.keys import Binding, KeyEvent, KeyTable, Paste
from term.picture import Style
from term.safe import Safe, safe_line
from wire.codes import Registration
from wire.limits import NAME_BYTES_MAX

_PROMPT: Final = Safe("Username:")

ASKING_KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "connect", "Connect under this name", "connect"),
        Binding(("Esc",), "clear", "Empty the field", "clear"),
        Binding(("C-c", "F10"), "quit", "Quit", "quit"),
    ],
    inherits=TYPING_KEYS,
)
TRYING_KEYS: Final = KeyTable(
    [
        Binding(("Esc",), "other", "Stop trying, give another name", "other name"),
        Binding(("r",), "retry", "Try again now", "retry now"),
        Binding(("q", "C-c", "F10"), "quit", "Quit", "quit"),
        Binding(("?", "F1", "C-g"), "help", "Show the keys of this screen", "help"),
    ],
    inherits=TYPING_KEYS,
)


REFUSING_KEYS: Final = KeyTable(
    [
        Binding(("r",), "retry", "Try again", "try again"),
        Binding(("Esc", "n"), "other", "Do not connect", "back"),
        Binding(("q", "C-c", "F10"), "quit", "Quit", "quit"),
        Binding(("?", "F1", "C-g"), "help", "Show the keys of this screen", "help"),
    ],
    inherits=TYPING_KEYS,
)
DOUBTING_KEYS: Final = KeyTable(
    [Binding(("y",), "accept", "It is the right server: remember its key, and connect", "accept")],
    inherits=REFUSING_KEYS,
)


class Username(Screen):
    """The prompt for a name."""

    name = "username"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._editor = Editor(multiline=False, bytes_max=NAME_BYTES_MAX)
        self._wish: Wish | None = None
        self._form: SecretForm | None = None

    @property
    def keys(self) -> KeyTable:
        """Letters are text while a name is asked for, and commands while it is tried."""
        form = self._asked()
        if form is not None:
            return form.keys
        distrust = self._desk.distrust()
        if distrust is not None:
            return DOUBTING_KEYS if distrust.pin else REFUSING_KEYS
        return ASKING_KEYS if self._asking() else TRYING_KEYS

    def handle(self, key: KeyEvent) -> Outcome:
        """A name and Enter; or patience."""
        command = self.keys.command(key)
        if command == "quit":
            self._desk.quit()
            return Done.HANDLED
        form = self._asked()
        if form is not None:
            return self._handle_form(form, key)
        if self._desk.distrust() is not None:
            return self._handle_doubting(command)
        if not self._asking():
            return self._handle_trying(command)
        if command == "connect":
            self._connect(self._editor.text)
            return Done.HANDLED
        if command == "clear":
            self._editor.set_text("")
            return Done.HANDLED
        if command is not None:
            return Done.IGNORED
        if isinstance(key, Paste):
            key = Paste(key.text.strip())
        if self._editor.handle(key) is Typed.IGNORED:
            return Done.IGNORED
        return Done.HANDLED

    def view(self, room: Room) -> View:
        """The form."""
        overview = self._desk.overview()
        blocks: list[Block] = [
            Gap(),
            said("Messages that wait until they are read.", Style.BOLD),
            said(f"The server is {safe_line(overview.address)}."),
            Gap(),
        ]
        distrust, form = self._desk.distrust(), self._asked()
        if form is not None and self._wish is not None:
            blocks = self._ask_secret(form, self._wish, overview)
        elif distrust is not None:
            blocks = self._doubt(distrust)
        elif self._asking():
            refusal = self._desk.refusal()
            if refusal:
                blocks += [said(refusal, Style.BOLD), Gap()]
            shown = self._editor.layout(room.columns - len(_PROMPT) - 6, 1)
            blocks.append(Field(_PROMPT, shown.rows, shown.cursor, self._editor.text))
            hints = f"{name_rule()} A name that is new here gets an account."
            blocks += [Gap(), said(hints, Style.DIM)]
        else:
            blocks += self._attempt(overview)
        return view(self._desk, self.name, "msgc", blocks, self.keys)

    def _attempt(self, overview: Overview) -> list[Block]:
        """What becomes of it: the name, as it was typed, and patience."""
        standing = overview.standing
        blocks: list[Block] = [Fixed(_PROMPT, safe_line(overview.name)), Gap()]
        if standing.phase is Phase.WAITING:
            words = f"{standing.words(self._desk.now_ms())}."
            blocks.append(said(safe_line(standing.reason), Style.BOLD))
            blocks.append(said(words, is_moving=True))
            blocks.append(said("r tries now, Esc gives another name, q quits."))
        else:
            blocks.append(said(f"Connecting to {safe_line(overview.address)} ...", is_moving=True))
        return blocks

    def _asked(self) -> SecretForm | None:
        """The form for what the server wants now; a new wish is a new form."""
        wish = self._desk.wish()
        if wish is not self._wish:
            self._wish = wish
            self._form = None if wish is None else SecretForm(Asks.PASSWORD)
        return self._form

    def _ask_secret(self, form: SecretForm, wish: Wish, overview: Overview) -> list[Block]:
        """Who, where, and the field."""
        blocks: list[Block] = [Gap(), Fixed(_PROMPT, safe_line(wish.name)), Gap()]
        if wish.why and not form.problem and not form.answers:
            blocks += [said(wish.why, Style.BOLD), Gap()]
        blocks += form_blocks(form)
        if form.asks is Asks.PASSWORD:
            words = f"{safe_line(overview.address)} wants a password. It is proven, and never sent."
            blocks += [Gap(), said(words, Style.DIM)]
            if wish.registration != Registration.CLOSED:
                blocks.append(said("New here? ^N makes an account of this name.", Style.DIM))
        return blocks

    def _handle_form(self, form: SecretForm, key: KeyEvent) -> Outcome:
        if form.keys.command(key) == "generate":
            form.take_made(self._desk.make_password())
            return Done.HANDLED
        went = form.handle(key)
        if went is Went.IGNORED:
            return Done.IGNORED
        if went is Went.LEFT:
            self._leave_form(form)
        elif went is Went.REGISTER:
            self._begin_account()
        elif went is Went.DONE:
            self._take_answers(form)
        return Done.HANDLED

    def _leave_form(self, form: SecretForm) -> None:
        """From a new account back to the password, from the password to another name."""
        if form.asks is Asks.PASSWORD:
            self._desk.give_up_name()
        else:
            self._form = SecretForm(Asks.PASSWORD)

    def _begin_account(self) -> None:
        registration = None if self._wish is None else self._wish.registration
        if registration == Registration.CLOSED:
            self._desk.say(Safe("This server makes no accounts for strangers. Ask its operator."))
        elif registration == Registration.INVITE:
            self._form = SecretForm(Asks.INVITE, Asks.NEW, Asks.AGAIN)
        else:
            self._form = SecretForm(Asks.NEW, Asks.AGAIN)

    def _take_answers(self, form: SecretForm) -> None:
        answers = form.answers
        if Asks.NEW in answers:
            refusal = self._desk.register(answers[Asks.NEW], answers.get(Asks.INVITE, ""))
        else:
            refusal = self._desk.give_password(answers[Asks.PASSWORD])
        if refusal:
            self._form = SecretForm(Asks.PASSWORD)
            self._form.problem = refusal

    def _doubt(self, distrust: Distrust) -> list[Block]:
        """Why nothing was said to the server, and what can be done."""
        first, *others = distrust.words
        blocks: list[Block] = [Gap(), said(first, Style.BOLD)]
        blocks += [said(words) for words in others]
        if distrust.pin:
            blocks += [Gap(), said("y: it is the same, remember it and connect.  Esc: do not.")]
        else:
            blocks += [Gap(), said("r tries again, Esc gives another name, q quits.")]
        return blocks

    def _asking(self) -> bool:
        return self._desk.overview().standing.phase is Phase.NO_NAME

    def _connect(self, typed: str) -> None:
        name = typed.strip()
        if not name:
            self._desk.say(Safe("Type a name, then Enter."))
            return
        if is_name(name):
            self._editor.set_text("")  # what is none stays for editing
        self._desk.log_in(name)

    def _handle_doubting(self, command: str | None) -> Outcome:
        if command == "other":
            self._desk.give_up_name()
        elif command == "retry":
            self._desk.retry_now()
        elif command == "accept":
            self._desk.accept_server()
        else:
            return Done.IGNORED
        return Done.HANDLED

    def _handle_trying(self, command: str | None) -> Outcome:
        if command == "other":
            self._desk.give_up_name()
        elif command == "retry":
            self._desk.retry_now()
        else:
            return Done.IGNORED
        return Done.HANDLED

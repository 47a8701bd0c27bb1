"""One's own password is changed: the old one, then a new one, twice.

Must never show one, but one that was made here. Never fails: what is refused is words.
"""

from msgc.screens.desk import Desk
from msgc.screens.screen import Done, Outcome, Screen
from msgc.screens.secret import Asks, SecretForm, Went
from msgc.view import Block, Gap, Room, View, said, view
from term.keys import KeyEvent, KeyTable
from term.picture import Style
from wire.password import PASSWORD_CHARACTERS_MIN


class Password(Screen):
    """See the module's text."""

    name = "password"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._form = SecretForm(Asks.OLD, Asks.NEW, Asks.AGAIN)

    @property
    def keys(self) -> KeyTable:
        """Those of the form."""
        return self._form.keys

    def handle(self, key: KeyEvent) -> Outcome:
        """A secret, or away."""
        if self.keys.command(key) == "generate":
            self._form.take_made(self._desk.make_password())
            return Done.HANDLED
        went = self._form.handle(key)
        if went is Went.LEFT:
            return Done.LEAVE
        if went is Went.IGNORED:
            return Done.IGNORED
        if went is Went.DONE:
            answers = self._form.answers
            refusal = self._desk.change_password(answers[Asks.OLD], answers[Asks.NEW])
            if not refusal:
                return Done.LEAVE
            self._form = SecretForm(Asks.OLD, Asks.NEW, Asks.AGAIN)
            self._form.problem = refusal
        return Done.HANDLED

    def view(self, room: Room) -> View:  # noqa: ARG002 - it is small
        """The field, and what holds."""
        blocks: list[Block] = [Gap(), *form_blocks(self._form), Gap()]
        blocks.append(
            said("The password never leaves this computer; other computers have to give it anew.")
        )
        return view(self._desk, self.name, "Change your password", blocks, self.keys)


def form_blocks(form: SecretForm) -> list[Block]:
    """The field that is asked for now, what was wrong, and what holds for it."""
    blocks: list[Block] = []
    if form.problem:
        blocks += [said(form.problem, Style.BOLD), Gap()]
    if form.made:
        blocks += [
            said("This is your password. It is not shown again: keep it where only you can look."),
            said(form.made, Style.BOLD),
            Gap(),
        ]
    blocks.append(form.field())
    if form.asks is Asks.NEW:
        blocks.append(
            said(
                f"{PASSWORD_CHARACTERS_MIN} characters or more: a few words that nobody would "
                "guess together. ^P makes one.",
                Style.DIM,
            )
        )
    elif form.made:
        blocks.append(said("Enter takes it. Making its key takes a moment.", Style.DIM))
    elif form.asks is Asks.AGAIN:
        blocks.append(said("Then its key is made, which takes a moment.", Style.DIM))
    return blocks

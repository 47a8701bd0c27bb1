"""A finger that presses random keys of a person's client. The seed decides which, and how fast.

Must never know anything of the server.
"""

from random import Random

from msgc.states import LinkState
from tests.real.person import Person

UNSENT_MAX = 100
WAITING_MAX = 500
"""Or those who are killed all the time would never catch up with what is sent to them."""
WORDS = ("lunch", "patch", "queue", "snow", "grüße", "日本語", "tab\there", "line\nline", "\x1b[2J")
WORD_COUNTS = (1, 5, 30, 300, 8_000)
WORD_SHARES = (40, 40, 40, 8, 4)
"""The last count makes a body of about 60 KB: a few of them fill what starts a checkpoint."""


class Typist:
    """Presses the keys of one person."""

    def __init__(self, person: Person, names: tuple[str, ...], random: Random) -> None:
        self.person = person
        self.names = names
        self.random = random
        self.pace_ms = random.choice((4, 15, 40))
        self.deletes = random.random() < 0.25
        self.next_key_ms = 0

    def press(self, now_ms: int) -> None:
        """Press a key, if it is time to."""
        if self.person.calm or now_ms < self.next_key_ms:
            return
        self.next_key_ms = now_ms + self.random.randint(1, 2 * self.pace_ms)
        keys = (
            (0.70, self._compose),
            (0.20, self._check),
            (0.02, self.person.cut),
            (0.02, self.person.crash),
            (0.04, self._leave_or_come_back),
            (0.02, self._delete),
        )
        roll = self.random.random()
        for share, key in keys:
            roll -= share
            if roll < 0:
                key()
                return

    def _compose(self) -> None:
        counts = self.person.archive.outbox.counts()
        if counts.unsent > UNSENT_MAX or counts.waiting > WAITING_MAX:
            return
        random = self.random
        others = [name for name in self.names if name != self.person.name]
        names = tuple(random.sample(others, random.randint(1, len(others))))
        if random.random() < 0.03:
            names = (*names, "stranger")
        if random.random() < 0.15:
            names = ()
        body = " ".join(random.choices(WORDS, k=random.choices(WORD_COUNTS, WORD_SHARES)[0]))
        for _ in range(random.choice((1, 1, 1, 8))):
            self.person.compose(names, body)

    def _check(self) -> None:
        self.person.check(self.random.choice((None, None, 5, 100)))

    def _leave_or_come_back(self) -> None:
        if self.person.link.state is LinkState.STOPPED:
            self.person.live = self.random.random() < 0.6
            self.person.come_back()
        else:
            self.person.leave()

    def _delete(self) -> None:
        if self.person.link.state is LinkState.STOPPED:
            self.person.come_back()
        elif self.deletes:
            self.person.delete(force=self.random.random() < 0.7)

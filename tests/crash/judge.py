"""Recovers a state with the real store and says whether a promise was broken.

    lost       something that was acknowledged is not there
    doubled    something is there twice, or is there that nobody had asked for yet
    refused    the store calls itself damaged, or fails, over what a power cut left
    changed    a second recovery, without another power cut, shows something else
    unbounded  there are more files than there may be
    broken     the day itself went wrong, without any power cut

Must never call a refusal good: nothing that a power cut leaves is damage.
"""

from collections import Counter
from dataclasses import dataclass

from store.errors import StoreError
from store.limits import SEGMENTS_SPARE_MAX, TORN_FILES_MAX
from store.mailbox import MAILBOX_TEMPORARY
from store.settings import Settings
from store.state import EVERYONE
from store.store import Store
from tests.crash.model import Model, Picture
from tests.crash.picture import picture
from tests.crash.run import Clock, Entropy, Run
from tests.crash.trace_disk import Image, TraceDisk

LATER = 1_000_000  # places of histories that go on after a recovery begin here
KNOWN_MAX = 2_000_000  # recoveries that are remembered
KINDS = ("lost", "doubled", "refused", "changed", "unbounded", "broken")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery gave: a place in the history, or a violation in words."""

    place: int
    problem: str  # "" when the place is known
    kind: str


class Judge:
    """Knows one run's history; remembers what it has recovered before."""

    def __init__(self, run: Run) -> None:
        self.history = run.history
        self.settings: Settings = run.settings
        self.places: dict[Picture, int] = dict(run.places)
        self.known: dict[int, Recovered] = {}
        self.good: dict[int, Recovered] = {}  # by place: one object for all that show it
        self.second_recoveries = 0
        self.run_name = run.name

    def entropy(self, digest: int) -> Entropy:
        """No two states may share their randomness: a nonce is never used twice."""
        return Entropy(f"{self.run_name} {digest}")

    def recover(self, digest: int, image: Image) -> Recovered:
        """What the real store makes of it."""
        found = self.known.get(digest)
        if found is None:
            if len(self.known) >= KNOWN_MAX:
                self.known.clear()
            found = self.known[digest] = self.recover_anew(digest, image)
        return found

    def recover_anew(self, digest: int, image: Image) -> Recovered:
        disk = TraceDisk(image)
        clock = Clock()
        try:
            store = Store.open(disk, clock, self.entropy(digest), self.settings)
            seen = picture(store)
            problem = self.bound(store, disk)
            if problem:
                return Recovered(-1, problem, "unbounded")
            if digest % 8 == 0:
                self.second_recoveries += 1
                disk.kill()
                store = Store.open(disk, clock, self.entropy(digest + 1), self.settings)
                if picture(store) != seen:
                    return Recovered(-1, "a second recovery shows something else", "changed")
        except StoreError as error:
            return Recovered(-1, f"{type(error).__name__}: {error}", "refused")
        except Exception as error:  # noqa: BLE001  # whatever it is, the state must be named
            return Recovered(-1, f"{type(error).__name__}: {error}", "refused")
        place = self.places.get(seen)
        if place is None:
            return Recovered(-1, *self.explain(seen))
        return self.good.setdefault(place, Recovered(place, "", ""))

    def bound(self, store: Store, disk: TraceDisk) -> str:
        """What is wrong with the number of files: nothing may grow without a limit."""
        most = len(store.journal.live()) + SEGMENTS_SPARE_MAX
        if len(disk.list("journal")) > most:
            return f"journal/ has more than {most} files"
        if len(disk.list("torn")) > TORN_FILES_MAX:
            return f"torn/ has more than {TORN_FILES_MAX} files"
        if MAILBOX_TEMPORARY in disk.names:
            return f"{MAILBOX_TEMPORARY} of a compaction that was cut off is still there"
        for path in disk.names:
            folder, _, name = path.partition("/")
            if folder == "mailboxes" and not self.is_somebodys(store, name.rpartition("/")[2]):
                return f"{path} is nobody's"
        return ""

    def is_somebodys(self, store: Store, name: str) -> bool:
        """Whether a mailbox belongs to everyone, to an account there is, or to one that never was:
        whoever gets its number gets a new file too.
        """
        stem, _, kind = name.partition(".")
        number, state = int(stem, 16), store.state
        return kind == "mailbox" and (
            number == EVERYONE or number in state.by_number or number >= state.next_number
        )

    def verdict(self, digest: int, image: Image, low: int, high: int) -> tuple[str, str]:
        """(kind, problem); two empty strings when all is well."""
        found = self.recover(digest, image)
        if found.problem:
            return found.kind, found.problem
        if found.place < low:
            return "lost", f"it shows moment {found.place}, but {low} was acknowledged"
        if found.place > high:
            return "doubled", f"it shows moment {found.place}, but only {high} had begun"
        return "", ""

    def explain(self, seen: Picture) -> tuple[str, str]:
        """What is wrong with something that never was."""
        people = seen[2]
        assert isinstance(people, tuple)
        for person in people:
            copies = Counter((item[1], item[2], item[3]) for item in person[9])
            if any(count > 1 for count in copies.values()):
                return f"{person[1]} has something twice", "doubled"
        return f"it shows something that never was: {seen!r}"[:2000], "lost"

    def go_on(self, place: int) -> tuple[Model, int]:
        """A history that goes on from there with one more account, and its place."""
        model = self.history[place].copy()
        model.create("zoe", model.latest_ms + 1)
        self.places[model.picture()] = LATER + place
        return model, LATER + place

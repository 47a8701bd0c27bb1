"""One scenario: sends fill the disk, somebody takes the last byte, and then there is room again.

The server shows its panel on a real terminal, and is the same process from the first step to the
last. Every step raises ServerError when it does not come about.

Must never judge by what the server says alone: in the end the archives are looked into.
"""

import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

from msgc.link_events import NoticeArrived
from msgc.words import refusal
from tests.diskfull.panel_server import PanelServer
from tests.diskfull.volume import Volume
from tests.real.crowd import Crowd
from tests.real.person import Person
from tests.real.server import ROOT, ServerError
from tests.sim.oracle import Verdict
from wire.codes import Code, NoticeKind

SMALL: Final = (
    *("--journal-segment-bytes", "512K", "--journal-bytes-max", "4M"),
    *("--checkpoint-journal-bytes", "512K", "--reserve-bytes", "2M", "--free-bytes-min", "1M"),
)
"""As docs/operating.md advises for a disk of 16 MiB."""
BODY: Final = "0123456789abcdef" * 1_900
SENDS_MAX: Final = 2_000
LEFT_BYTES: Final = 256 << 10
"""Less than what new messages need, and more than nothing."""


class FillUp:
    """See the module's text."""

    def __init__(self, volume: Volume, work: Path, archives: Path, seed: int) -> None:
        self.volume = volume
        self.server = PanelServer(work, SMALL, data=volume.path / "data")
        self.crowd = Crowd(self.server, archives, Random(seed))
        self.work = work
        self.refused = 0

    def run(self) -> Verdict:
        """All steps; the verdict at the end."""
        crowd, server = self.crowd, self.server
        server.start()
        crowd.must(lambda: server.is_listening, "the panel shows where it listens")
        process_id = server.process_id
        alice = crowd.add("alice", live=True)
        bob = crowd.add("bob", live=False)
        carol = crowd.add("carol", live=True)
        dave = crowd.add("dave", live=False)
        crowd.must(lambda: all(p.logins for p in crowd.persons.values()), "everybody is there")
        self._must_show("Store      OK")
        bob.leave()
        dave.leave()
        self._fill(alice)
        # Old journal and dead mail may give some room back at any moment: now they cannot.
        self.volume.leave(LEFT_BYTES)
        self._say_so(alice, carol)
        self.volume.leave(0)
        self._go_on(bob, carol, dave)
        self.crowd.must(self._is_full_again, "the panel shows FULL, for all was taken again")
        self.volume.drop()
        self._heal(alice)
        if server.process_id != process_id or not server.is_running:
            raise ServerError("it is not the same server any more")
        quiet = crowd.drain()
        verdict = crowd.judge()
        if not quiet:
            verdict.sentences.append("the clients never came to rest after there was room")
        crowd.stop()
        server.check_folder()
        return verdict

    def _fill(self, alice: Person) -> None:
        """Messages for those who are away, until one is refused for want of room."""

        def is_full() -> bool:
            # A journal that waits for its checkpoint is busy, not full: that passes by itself.
            return Code.STORAGE_FULL in alice.refusals

        for _ in range(SENDS_MAX):
            alice.compose(("bob", "dave"), BODY)
            self.crowd.must(
                lambda: is_full() or alice.archive.outbox.counts().unsent < 4, "an answer"
            )
            if is_full():
                return
        raise ServerError(f"{SENDS_MAX} messages did not fill the disk")

    def _say_so(self, alice: Person, carol: Person) -> None:
        """Panel, clients and the command line say what is the matter."""
        self._must_show("FULL")
        self.refused += len(alice.refusals)
        if "storage is full" not in refusal(Code.STORAGE_FULL, ""):
            raise ServerError("the client has no words for STORAGE_FULL")

        def was_told(person: Person) -> bool:
            return any(
                isinstance(news, NoticeArrived) and news.kind == NoticeKind.STORAGE_FULL
                for news in person.news
            )

        self.crowd.must(lambda: was_told(alice) and was_told(carol), "everybody is told")
        done = self._command_line("send", "alice", "-m", "is there room?")
        if done.returncode == 0 or "the server is full" not in done.stdout + done.stderr:
            raise ServerError(f"msgc send said {done.returncode}: {done.stdout}{done.stderr}")
        self.refused += 1

    def _command_line(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A real msgc, as bob, who is not logged in elsewhere now."""
        home = self.work / "home"
        home.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "msgc", arguments[0]]
        command += ["-u", "bob", "--host", "127.0.0.1", "--port", str(self.server.port)]
        out, err = self.work / "msgc.out", self.work / "msgc.err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                [*command, *arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                cwd=ROOT,
                env={**self.server.environment, "HOME": str(home)},
            )
        # Meanwhile the loop turns, for the panel's terminal must be read.
        self.crowd.run_until(lambda: process.poll() is not None, 30_000)
        process.kill()
        said = (out.read_text("utf-8"), err.read_text("utf-8"))
        return subprocess.CompletedProcess(command, process.wait(), *said)

    def _go_on(self, bob: Person, carol: Person, dave: Person) -> None:
        """Without a free byte: checks, receipts, their outcomes, and a forced deletion."""
        crowd = self.crowd
        before = bob.archive.inbox.counts().kept
        bob.come_back()
        bob.calm = True
        crowd.must(lambda: bob.is_online, "bob logs in on a full disk")
        bob.ask_again()
        crowd.must(lambda: bob.remaining == 0, "bob has all his mail")
        if bob.archive.inbox.counts().kept == before:
            raise ServerError("nothing was waiting for bob")
        # The receipts have been settled once a new session finds nothing.
        bob.crash()
        crowd.must(lambda: bob.is_online and bob.remaining == 0, "bob's receipts are kept")
        dave.come_back()
        crowd.must(lambda: dave.is_online, "dave logs in on a full disk")
        dave.delete(force=True)
        crowd.must(lambda: not dave.is_online, "dave's account is deleted on a full disk")
        carol.compose(("alice",), "is there room?")
        crowd.must(
            lambda: bool(carol.refusals) or carol.archive.outbox.counts().unsent == 0, "an answer"
        )

    def _heal(self, alice: Person) -> None:
        """There is room: by itself, and without a restart."""
        self._must_show("Store      OK")
        accepted = alice.accepted
        alice.compose(("bob", "carol"), "there is room")
        self.crowd.must(lambda: alice.accepted > accepted, "a message is taken again")

    def _is_full_again(self) -> bool:
        """What was fetched and deleted gives room back, now and then; somebody takes that too."""
        self.volume.leave(0)
        return "FULL" in self.server.screen

    def _must_show(self, words: str) -> None:
        self.crowd.must(lambda: words in self.server.screen, f"the panel shows {words!r}")

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgd.events import EventKind
from msgd.net import Wish
from store.settings import Admission
from term.picture import Style, columns_of
from tests.examples import examples
from tests.msgd.fake_machine import LAZY, message, of
from tests.msgd.panel.panel_bench import PanelBench
from tests.sources_only import need_sources
from wire.codes import Code
from wire.messages import CheckMessages, Error, Notice

ESC = "\x1b"


def busy(rows: int = 24, columns: int = 80) -> PanelBench:
    """Three users connected, two away, mail waiting."""
    bench = PanelBench(rows, columns)
    users = {name: bench.user(name) for name in ("alice", "bob", "carol.of-a-rather-long-name")}
    for name in ("dave", "erin"):
        user = bench.user(name)
        bench.pass_time(1)
        user.end()
    bench.settle()
    for counter in range(1, 4):
        users["alice"].say(message("alice", counter, "dave", b"x" * 500))
    users["alice"].say(message("alice", 4, "erin"))
    bench.settle()
    bench.pass_time(3_000)
    bench.look()
    return bench


def test_a_name_appears_the_moment_it_connects_and_stays_when_it_goes() -> None:
    bench = PanelBench()
    assert "alice" not in bench.screen
    alice = bench.user("alice")
    bench.pass_time(100)
    assert bench.row(" alice ").startswith("> * ON  alice")
    assert "CONNECT    alice from" in bench.screen
    alice.end()
    bench.settle()
    bench.pass_time(100)
    assert bench.row(" alice ").startswith(">   off alice")


def test_what_a_turn_closes_is_seen_and_logged_without_waiting_for_the_next_second() -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    bench.pass_time(300)
    alice.end()
    bench.turn()
    assert b"DISCONNECT alice" in bench.output.data
    assert bench.timeout_ms() <= 100
    bench.settle()
    bench.pass_time(100)
    assert "DISCONNECT alice" in bench.screen


def test_a_silent_user_has_a_question_mark() -> None:
    bench = PanelBench()
    bench.user("alice")
    bench.pass_time(30_000)
    bench.pass_time(2_500)
    bench.look()
    assert bench.row(" alice ").startswith("> ? ON  alice")
    assert "1 silent" in bench.screen


def test_waiting_mail_is_counted_and_its_age_told() -> None:
    bench = busy()
    assert bench.row(" dave ").split() == ["off", "dave", "-", "-", "3", "1.5K", "3s", "3s", "ago"]
    assert "4 waiting    1.5K  oldest 3s (dave)" in bench.screen
    dave = bench.user("dave")
    dave.say(CheckMessages(5))
    bench.settle()
    bench.look()
    assert "4 waiting" in bench.screen, "not confirmed yet"


def test_who_never_logged_in_was_never_seen() -> None:
    bench = busy()
    bench.store.create_account("zoe", bench.clock.wall_ms())
    bench.look()
    assert bench.row(" zoe ").split() == ["off", "zoe", "-", "-", "0", "0", "-", "never"]
    bench.press("o", "o", "o", "o")
    assert "sorted by last seen --" in bench.screen
    assert bench.row("zoe") == bench.console.rows[11], "after everybody else"
    bench.press("G")
    assert "off, never seen" in bench.press("i")


def test_the_filter_follows_what_is_typed_and_can_be_taken_back() -> None:
    bench = busy()
    assert "dave" in bench.press("/", "c")
    screen = bench.press("a")
    assert '[only names with "ca"]' in screen
    assert "Only names that contain: ca" in screen
    assert "[1-1 of 1]" in screen
    assert bench.console.pictures[-1].cursor == (21, 28)
    assert "[1-1 of 1]" in bench.press("\r")
    assert "[1-5 of 5]" in bench.press("/", "x", ESC, "/", "x", ESC, ESC)
    assert "[0 of 0]" in bench.press("/", "ZZ", "\r")
    assert "[1-5 of 5]" in bench.press(ESC)


def test_cancelling_puts_the_filter_back_as_it_was() -> None:
    bench = busy()
    bench.press("/", "da", "\r")
    bench.press("/", "zz")
    assert "[1-1 of 1]" in bench.press(ESC)


def names_in_order(bench: PanelBench) -> list[str]:
    return [row[8:].split()[0] for row in bench.console.rows[6:11] if row]


def test_every_order_and_its_inverse() -> None:
    bench = busy()
    long = "carol.of-a-rat~"
    assert names_in_order(bench) == ["alice", "bob", long, "dave", "erin"]
    bench.press("o")
    assert "sorted by name --" in bench.screen
    bench.press("o")
    assert "sorted by waiting --" in bench.screen
    assert names_in_order(bench) == ["dave", "erin", "alice", "bob", long]
    bench.press("o")
    assert "sorted by bytes --" in bench.screen
    assert names_in_order(bench)[:2] == ["dave", "erin"]
    bench.press("o")
    assert "sorted by last seen --" in bench.screen
    assert names_in_order(bench)[:3] == ["alice", "bob", long]
    bench.press("I")
    assert "sorted by last seen, inverted --" in bench.screen
    assert names_in_order(bench)[-1] == "alice"
    bench.press("I", "o")
    assert "sorted by oldest mail --" in bench.screen
    assert "[only with mail]" in bench.screen
    assert names_in_order(bench) == ["dave", "erin"]
    bench.press("o")
    assert "sorted by state, name --" in bench.screen


def test_the_selection_stays_on_its_user_when_others_come() -> None:
    bench = busy()
    bench.press("j", "j", "j")
    assert bench.row("> ").startswith(">   off dave")
    bench.user("aaron")
    bench.look()
    assert bench.row("> ").startswith(">   off dave")
    assert bench.press("G").count("> ") == 1
    assert bench.row("> ").startswith(">   off erin")
    bench.press("g", "k")
    assert bench.row("> ").startswith("> * ON  aaron")


def test_who_connects_is_seen_while_nobody_has_moved_the_cursor() -> None:
    bench = PanelBench()
    for number in range(1, 15):
        bench.store.create_account(f"n{number:02d}", bench.clock.wall_ms())
    bench.look()
    for name in ("a1", "a2", "a3"):
        bench.user(name)
        bench.look()
    assert names_in_order(bench)[:4] == ["a1", "a2", "a3", "n01"]
    bench.press("j", "j", "j")
    bench.user("a0")
    bench.look()
    assert bench.row("> ").startswith(">   off n01")


def test_kicking_asks_first() -> None:
    bench = busy()
    bench.press("j")
    assert "Disconnect bob? Messages for bob are kept. y: yes   n: no [no]" in bench.press("K")
    assert "bob" in bench.exchange.online
    bench.press("n", "K", "\r")
    assert "bob" in bench.exchange.online, "Enter is no"
    assert "bob was disconnected." in bench.press("K", "y")
    assert "bob" not in bench.exchange.online
    assert bench.row(" bob ").startswith(">   off bob")


def test_a_kicked_client_is_told_why() -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    bench.look()
    bench.press("K", "y")
    (error,) = of(Error, alice.hear())
    assert isinstance(error, Error)
    assert error.code == Code.KICKED


def test_who_is_away_cannot_be_kicked() -> None:
    bench = busy()
    bench.press("G")
    assert "the selected user is not connected" in bench.press("K")
    assert "the selected user" not in bench.press("k"), "said until the next key"


def test_one_who_left_while_the_question_stood() -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    bench.look()
    bench.press("K")
    alice.end()
    bench.settle()
    assert "alice had left already." in bench.press("y")


def test_an_announcement_reaches_everybody_connected() -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    assert "Told 1 connected user." in bench.press("a", "Down at noon.", "\r", "y")
    (notice,) = of(Notice, alice.hear())
    assert isinstance(notice, Notice)
    assert notice.text == "Down at noon."
    bench.press("a", "never mind", ESC)
    bench.press("a", "\r")
    assert alice.hear() == []


def test_an_announcement_is_no_filter() -> None:
    bench = busy()
    bench.press("/", "da", "\r")
    screen = bench.press("a", "hello all")
    assert '[only names with "da"]' in screen
    assert "[1-1 of 1]" in screen
    screen = bench.press("\r")
    assert '[only names with "da"]' in screen
    assert "[1-1 of 1]" in bench.press("n", "a", "x", ESC)


@pytest.mark.parametrize("columns", [60, 80])
def test_a_long_text_leaves_the_status_line_whole(columns: int) -> None:
    bench = busy(24, columns)
    bench.press("a", "x" * 300)
    assert bench.console.rows[-2].endswith("[1-5 of 5]"), "the announcement is on its own line"
    assert bench.console.rows[-3].startswith(" Tell everybody: ")
    bench.press("\r", "n", "/", "x" * 64, "\r")
    assert bench.console.rows[-2].endswith(" [0 of 0]")
    assert "[3 connected] [4 waiting]" in bench.console.rows[-2]


def test_too_much_text_rings() -> None:
    bench = PanelBench()
    bench.press("/", "x" * 64, "y")
    assert bench.console.bells == 1


def test_the_page_of_a_user_tells_everything_but_what_was_written() -> None:
    bench = busy()
    screen = bench.press("\r")
    assert " alice\n State   ON since 2026-03-01 12:00:00Z from 127.0.0.1:40001\n" in screen
    assert " Waiting 0 messages, 0; 0 handed out, 0 outcomes\n" in screen
    bench.press(ESC, "G", "k")
    screen = bench.press("i")
    assert " State   off, last seen 2026-03-01 12:00:00Z (" in screen
    assert " Waiting 3 messages, 1.5K, oldest" in screen
    assert " From    alice 3\n" in screen
    assert screen.count("alice               500    1\n") == 3
    assert "[1-3 of 3]" in screen
    assert "xxx" not in screen
    assert "STATE NAME" in bench.press("q")
    assert bench.press("/", "zz", "\r", "i")


def test_the_page_of_a_user_follows_what_happens() -> None:
    bench = busy()
    screen = bench.press("G", "i")
    assert "[1-1 of 1]" in screen
    alice = bench.exchange.online["alice"]
    assert alice is not None
    bench.user("frank").say(message("frank", 1, "erin", b"later"))
    bench.settle()
    screen = bench.look()
    assert "[1-2 of 2]" in screen
    assert " From    alice 1, frank 1\n" in screen
    bench.user("erin")
    assert " State   ON since" in bench.look()
    assert "Disconnect erin? Messages for erin are kept." in bench.press("K")
    assert "erin was disconnected." in bench.press("y")
    account = bench.store.state.by_name["erin"]
    for entry in bench.store.reader(account, 0, None).read(10, 1 << 20):
        bench.store.settle(account, [entry], bench.clock.wall_ms())
    bench.store.delete_account(account, bench.clock.wall_ms())
    assert "Nothing is known about this user (any more)." in bench.look()
    assert "STATE NAME" in bench.press("q")


def test_a_long_queue_is_read_to_a_limit_and_scrolled() -> None:
    bench = busy()
    alice = bench.user("frank")
    for counter in range(1, 1_101):
        alice.say(message("frank", counter, "erin", b"y"))
        bench.turn()
    bench.settle()
    screen = bench.press("/", "erin", "\r", "i")
    assert "1101 messages" in screen
    assert "(the oldest 1000)" in screen
    assert "[1-13 of 1000]" in screen
    assert "[988-1000 of 1000]" in bench.press("G")


def test_the_log_can_be_held_still_and_looked_through() -> None:
    bench = busy()
    bench.press("Z")
    bench.user("frank")
    screen = bench.look()
    assert "-- log paused, 2 newer" in screen
    assert "CONNECT    frank" not in screen
    assert "frank" in screen, "the table goes on"
    screen = bench.press("L")
    assert "[log paused, 2 newer]" in screen
    assert "CONNECT    frank" not in screen
    assert "CONNECT    frank" in bench.press("F")
    for number in range(40):
        bench.events.add(EventKind.NOTICE, f"number {number}", bench.clock.wall_ms())
    assert "number 39" in bench.look()
    screen = bench.press("g")
    assert "number 39" not in screen
    assert "[log scrolled]" in screen
    assert "number 39" in bench.press("F")
    assert "[keys]" in bench.press("?")
    assert "[log" in bench.press("q")
    assert "STATE NAME" in bench.press("q")


def test_help_scrolls_and_goes_back() -> None:
    bench = PanelBench(16, 60)
    assert "-- more" in bench.press("?")
    assert "[end]" in bench.press("G")
    assert "STATE" in bench.press("q")
    assert "STATE" in bench.press("x")


def test_quitting_with_nobody_there_does_not_ask() -> None:
    bench = PanelBench()
    bench.press("q")
    assert bench.reactor.ended


@pytest.mark.parametrize("key", ["q", "\x03", "\x1b[21~"])
def test_quitting_asks_while_users_are_there(key: str) -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    bench.look()
    assert "1 user is connected. Tell them and end the server?" in bench.press(key)
    bench.press("n")
    assert not bench.has_ended()
    bench.press(key, "y")
    assert len(of(Notice, alice.hear())) == 1
    alice.end()
    bench.settle()
    assert bench.has_ended()


def test_who_connects_while_one_quits_is_not_thrown_out_unasked() -> None:
    bench = PanelBench()
    bench.user("alice")
    assert "Somebody has just connected, so the server goes on." in bench.press("q")
    assert not bench.has_ended()
    assert "1 user is connected." in bench.press("q")


def test_quitting_from_the_help_and_again_without_waiting() -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    alice.channel.room_bytes = 0
    bench.look()
    bench.press("?", "\x03", "y")
    assert not bench.has_ended()
    assert "Telling the clients, and ending." in bench.screen
    bench.press("q")
    assert bench.has_ended()


def test_a_terminal_that_is_gone_ends_the_server() -> None:
    bench = PanelBench()
    alice = bench.user("alice")
    drawn = len(bench.console.pictures)
    bench.console.is_gone = True
    bench.settle()
    assert bench.attached is None
    assert len(of(Notice, alice.hear())) == 1
    assert len(bench.console.pictures) == drawn, "nothing is drawn on what is gone"
    alice.end()
    bench.settle()
    assert bench.has_ended()


def test_another_size_is_used_at_once() -> None:
    bench = busy()
    bench.console.size_now = (16, 60)
    bench.line.wishes.append(Wish.RESIZE)
    bench.pass_time(100)
    assert len(bench.console.rows) == 16
    bench.console.size_now = (8, 20)
    bench.line.wishes.append(Wish.RESIZE)
    bench.pass_time(100)
    assert "window too small" in bench.screen


def test_it_draws_at_most_ten_times_a_second_and_at_least_once() -> None:
    bench = PanelBench()
    drawn = len(bench.console.pictures)
    for _ in range(1_000):
        bench.events.add(EventKind.NOTICE, "news", bench.clock.wall_ms())
        bench.clock.advance_to(bench.clock.now_ms + 1)
        bench.settle()
    assert 9 <= len(bench.console.pictures) - drawn <= 11
    bench.look()
    drawn = len(bench.console.pictures)
    for _ in range(10):
        bench.pass_time(200)
    assert len(bench.console.pictures) - drawn == 2


def test_the_clock_is_right_after_it_jumps() -> None:
    bench = PanelBench()
    bench.clock.jump_wall(3_600_000)
    assert "13:00:01Z" in bench.look()


def test_redraw() -> None:
    bench = PanelBench()
    bench.press("\x0c")
    assert bench.console.redraws == 1


@given(
    keys=st.lists(
        st.one_of(
            st.sampled_from("jkgGoIZFLaK/?ny\r\x15\x04\x7f"),
            st.sampled_from(["\x1b", "\x1b[5~", "\x1b[6~", "\x1bOP", "\x1b[200~x\ny\x1b[201~"]),
            st.text(max_size=3),
        ),
        max_size=12,
    ),
    rows=st.integers(1, 60),
    columns=st.integers(1, 200),
)
@settings(max_examples=examples(60))
def test_no_key_and_no_size_breaks_it(keys: list[str], rows: int, columns: int) -> None:
    bench = PanelBench()
    bench.user("alice")
    bench.store.create_account("böb\u202e\x1b[2J\u4e2d\u6587", bench.clock.wall_ms())
    bench.console.size_now = (rows, columns)
    bench.line.wishes.append(Wish.RESIZE)
    for key in keys:
        bench.press(key)
        if bench.has_ended():
            return
        picture = bench.console.pictures[-1]
        assert len(picture.rows) <= rows
        assert all(columns_of(row) <= columns for row in picture.rows)
        assert "\x1b" not in bench.screen


def test_what_needs_a_human_stands_out() -> None:
    bench = busy()
    keeper = bench.store.keeper
    admissions = iter([Admission.FULL, Admission.BUSY])
    for words in ("FULL  refusing new messages", "BUSY  new messages are put off"):
        now = next(admissions)
        need_sources()
        keeper.admission = lambda now=now: now  # type: ignore[misc, method-assign]  # as if it were
        bench.look()
        assert bench.row("Store").startswith("!Store")
        assert words in bench.screen
        assert f"[store {now.value}]" in bench.screen


def test_every_state_has_a_word_and_the_selected_row_is_reversed() -> None:
    bench = busy()
    rows = bench.console.pictures[-1].rows
    selected = [row for row in rows[5:-3] if row and row[0].text.startswith(">")]
    assert len(selected) == 1
    assert all(span.style & Style.REVERSE for span in selected[0])


def test_ten_thousand_names_scroll_as_fast_as_ten() -> None:
    bench = PanelBench(settings=LAZY)
    for number in range(10_000):
        bench.store.create_account(f"user-{number:05d}", bench.clock.wall_ms())
    bench.look()
    assert "[1-10 of 10000]" in bench.screen
    (panel,) = bench.admin._panels.values()
    before = panel.desk._users._names
    for _ in range(50):
        bench.press("\x1b[6~")
    assert panel.desk._users._names is before, "the order is not made anew to scroll"
    assert "user-00450" in bench.screen
    assert "[9991-10000 of 10000]" in bench.press("G")

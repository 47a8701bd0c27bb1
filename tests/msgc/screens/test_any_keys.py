"""Whatever is typed, and whatever the server tells meanwhile, no screen raises or overflows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgc.view_news import (
    CheckBroken,
    CheckEnded,
    DeletionRefused,
    DirectoryChanged,
    FateChanged,
    MailArrived,
    News,
)
from term.keys import NAMED_KEYS, KeyEvent, Paste
from term.width import columns
from tests.examples import examples
from tests.msgc.screens.fake_desk import Person, message
from tests.msgc.screens.states import STATES

KEYS: st.SearchStrategy[KeyEvent] = st.one_of(
    st.sampled_from(sorted(NAMED_KEYS)),
    st.sampled_from("acdefghijklmnopqrsuvwxyzASDGRU/*?,1237é日"),
    st.sampled_from(["C-d", "C-u", "C-x", "C-l", "C-z", "C-g", "M-Enter", "C-k", "C-n"]),
    st.builds(Paste, st.text(max_size=30)),
)
NEWS: st.SearchStrategy[News] = st.one_of(
    st.builds(MailArrived, st.builds(message, st.integers(1, 5), st.text(max_size=40))),
    st.just(CheckEnded(2, 1, 5)),
    st.sampled_from([CheckBroken(), DirectoryChanged(), FateChanged(b"x" * 16)]),
    st.builds(DeletionRefused, st.text(max_size=40), st.none() | st.integers(1, 2**63)),
)
SIZES = st.sampled_from([(16, 60), (24, 80), (5, 20), (50, 140)])
Event = KeyEvent | News | tuple[int, int]
EVENTS: st.SearchStrategy[list[Event]] = st.lists(st.one_of(KEYS, NEWS, SIZES), max_size=25)


@pytest.mark.parametrize("name", STATES)
@settings(max_examples=examples(4), deadline=None)
@given(events=EVENTS)
def test_nothing_breaks_a_screen(name: str, events: list[Event]) -> None:
    person: Person = STATES[name]()
    size = (24, 80)
    for event in events:
        if isinstance(event, tuple):
            size = event
        elif isinstance(event, (str, Paste)):
            person.press(event)
        else:
            person.hear(event)
        picture = person.top.picture(size)
        assert len(picture.rows) == size[0]
        assert all(sum(columns(span.text) for span in row) <= size[1] for row in picture.rows)

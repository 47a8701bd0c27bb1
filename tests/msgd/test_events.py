from msgd.events import Event, EventKind, EventLog
from msgd.limits import EVENT_CHARACTERS_MAX


def test_the_latest_events_are_kept_in_order_and_all_are_counted() -> None:
    log = EventLog(3)
    for number in range(5):
        log.add(EventKind.CONNECT, f"user{number}", number)
    assert [event.text for event in log.latest(10)] == ["user2", "user3", "user4"]
    assert [event.text for event in log.latest(2)] == ["user3", "user4"]
    assert len(log) == 3
    assert log.total == 5


def test_writers_get_every_event_from_when_they_subscribe() -> None:
    log = EventLog(1)
    first: list[Event] = []
    second: list[Event] = []
    log.subscribe(first.append)
    log.add(EventKind.SEND, "alice to bob", 7)
    log.subscribe(second.append)
    log.add(EventKind.WARN, "carol silent", 8)
    assert [event.line for event in first] == ["SEND alice to bob", "WARN carol silent"]
    assert [event.at_ms for event in second] == [8]


def test_an_event_has_a_length_limit() -> None:
    log = EventLog(1)
    log.add(EventKind.SEND, "x" * 10_000, 0)
    assert len(log.latest(1)[0].text) == EVENT_CHARACTERS_MAX

"""The slack of a turn; what it is for is tried with whoever has to do with it."""

from msgd.reactor_limits import ReactorLimits
from msgd.slack import Slack


def test_each_turn_has_it_again() -> None:
    slack = Slack(ReactorLimits(slack_us_per_turn_max=600))
    assert slack.left_us == 600
    slack.left_us -= 1_000
    slack.begin_turn()
    assert slack.left_us == 600

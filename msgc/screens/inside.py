"""The main menu, and the screens behind it: what a person sees who is logged in.

Apart from the first screen, which is there sooner without them: `msgc.program` loads them together
when the server has let somebody in. Must never hold anything of its own. Fails never.
"""

from msgc.screens.accounts import Accounts
from msgc.screens.check import Check
from msgc.screens.composer import Composer
from msgc.screens.desk import Desk
from msgc.screens.drafts import Drafts
from msgc.screens.history import History
from msgc.screens.menu import Menu
from msgc.screens.screen import Screen
from msgc.screens.send import Send
from msgc.screens.sent import SentMessages
from msgc.screens.settings import Settings
from msgc.view_values import Target


def main_menu(desk: Desk) -> Menu:
    """The menu, with a door to each screen."""

    def write(target: Target) -> Screen:
        return Composer(desk, target)

    return Menu(
        desk,
        {
            "send": lambda: Send(desk, write),
            "check": lambda: Check(desk),
            "sent": lambda: SentMessages(desk),
            "drafts": lambda: Drafts(desk),
            "history": lambda: History(desk),
            "accounts": lambda: Accounts(desk, write),
            "settings": lambda: Settings(desk),
        },
    )

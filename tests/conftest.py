"""What holds for every test: how hypothesis searches.

On CI hypothesis takes its own profile: the same examples each time, so that a verdict can be
repeated. Elsewhere it goes on looking for new ones. Neither judges the speed of an example, which
says more about the machine's other work than about the code.
"""

import os

from hypothesis import settings

if "CI" not in os.environ:
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")

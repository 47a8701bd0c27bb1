"""What a simulation must have seen before anybody believes it: kinds of faults, and of doings.

A fault that is never injected, or a thing that no user ever does, would make the simulation blind
without anybody noticing. So each kind is counted, and the names here must all come up.

Must never lose a name because it has stopped coming up: then something is wrong with the storm.
"""

from typing import Final

MACHINE: Final = (
    "kills",
    "stops",
    "power cuts after an answer",
    "power cuts between turns",
    "power cuts in a repair",
    "power cuts in calls",
    "power cuts in recovery",
    "clock jumps ahead",
    "clock jumps back",
    "recoveries",
    "starts refused",
    "starts that failed",
)
DISK: Final = (
    "calls failed",
    "syncs failed",
    "reads failed",
    "bad pages",
    "bits rotten in MANIFEST",
    "bits rotten in accounts",
    "bits rotten in journal",
    "bits rotten in mailboxes",
    "damage named in MANIFEST",
    "damage named in accounts",
    "damage named in journal",
    "damage named in mailboxes",
    "damage that was gone",
    "files restored",
    "folders repaired",
    "full disks",
    "full disks that heal",
    "writes without room",
    "sends refused, disk full",
    "recalls",
    "recalls from all",
    "recalls too late",
    "recalls of what was never accepted",
    "names lost",
    "sectors trashed",
    "writes reordered",
    "writes torn",
)
NETWORK: Final = ("resets", "stalls", "slow networks", "fast networks", "reconnects")
USERS: Final = (
    "checks for all",
    "checks for n",
    "checks for one",
    "client crashes",
    "deletions done",
    "deletions forced",
    "deletions refused",
    "deletions without force",
    "lists",
    "logins",
    "logins with a password",
    "messages sent again",
    "sends to all",
    "sends to n",
    "sends to one",
)
KINDS: Final = MACHINE + DISK + NETWORK + USERS

"""msgd, the server: one loop that owns everything, and the rules of who gets what.

`msgd.exchange` has the rules and touches no socket; `msgd.reactor` has the loop and knows no rule.
"""

VERSION = "0.1.0"

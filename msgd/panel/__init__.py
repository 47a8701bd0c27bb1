"""The panel: the server, shown to whoever runs it. It looks at the exchange and the store.

What changes anything (kick, announce, end) goes through the exchange and the loop, as what comes
from the network does.
"""

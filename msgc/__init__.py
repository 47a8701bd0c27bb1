"""msgc, the client: a local archive, a link to the server, a command line and curses screens.

`msgc.archive` keeps, `msgc.link` talks, `msgc.loop` drives, `msgc.commands` and `msgc.app` serve
people. Imports `wire` and `term`, never the server's packages.
"""

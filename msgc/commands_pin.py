"""The servers that were met before: list them, forget one. No server is asked.

Must never forget more than was named.
Fails with CommandError, UsageError, and KnownServersError.
"""

import argparse

from msgc.command_end import CommandError, Exit
from msgc.command_options import UsageError
from msgc.commands_output import Output
from msgc.known_servers import CA, NOTHING, KnownServer
from msgc.server import ServerTextError, parse_server
from msgc.surroundings import Surroundings


def run(world: Surroundings, options: argparse.Namespace) -> int:
    """Do it. The exit code."""
    output = Output(world, as_json=options.json, quiet=options.quiet)
    if options.action == "list":
        return _list(world, output)
    if options.place is None:
        raise UsageError("which server? Say: msgc pin forget HOST")
    return _forget(world, output, options.place)


def _list(world: Surroundings, output: Output) -> int:
    servers = world.known_servers.all()
    for one in servers:
        output.fact(
            "server",
            name=one.name,
            pin=one.pin,
            signed=one.trust == CA,
            since=one.since,
            password=one.password,
        )
        output.line(_words(one))
    output.flush()
    if not servers:
        output.say("No server is remembered.")
    return Exit.DONE


def _forget(world: Surroundings, output: Output, place: str) -> int:
    try:
        name = parse_server(place, world.settings.port or 7070).name
    except ServerTextError as error:
        raise UsageError(str(error)) from None
    forgotten = world.known_servers.forget(name)
    if forgotten is None:
        raise CommandError(
            Exit.ERROR,
            f"No server {name} is remembered. See: msgc pin list",
            world.known_servers.path,
        )
    output.fact("forgotten", name=name)
    output.say(f"{name} is forgotten: it is a stranger now. It was known since {forgotten.since}.")
    return Exit.DONE


def _words(server: KnownServer) -> str:
    how = {CA: "signed by an authority", NOTHING: "on this computer"}.get(
        server.trust, server.trust
    )
    tail = ", asks for a password" if server.password else ""
    return f"{server.name}  {how}  since {server.since}{tail}"

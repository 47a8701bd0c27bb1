"""The commands about accounts, passwords and who is blocked: create, passwd, block and its kin.

Must never print a password but one that was made here and that nobody else knows, nor send one.
Fails with CommandError, which carries the exit code.
"""

import argparse

from msgc import words, words_trust
from msgc.command_end import CommandError, Exit
from msgc.command_options import UsageError
from msgc.commands_output import Output
from msgc.commands_talk import Talk
from msgc.credentials import ITERATIONS, Credentials
from msgc.link_events import (
    Blocked,
    BlockRefused,
    Created,
    CreateRefused,
    PasswordChanged,
    PasswordRefused,
)
from msgc.passwords import (
    InviteError,
    PasswordChoice,
    PasswordSource,
    generate_password,
    read_invite,
)
from msgc.profile import Profile, check_name
from msgc.surroundings import Surroundings
from wire.codes import Registration
from wire.password import PasswordError, check_new_password
from wire.scram import Verifier

_MISSING = (
    "A new password is needed, and nobody can be asked here. Say --password-file, "
    "--password-command, --password-keyring or --generate."
)


def create(world: Surroundings, output: Output, options: argparse.Namespace) -> int:
    """Make an account, without being anybody."""
    name = check_name(options.name)
    invite = _read_invite(options.invite)
    archive = world.profiles.stranger()
    talk = Talk(world, archive)
    try:
        connected = talk.greet()
        verifier, made = None, None
        if connected.password:
            if connected.registration == Registration.INVITE and invite is None:
                invite = _ask_invite(talk)
            # Nobody has to type in a hurry: the server waits for ten seconds, a person does not.
            talk.log_out()
            password, made = _new_password(world, talk, name, options)
            verifier = _verifier(world, output, name, password)
            talk.greet()
        talk.link.create_account(name, verifier, invite)
        event = talk.either(Created, CreateRefused)
        talk.log_out()
    finally:
        talk.close()
        archive.close()
    if isinstance(event, CreateRefused):
        raise CommandError(Exit.REFUSED, words.create_refusal(event.code, event.text, event.name))
    assert isinstance(event, Created)
    output.fact("created", name=event.name, **_known(made))
    _print_made(output, made)
    output.say(f"The account {event.name} is made.")
    return Exit.DONE


def passwd(
    world: Surroundings, output: Output, profile: Profile, options: argparse.Namespace
) -> int:
    """Change the password of the user, who proves the old one first."""
    talk = Talk(world, profile.archive)
    try:
        talk.log_in(profile.name, live=False)
        password, made = _changed_password(world, talk, profile.name, options)
        talk.link.change_password(_verifier(world, output, profile.name, password))
        event = talk.either(PasswordChanged, PasswordRefused)
        talk.log_out()
    finally:
        talk.close()
    if isinstance(event, PasswordRefused):
        raise CommandError(Exit.REFUSED, words.refusal(event.code, event.text, profile.name))
    output.fact("password_changed", name=profile.name, **_known(made))
    _print_made(output, made)
    output.say(f"The password of {profile.name} is changed. Other computers have to give it anew.")
    return Exit.DONE


def block(
    world: Surroundings, output: Output, profile: Profile, names: tuple[str, ...], *, command: str
) -> int:
    """Block these, or unblock them; without names only ask. Prints who is blocked then."""
    talk = Talk(world, profile.archive)
    try:
        talk.log_in(profile.name, live=False)
        blocked, unblocked = (names, ()) if command == "block" else ((), names)
        talk.link.block_senders(blocked, unblocked)
        event = talk.either(Blocked, BlockRefused)
        talk.log_out()
    finally:
        talk.close()
    if isinstance(event, BlockRefused):
        raise CommandError(Exit.REFUSED, words.refusal(event.code, event.text, event.name))
    assert isinstance(event, Blocked)
    for name in event.names:
        output.fact("blocked", name=name)
        output.line(name)
    output.flush()
    output.say(f"{words.plural(len(event.names), 'user')} blocked.")
    return Exit.DONE


def _read_invite(text: str | None) -> bytes | None:
    try:
        return read_invite(text)
    except InviteError as error:
        raise UsageError(str(error)) from None


def _ask_invite(talk: Talk) -> bytes | None:
    answer = talk.ask("Invite code: ")
    return _read_invite(answer) if answer and answer.strip() else None


def _new_password(
    world: Surroundings, talk: Talk, name: str, options: argparse.Namespace
) -> tuple[str, str | None]:
    """A password for a new account, and again if it was made here."""
    if options.generate:
        made = generate_password(world.random_bytes)
        return made, made
    if world.passwords.is_chosen:
        return world.passwords.read(name), None
    return _ask_twice(talk, name), None


def _changed_password(
    world: Surroundings, talk: Talk, name: str, options: argparse.Namespace
) -> tuple[str, str | None]:
    """The one to come; the source of the old one does not hold it."""
    if options.generate:
        made = generate_password(world.random_bytes)
        return made, made
    if options.new_password_file:
        choice = PasswordChoice(file=options.new_password_file)
        return PasswordSource(choice, world.passwords.readers, "").read(name), None
    return _ask_twice(talk, name), None


def _ask_twice(talk: Talk, name: str) -> str:
    """The person invents one, and shows that no finger slipped."""
    before: tuple[str, ...] = ()
    while True:
        password = talk.ask(f"New password of {name}: ", before=before, secret=True)
        if not password:
            raise CommandError(Exit.REFUSED, _MISSING)
        try:
            check_new_password(password)
        except PasswordError as error:
            before = (f"Not this one: {error}.",)
            continue
        again = talk.ask("The same once more: ", secret=True)
        if again is None:
            raise CommandError(Exit.REFUSED, _MISSING)
        if again == password:
            return password
        before = ("These were two different ones.",)


def _verifier(world: Surroundings, output: Output, name: str, password: str) -> Verifier:
    try:
        check_new_password(password)
        output.say(words_trust.proving(ITERATIONS))
        return Credentials(name, password, world.random_bytes).new_keys().verifier
    except PasswordError as error:
        raise CommandError(Exit.REFUSED, f"The new password cannot be taken: {error}.") from None


def _known(made: str | None) -> dict[str, str]:
    """For a program; it is there only if it was made here."""
    return {} if made is None else {"password": made}


def _print_made(output: Output, made: str | None) -> None:
    """The one time that it is seen."""
    if made is not None:
        output.line(made)
        output.flush()
        output.warn("That is the password. It is not shown again: keep it where only you can look.")

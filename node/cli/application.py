"""The tree of commands, and the one place where a command's end becomes an exit code.

The table below names every command, the module that holds it and its one line of help, so that help
and completion need none of the modules. A test holds that the lines agree with the commands.
"""

import difflib
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import click
from typing_extensions import override

from node.cli import homes
from node.cli.credentials import Credentials, credentials_options
from node.cli.endings import ENDINGS
from node.cli.exits import CommandError, Exit
from node.cli.output import emit_error, fit


class Place(NamedTuple):
    """Where a command is, and what the list of commands says of it."""

    module: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called for, each from its own module.

    A module `node.cli.x` holds its command under the name `command`.
    """

    def __init__(self, *args: Any, places: Mapping[str, Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places: Final = places

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self.places.get(cmd_name)
        if place is None:
            return None
        command = importlib.import_module(place.module).command
        assert isinstance(command, click.Command)
        return command

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.places and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], self.places, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in self.places.items()])


COMMANDS: Final = {
    "demo": Place("node.cli.demo", "Play the sale of a treasury bill on a network of its own."),
    "devnet": Place("node.cli.devnet", "Run a development network on this machine."),
    "init": Place("node.cli.init", "Make the home folder of a node."),
    "keys": Place("node.cli.keys", "Make, show and move keys."),
    "genesis": Place("node.cli.genesis", "Make and examine the first block's facts."),
    "config": Place("node.cli.config", "Examine a node's configuration."),
    "start": Place("node.cli.start", "Run a node."),
    "check": Place("node.cli.check", "Check the whole database of a stopped node."),
    "backup": Place("node.cli.backup", "Write a node's chain into one file."),
    "restore": Place("node.cli.restore", "Make the database of a home of a backup."),
    "repair": Place("node.cli.repair", "Put a sound database in the place of a damaged one."),
    "index": Place("node.cli.index", "Examine a node's index, or make it anew."),
    "stream": Place("node.cli.stream", "Examine the events that a node publishes to NATS."),
    "validator": Place("node.cli.validator", "Say who votes; let validators come and go."),
    "amendment": Place("node.cli.amendment", "Decide who votes where too many keys are lost."),
    "status": Place("node.cli.status", "Say how a node is, or several, and whether they agree."),
    "top": Place("node.cli.top", "Watch the network live in a terminal."),
    "doctor": Place("node.cli.doctor", "Look at everything that a node stands on."),
    "shell": Place("node.cli.shell", "Open a Python prompt with a client at hand."),
    "explain": Place("node.cli.explain", "Say what a code means and what to do."),
    "tx": Place("node.cli.tx", "Build, sign and submit transactions."),
    "query": Place("node.cli.query", "Ask a node what is on the ledger."),
    "participant": Place("node.cli.participant", "Say which person a participant is."),
    "schedule": Place("node.cli.schedule", "Print what a security pays and when."),
    "contract": Place("node.cli.contract", "Print an asset as an ACTUS contract."),
    "debt": Place("node.cli.debt", "Print what the state owes, when, and at what cost."),
    "report": Place("node.cli.report", "Draw the debt into a file: PDF, PNG or SVG."),
    "withholding": Place("node.cli.withholding", "Say what is withheld from interest, and set it."),
    "calendar": Place("node.cli.calendar", "Ask which days are of business, and amend that."),
    "auction": Place("node.cli.auction", "Hold primary auctions, bid in them, check results."),
    "security": Place("node.cli.security", "Define, strip, fix, call and fund securities."),
    "access": Place("node.cli.access", "Give out API keys of a node, and take them back."),
    "upgrade": Place("node.cli.upgrade", "Change the rules at a height, with every node ready."),
    "quote": Place("node.cli.quote", "Convert between prices and yields of bills and bonds."),
    "verify": Place("node.cli.verify", "Check a proof file without any node."),
    "completion": Place("node.cli.completion", "Print the completion script of a shell."),
}

HELP_OPTIONS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings=HELP_OPTIONS,
    epilog="Every command has --help with an example, and --json. Exit codes: 0 done, 1 refused, "
    "2 usage, 3 no node, 4 timed out, 5 damaged, 6 faulty files, 7 too old.",
)
@click.version_option(package_name="khazana", prog_name="khazana")
@credentials_options
@click.pass_context
def application(
    context: click.Context,
    api_key_file: Path | None,
    authority: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Khazana: a permissioned ledger on which a state's institutions issue, distribute and settle.

    Try `khazana demo`, then `khazana devnet up`.
    """
    context.obj = Credentials(
        api_key_file=api_key_file, authority=authority, certificate=certificate, key=key
    )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in words
    homes.given.set(None)
    fit(sys.stdout, sys.stderr, as_json=as_json)
    try:
        ended = application.main(words, prog_name="khazana", standalone_mode=False)
    except click.ClickException as error:
        if as_json:
            asked = (
                error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
            )
            failure = CommandError(
                Exit.USAGE,
                error.format_message(),
                advice=f"`{asked or 'khazana'} --help` has every option and an example.",
            )
            emit_error(failure, as_json=True)
        else:
            error.show()
        sys.exit(Exit.USAGE)
    except click.Abort:
        if as_json:
            failure = CommandError(
                Exit.INTERRUPTED,
                "stopped from the keyboard",
                advice=ENDINGS[Exit.INTERRUPTED].hint,
            )
            emit_error(failure, as_json=True)
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe has gone (`khazana query … | head`): nothing is left to say.
        sys.stderr.close()
        sys.exit(Exit.OK)
    except CommandError as error:
        emit_error(error, as_json=as_json)
        sys.exit(error.code)
    # Evaluated only when something was raised: the table of errors costs nothing before.
    except _known_errors() as error:
        from node.cli.failures import explain

        failure = explain(error)
        emit_error(failure, as_json=as_json)
        sys.exit(failure.code)
    sys.exit(ended if isinstance(ended, int) else Exit.OK)


def _known_errors() -> tuple[type[Exception], ...]:
    from node.cli.refusals import known

    return known()

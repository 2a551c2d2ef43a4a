"""`khazana shell`: Python with a client of a node at hand."""

import signal

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option


@click.command()
@url_option
@click.option(
    "--run",
    "source",
    help="Run this Python instead of asking for it, as it would be typed, and end.",
)
@timeout_option(10)
@json_option
@click.pass_context
def command(
    ctx: click.Context, url: str, source: str | None, timeout_s: float, *, as_json: bool
) -> None:
    """Open a Python prompt with a client of a node, accounts and a few verbs; `await` works.

    On a development network the printed accounts are at hand with their keys. Whoever types here
    can do what the keys at hand allow, so think before you type on a network that matters. --json
    prints what would be at hand and opens nothing. --timeout is for each answer. With --run, exit
    code 1 says that something was raised.

    \b
    Examples:
      khazana shell --url http://127.0.0.1:26680
      khazana shell --run "print((await client.status()).height)"
    """
    from node.cli.credentials import credentials
    from node.cli.shell.console import AwaitingConsole, LoopThread, completing
    from node.cli.shell.names import banner, names_of
    from node.client import Client, ClientError

    try:
        client = Client(url.split(), timeout_s=timeout_s, **credentials().settings())
    except ValueError as error:
        raise CommandError(
            Exit.USAGE,
            str(error),
            advice="Name the node as --url http://HOST:PORT, several with spaces between them.",
        ) from None
    with LoopThread() as loop:
        loop.run(client.__aenter__())
        try:
            status = loop.run(client.call("khz_status"))
            development = bool(status["development"])
            names = names_of(client, development=development)
            if as_json:
                emit({"network": status["network_name"], "names": sorted(names)}, "", as_json=True)
                return
            console = AwaitingConsole(names, loop, sentences=(ClientError,))
            if source is not None:
                for line in (*source.splitlines(), ""):
                    console.push(line)
                if console.has_failed:
                    ctx.exit(Exit.REFUSED)
                return
            # Whoever starts it from a script in the background has it ignore the signal otherwise.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with completing(names):
                console.interact(banner(url, status, development=development), exitmsg="")
        except SystemExit as ended:
            # `exit()` at the prompt is no failure of the command.
            if ended.code not in (None, 0):
                raise
        finally:
            loop.run(client.__aexit__(None, None, None))

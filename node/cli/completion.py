"""`khazana completion`: the script that teaches a shell our commands."""

import click
from click.shell_completion import get_completion_class

from node.cli.output import emit, json_option


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
@click.pass_context
def command(ctx: click.Context, shell: str, *, as_json: bool) -> None:
    """Print the completion script of a shell.

    \b
    Example:
      khazana completion bash > ~/.local/share/bash-completion/completions/khazana
    """
    kind = get_completion_class(shell)
    assert kind is not None  # The choices above are click's own.
    script = kind(ctx.find_root().command, {}, "khazana", "_KHAZANA_COMPLETE").source()
    emit({"shell": shell, "script": script}, script, as_json=as_json)

"""The command line: `khazana`, or `python -m node`. A thin face over the client and the node.

Every command is one file that imports what it needs when it runs, so that `khazana --help` answers
at once. README.md lists the commands and the exit codes.
"""

from node.cli.application import main

__all__ = ["main"]

"""The checked-in OpenRPC document: printed, or written anew where it stands.

python -m node.rpc.document             print what the present code answers `rpc.discover` with
python -m node.rpc.document --rewrite   write it to `openrpc.json`, beside this file
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from node.rpc.handlers import ROOMS
from node.rpc.jsonrpc import methods_of
from node.rpc.openrpc import document_of
from node.rpc.sockets import SOCKET_METHODS

PATH: Final = Path(__file__).with_name("openrpc.json")


def render() -> str:
    """Return the text of the document that the present code makes."""
    methods = [method for room in ROOMS for method in methods_of(room)]
    document = document_of((*methods, *SOCKET_METHODS))
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Print the document, or with `--rewrite` write it; 2 for anything else."""
    if arguments not in ([], ["--rewrite"]):
        sys.stderr.write("usage: python -m node.rpc.document [--rewrite]\n")
        return 2
    if arguments:
        PATH.write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

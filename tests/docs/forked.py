"""A `khazana` for sessions of hundreds of commands: each a process of its own, forked from one that
has imported everything.

    python -m tests.docs.forked FOLDER

Most of the time that a command takes is spent on imports, which are the same for all. What is in
`FOLDER/bin/khazana` hands words, folder, environment and open files to that process, and ends as
the command does.
"""

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from node.cli import main
from tests.docs.blocks import ROOT
from tests.docs.examples import examples

PRELOADED: Final = (
    "aiohttp",
    "node.cli.auction.verify",
    "node.cli.tx.submitting",
    "node.client",
    "node.keys.development",
    "node.keys.keystore",
    "node.ledger.auctions",
    "node.provision.local",
)
MESSAGE_BYTES_MAX: Final = 1 << 17
_KHAZANA: Final = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({place!r})
    said = json.dumps([os.getcwd(), dict(os.environ), sys.argv[1:]]).encode()
    socket.send_fds(server, [said], [0, 1, 2])
    sys.exit(int(server.recv(16)))
"""


@contextlib.contextmanager
def forking(variables: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the variables of a shell whose `khazana` is quick, from here to the end."""
    with tempfile.TemporaryDirectory(prefix="khazana-") as name:
        folder = Path(name)
        script = folder / "bin/khazana"
        script.parent.mkdir()
        script.write_text(_KHAZANA.format(python=sys.executable, place=str(folder / "socket")))
        script.chmod(0o755)
        command = [sys.executable, "-m", "tests.docs.forked", name]
        with subprocess.Popen(
            command, cwd=ROOT, env=dict(variables), stdout=subprocess.PIPE
        ) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"ready\n"
                yield {**variables, "PATH": f"{script.parent}:{variables['PATH']}"}
            finally:
                server.terminate()


def serve(folder: Path) -> None:
    """Run commands, one at a time, for as long as somebody asks."""
    examples()  # Imports the module of every command.
    for name in PRELOADED:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(folder / "socket"))
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            asker, _ = listening.accept()
            with asker:
                said, files, _, _ = socket.recv_fds(asker, MESSAGE_BYTES_MAX, 3)
                child = os.fork()
                if child == 0:
                    listening.close()
                    asker.close()
                    where, variables, words = json.loads(said)
                    _run(where, variables, words, files)
                for file in files:
                    os.close(file)
                _, status = os.waitpid(child, 0)
                asker.send(str(os.waitstatus_to_exitcode(status)).encode())


def _run(folder: str, variables: dict[str, str], words: list[str], files: Sequence[int]) -> None:
    code: object = 0
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        main(words)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

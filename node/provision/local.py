"""A whole network as processes of this machine: made, started, watched, stopped.

    ROOT/network.json      which nodes there are and where they answer
    ROOT/nodes/NAME/       their homes

Whoever makes a network here may stop its nodes and nothing else: see `processes`. What it takes to
make one is imported then: to open one, to ask it or to stop it takes none of a node's rooms.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.provision.homes import CONFIG_FILE, DATA_FOLDER, GENESIS_FILE, write_home
from node.provision.probing import answers
from node.provision.processes import NodeProcess, log_tail, running, start_node

if TYPE_CHECKING:
    from node.genesis import Genesis
    from node.provision.description import NetworkDescription
    from node.provision.founding import FoundedNetwork
    from node.provision.holders import Holder
    from node.provision.ports import Reservation

STATE_FILE: Final = "network.json"
NODES_FOLDER: Final = "nodes"
ROOT_FROM_HOME: Final = "../.."
HOST: Final = "127.0.0.1"
"""Where all nodes of such a network listen, unless somebody has written otherwise."""
READY_TIMEOUT_S: Final = 120.0
"""Against what hangs: a second on a free machine, and a minute where much else is started."""
POLL_S: Final = 0.05
LOG_LINES: Final = 8
"""Of a failed node's log: enough for its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNode:
    """One node of the network."""

    name: str
    home: Path
    url: str
    """Where it answers clients."""
    votes: bool

    def last_words(self) -> list[str]:
        """Return the last lines that it has logged since it was started."""
        return log_tail(self.home, LOG_LINES, of_this_start=True)


class NoSuchNetwork(Exception):
    """There is no network in a folder.

    Attributes:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(f"there is no network in {root}")
        self.root = root


class NodeFailed(Exception):
    """A node ended, or did not get ready in time.

    Attributes:
        node: which.
        log: the last lines of its log.
    """

    def __init__(self, node: str, reason: str, log: Sequence[str]) -> None:
        super().__init__("\n".join([f"node {node} {reason}", *log]))
        self.node = node
        self.log = tuple(log)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPort:
    """A port of a stopped node that is not free."""

    node: str
    port: int
    holder: "Holder | None"
    """Who holds it, or has reserved it; None: nobody who can be seen from here."""


class PortsTaken(Exception):
    """Others hold ports that stopped nodes were made with.

    Attributes:
        ports: which, and by whom.
    """

    def __init__(self, network: str, ports: Sequence[TakenPort]) -> None:
        lines = [
            f"  {each.node}: {HOST}:{each.port}, by {each.holder or 'another program'}"
            for each in ports
        ]
        super().__init__("\n".join([f"ports of the network {network} are taken", *lines]))
        self.ports = tuple(ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNetwork:
    """The nodes of one network and where they are."""

    root: Path
    name: str
    nodes: Mapping[str, LocalNode]
    """By name, validators first."""

    @property
    def genesis_file(self) -> Path:
        """One of the equal copies of the genesis."""
        return next(iter(self.nodes.values())).home / GENESIS_FILE

    @property
    def genesis(self) -> "Genesis":
        """The genesis that every node has."""
        from node.genesis import load_genesis

        return load_genesis(self.genesis_file)

    @property
    def validators(self) -> tuple[LocalNode, ...]:
        """Those that vote."""
        return tuple(node for node in self.nodes.values() if node.votes)

    def process(self, name: str) -> NodeProcess | None:
        """Return the running process of a node, or None."""
        return running(self.nodes[name].home)

    def running(self) -> Iterator[tuple[str, NodeProcess]]:
        """Yield name and process of every node that runs."""
        for name in self.nodes:
            process = self.process(name)
            if process is not None:
                yield name, process

    def reserve(self, reserved: "Reservation") -> None:
        """Reserve the ports of all nodes that do not run, which were chosen when they were made.

        Raises:
            ConfigError: a home's configuration is faulty.
            PortsTaken: others have some of them; then nothing is started.
        """
        from node.config import listeners_of, load_config
        from node.provision.ports import holder_of_port

        taken = []
        for node in self.nodes.values():
            if self.process(node.name) is not None:
                continue
            config = load_config(node.home / CONFIG_FILE)
            places = [config.network.listen, *(each.listen for _, each in listeners_of(config.rpc))]
            for port in (place.port for place in places if place.host == HOST and place.port != 0):
                if not reserved.take(port):
                    holder = holder_of_port(port)
                    taken.append(TakenPort(node=node.name, port=port, holder=holder))
        if taken:
            raise PortsTaken(self.name, taken)

    def start(self, *names: str, leashed: bool = False) -> None:
        """Start these nodes, or all that do not run; does not wait until they are ready.

        On a network that has travelled in time they begin as far ahead as the furthest was.

        Args:
            leashed: let them end when this process ends, however it ends.

        Raises:
            ProcessRunning: a named node runs already.
            ConfigError: a home does not say how far its node has travelled.
        """
        started = names or [name for name in self.nodes if self.process(name) is None]
        self._set_ahead(started)
        for name in started:
            start_node(self.nodes[name].home, leashed=leashed)

    def _set_ahead(self, names: Sequence[str]) -> None:
        from node.app.travel import load_travelled, store_travelled

        folders = {name: node.home / DATA_FOLDER for name, node in self.nodes.items()}
        travelled = {name: load_travelled(folder) for name, folder in folders.items()}
        furthest = max(travelled.values())
        for name in names:
            if travelled[name] < furthest:
                store_travelled(folders[name], furthest)

    async def wait_ready(self, *names: str, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until these nodes, or all, serve clients and take part.

        Raises:
            NodeFailed: one of them ended, or was not ready in time.
        """
        for name in names or tuple(self.nodes):
            node = self.nodes[name]
            try:
                async with asyncio.timeout(timeout_s):
                    while not await answers(node.url, "/readyz"):
                        if self.process(name) is None:
                            raise NodeFailed(name, "has ended; its log:", node.last_words())
                        await asyncio.sleep(POLL_S)
            except TimeoutError:
                raise NodeFailed(
                    name,
                    f"was not ready in {timeout_s:.0f} s; its log:",
                    node.last_words(),
                ) from None

    async def stop(self) -> dict[str, bool]:
        """Ask every running node to end, and wait; returns which of them ended by themselves."""
        found = list(self.running())
        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(process.stop(), name=f"stop-{name}")
                for name, process in found
            }
        return {name: task.result() for name, task in tasks.items()}

    async def kill(self, name: str) -> bool:
        """End a node at once, as a power cut would; says whether it ran."""
        process = self.process(name)
        if process is None:
            return False
        await process.kill()
        return True

    async def remove(self) -> None:
        """Stop every node and remove the folder."""
        await self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def create_network(
    root: Path,
    description: "NetworkDescription",
    *,
    now_ms: int,
    index_at: str | None = None,
    desk_at: str | None = None,
) -> LocalNetwork:
    """Write the homes of a described network under this folder, and note where its nodes are.

    Args:
        index_at: the node that keeps an index, where the default would be none.
        desk_at: the node whose pages act on the network, which is for development.

    Raises:
        HomeExists: something is there already.
        GenesisError: the description founds no network.
    """
    from node.provision.founding import found_network

    founded = found_network(description, folder=root, now_ms=now_ms, make_keys=True)
    nodes = tuple(_nodes(root, founded))
    for node in nodes:
        home = founded.home(
            node.name,
            passphrase=None,
            passphrase_file=None,
            index=node.name == index_at,
            development_network=ROOT_FROM_HOME if node.name == desk_at else None,
        )
        write_home(node.home, home)
    entries = [{"name": n.name, "url": n.url, "votes": n.votes} for n in nodes]
    state = {"name": description.name, "nodes": entries}
    (root / STATE_FILE).write_text(json.dumps(state, indent=2) + "\n")
    return LocalNetwork(root=root, name=description.name, nodes={node.name: node for node in nodes})


def open_network(root: Path) -> LocalNetwork:
    """Return the network that was made in this folder.

    Raises:
        NoSuchNetwork: there is none.
    """
    try:
        state = json.loads((root / STATE_FILE).read_text())
        nodes = {
            str(entry["name"]): LocalNode(
                name=str(entry["name"]),
                home=root / NODES_FOLDER / str(entry["name"]),
                url=str(entry["url"]),
                votes=bool(entry["votes"]),
            )
            for entry in state["nodes"]
        }
        return LocalNetwork(root=root, name=str(state["name"]), nodes=nodes)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise NoSuchNetwork(root) from None


def _nodes(root: Path, founded: "FoundedNetwork") -> Iterator[LocalNode]:
    description = founded.description
    for node in (*description.validators, *description.observers):
        yield LocalNode(
            name=node.name,
            home=root / NODES_FOLDER / node.name,
            url=f"http://{node.rpc_listen}",
            votes=node in description.validators,
        )

"""The composition root over a real disk and real sockets, and what it refuses to start with."""

import asyncio
import contextlib
import io
import shutil
import ssl
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from node.app import CHAIN_FOLDER, LOG_FOLDER, Node, NodeParts
from node.clock import SystemClock
from node.codec import replace
from node.config import ConfigError, NodeConfig, load_config
from node.genesis import Genesis, GenesisRecord, genesis_of, load_genesis
from node.keys.errors import KeysError
from node.log import silent_log
from node.provision.description import Blocks
from node.provision.founding import FoundedNetwork, found_network
from node.provision.homes import CONFIG_FILE, write_home
from node.provision.reference import INSTITUTIONS, reference_network
from node.replica import LogMismatch, write_birth
from node.storage import StorageDamaged, StorageLocked, open_consensus_log
from tests.app.cluster import cluster
from tests.network.virtual_time import run_virtual
from tests.ports import own_ports

VALIDATORS = tuple(sorted(INSTITUTIONS))
QUIET = NodeParts(log=silent_log())


def make_homes(folder: Path) -> FoundedNetwork:
    ports = own_ports(2 * len(VALIDATORS))
    network = found_network(
        reference_network(
            "testnet",
            ports={name: (ports[2 * i], ports[2 * i + 1]) for i, name in enumerate(VALIDATORS)},
            development=True,
            blocks=Blocks(heartbeat_ms=300),
        ),
        folder=folder,
        now_ms=SystemClock().now_ms() - 1000,
        make_keys=True,
    )
    for name in VALIDATORS:
        write_home(folder / name, network.home(name, passphrase=None, passphrase_file=None))
    return network


def load(folder: Path, name: str) -> tuple[NodeConfig, Genesis]:
    config = load_config(folder / name / CONFIG_FILE, environment={})
    return config, load_genesis(config.genesis)


async def test_four_nodes_over_real_disks_and_sockets_decide_and_start_again(
    tmp_path: Path,
) -> None:
    make_homes(tmp_path)

    async def height_reached(nodes: list[Node], height: int) -> None:
        done = asyncio.Event()

        def look(_: object) -> None:
            if all(node.chain.head.height >= height for node in nodes):
                done.set()

        for node in nodes:
            node.chain.listeners.append(look)
        look(None)
        await done.wait()

    for height in (1, 2):
        async with contextlib.AsyncExitStack() as stack:
            nodes = [
                await stack.enter_async_context(Node(*load(tmp_path, name), QUIET))
                for name in VALIDATORS
            ]
            # What blocks the loop from here on is a fault: a write, a sync, a look-up of a name.
            with blockbuster_ctx():
                async with asyncio.timeout(90):
                    await height_reached(nodes, height)
            assert {node.rpc_port for node in nodes} == {
                node.config.rpc.listen.port for node in nodes
            }
            assert len({node.chain.history.block_bytes(height) for node in nodes}) == 1

    assert (tmp_path / VALIDATORS[0] / "data" / CHAIN_FOLDER).is_dir()


@pytest.mark.adversarial(68)
async def test_two_nodes_cannot_have_one_home(tmp_path: Path) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])

    async with Node(config, genesis, QUIET):
        with pytest.raises(StorageLocked):
            async with Node(config, genesis, QUIET):
                pass


@pytest.mark.adversarial(68)
async def test_two_databases_cannot_share_one_consensus_log(tmp_path: Path) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    other = config.model_copy(update={"data_dir": tmp_path / "other"})
    (tmp_path / "other").mkdir()
    (config.data_dir / LOG_FOLDER).mkdir(parents=True, exist_ok=True)
    (tmp_path / "other" / LOG_FOLDER).symlink_to(config.data_dir / LOG_FOLDER)

    async with Node(config, genesis, QUIET):
        with pytest.raises(StorageLocked):
            async with Node(other, genesis, QUIET):
                pass


@pytest.mark.adversarial(69)
async def test_a_damaged_database_is_said_with_advice_and_nothing_is_signed(
    tmp_path: Path,
) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    async with Node(config, genesis, QUIET):
        pass
    (config.data_dir / CHAIN_FOLDER / "CURRENT").unlink()

    with pytest.raises(StorageDamaged, match="move this directory aside"):
        async with Node(config, genesis, QUIET):
            pass

    # The lock was given back, and another directory starts anew.
    shutil.rmtree(config.data_dir / CHAIN_FOLDER)
    async with Node(config, genesis, QUIET) as node:
        assert node.chain.head.height == 0


async def test_a_taken_port_stops_the_start_and_frees_everything(tmp_path: Path) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    other = load(tmp_path, VALIDATORS[1])[0]
    clash = other.model_copy(
        update={"network": other.network.model_copy(update={"listen": config.network.listen})}
    )

    async with Node(config, genesis, QUIET):
        with pytest.raises(OSError, match="address"):
            async with Node(clash, genesis, QUIET):
                pass
        async with Node(other, genesis, QUIET):
            pass


async def test_the_log_of_another_validator_is_refused(tmp_path: Path) -> None:
    network = make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    shutil.rmtree(config.data_dir, ignore_errors=True)
    key = network.keys[VALIDATORS[1]].public_key
    assert key is not None
    write_birth(
        open_consensus_log(config.data_dir / LOG_FOLDER),
        name=VALIDATORS[1],
        public_key=key,
        network=genesis.hash,
    )

    with pytest.raises(LogMismatch, match="data_dir"):
        async with Node(config, genesis, QUIET):
            pass


async def test_a_development_key_is_refused_on_a_real_network(tmp_path: Path) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    record: GenesisRecord = replace(genesis.record, development=False)

    with pytest.raises(ConfigError, match="a development key, which everybody knows"):
        async with Node(config, genesis_of(record), QUIET):
            pass


@pytest.mark.parametrize("broken", ["key", "certificate", "passphrase"])
async def test_a_key_file_that_cannot_be_used_is_said(tmp_path: Path, broken: str) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    match broken:
        case "key":
            config = config.model_copy(
                update={"tls": config.tls.model_copy(update={"key": tmp_path / "none"})}
            )
        case "certificate":
            config.tls.certificate.write_bytes(b"no certificate")
        case _:
            assert config.validator is not None
            (tmp_path / "passphrase").write_text("")
            validator = config.validator.model_copy(
                update={
                    "development_key": None,
                    "keystore": tmp_path / "none",
                    "passphrase_file": tmp_path / "passphrase",
                }
            )
            config = config.model_copy(update={"validator": validator})

    with pytest.raises((ConfigError, KeysError)):
        async with Node(config, genesis, QUIET):
            pass


async def test_a_certificate_in_pem_is_as_good(tmp_path: Path) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    der = config.tls.certificate.read_bytes()
    config.tls.certificate.write_text(ssl.DER_cert_to_PEM_cert(der))

    async with Node(config, genesis, QUIET) as node:
        assert node.chain.head.height == 0


async def test_an_observer_with_a_validators_name_is_told(tmp_path: Path) -> None:
    make_homes(tmp_path)
    config, genesis = load(tmp_path, VALIDATORS[0])
    config = config.model_copy(update={"validator": None})
    stream = io.StringIO()

    async with Node(config, genesis, NodeParts(log_stream=stream)) as node:
        assert not node.replica.is_voting

    assert "this node only observes" in stream.getvalue()


def test_a_failure_of_one_room_stops_the_node_and_comes_out_as_itself() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            machine = network[VALIDATORS[0]]

            def fail(*_: object, **__: object) -> None:
                raise StorageDamaged(Path("x"), "rotten")

            machine.disk.store.write = fail  # type: ignore[method-assign]
            await network.settle(VALIDATORS[1], network.transaction())
            await network.until(lambda: machine.node is None, within_s=5.0)

            assert isinstance(machine.failure, StorageDamaged)
            assert await network.settle(VALIDATORS[1], network.transaction()) < 5.0

    run_virtual(main())

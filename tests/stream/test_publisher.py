"""A real chain, a real server: every event there once and in order, whatever fails in between."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

import node.stream
from node.rpc.stream import Cursor
from node.stream.errors import StreamUnreachable, StreamUnusable
from node.stream.link import Link, LinkSettings
from node.stream.messages import Naming
from node.stream.opening import credentials_in
from tests.chain.town import make_record
from tests.rpc.authorities import Authority
from tests.rpc.solo import Solo, solo_node
from tests.rpc.test_pruned import KEEP, RECORD, prune
from tests.stream.nkeys import USER, Nkey, Realm
from tests.stream.readers import (
    MEMORY_S,
    Proxy,
    arrived,
    edit,
    expected,
    failed,
    manager,
    publish,
    publish_first,
    publisher_of,
    read_all,
    running,
    shorten_memory,
    work,
)
from tests.stream.servers import NatsServer


@pytest.fixture
async def solo() -> AsyncIterator[Solo]:
    async with solo_node() as solo:
        yield solo


def naming_of(solo: Solo) -> Naming:
    return Naming(solo.town.genesis.name, solo.town.genesis.hash)


async def holds_all(nats: NatsServer, solo: Solo) -> None:
    """Hold that the stream has what the chain has: all, once, in order."""
    naming = naming_of(solo)
    assert await read_all(nats, naming.stream) == expected(solo, naming)


async def stored(nats: NatsServer, solo: Solo) -> None:
    """Wait until the server has all, whatever the publisher knows of it."""
    naming = naming_of(solo)
    async with asyncio.timeout(20):
        while await read_all(nats, naming.stream) != expected(solo, naming):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_what_was_before_and_what_comes_is_published(nats: NatsServer, solo: Solo) -> None:
    await work(solo, 5)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)
        await work(solo, 5)
        await arrived(solo, publisher)

    await holds_all(nats, solo)
    naming, metrics = naming_of(solo), solo.services.metrics
    transfers = await read_all(nats, naming.stream, subject=f"{naming.prefix}.events.transferred")
    assert len(transfers) == 200
    assert all(each.subject.endswith(".events.transferred") for each in transfers)
    assert metrics.value("khazana_stream_height") == solo.town.chain.head.height
    assert metrics.value("khazana_stream_lag_blocks") == 0
    stored = metrics.value("khazana_stream_messages_total", result="stored")
    assert stored == len(expected(solo, naming))


async def test_a_server_that_is_killed_is_caught_up_with(nats: NatsServer, solo: Solo) -> None:
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await work(solo, 3)
        await arrived(solo, publisher)
        for _ in range(2):
            await work(solo, 10)
            nats.stop(signal.SIGKILL)
            await work(solo, 10)
            await failed(publisher, "")
            await nats.start()
            await work(solo, 2)
            await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_a_node_that_is_stopped_goes_on_where_the_stream_stands(
    nats: NatsServer, solo: Solo
) -> None:
    for _ in range(4):
        publisher = publisher_of(solo, nats.url)
        async with running(publisher):
            await work(solo, 10)
            # Somewhere in the middle, with much under way.
            await publisher.reached(Cursor(height=solo.town.chain.head.height - 9, index=0))
        await work(solo, 3)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_what_was_stored_and_not_answered_is_not_stored_again(
    nats: NatsServer, solo: Solo
) -> None:
    async with Proxy(nats) as proxy:
        publisher = publisher_of(solo, proxy.url)
        async with running(publisher):
            for _ in range(3):
                await work(solo, 2)
                await arrived(solo, publisher)
                stood = publisher.standing
                proxy.swallows = True
                await work(solo, 5)
                await stored(nats, solo)
                assert publisher.standing == stood
                proxy.cut()
                proxy.swallows = False
                await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_a_line_that_is_cut_all_the_time(nats: NatsServer, solo: Solo) -> None:
    async with Proxy(nats) as proxy:
        publisher = publisher_of(solo, proxy.url)
        async with running(publisher):
            for _ in range(6):
                await work(solo, 5)
                await asyncio.sleep(0.05)
                proxy.cut()
            await arrived(solo, publisher)

    await holds_all(nats, solo)


@pytest.mark.parametrize("window", ["remembers", "forgets"])
async def test_two_nodes_publish_to_one_stream(nats: NatsServer, solo: Solo, window: str) -> None:
    first, second = publisher_of(solo, nats.url), publisher_of(solo, nats.url)
    if window == "forgets":
        await shorten_memory(nats, naming_of(solo))
    async with running(first, second):
        for _ in range(5):
            await work(solo, 5)
            await asyncio.sleep(0.12 if window == "forgets" else 0)
        await arrived(solo, first)
        await arrived(solo, second)

    await holds_all(nats, solo)


async def test_what_comes_late_is_not_stored_again_by_a_stream_that_has_forgotten(
    nats: NatsServer, solo: Solo
) -> None:
    await shorten_memory(nats, naming_of(solo))
    async with Proxy(nats) as proxy:
        first, second = publisher_of(solo, nats.url), publisher_of(solo, proxy.url)
        async with running(first, second):
            await arrived(solo, first)
            await arrived(solo, second)
            proxy.passes.clear()
            await work(solo, 2)
            await arrived(solo, first)
            await asyncio.sleep(3 * MEMORY_S)
            proxy.passes.set()
            await arrived(solo, second)
            await work(solo, 1)
            await arrived(solo, second)

    await holds_all(nats, solo)


async def test_the_other_goes_on_where_the_first_has_ended(nats: NatsServer, solo: Solo) -> None:
    first, second = publisher_of(solo, nats.url), publisher_of(solo, nats.url)
    async with running(second):
        async with running(first):
            await work(solo, 10)
        await work(solo, 10)
        await arrived(solo, second)

    await holds_all(nats, solo)


async def test_a_full_stream_is_waited_for(nats: NatsServer, solo: Solo) -> None:
    naming = naming_of(solo)
    await work(solo, 2)
    await edit(nats, naming, create=True, max_bytes=20_000)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await work(solo, 10)
        await failed(publisher, "maximum bytes exceeded")
        kept = await read_all(nats, naming.stream)
        assert kept == expected(solo, naming)[: len(kept)]
        assert len(kept) < len(expected(solo, naming))
        assert solo.services.metrics.value("khazana_stream_lag_blocks") > 0
        await edit(nats, naming, max_bytes=10_000_000)
        await arrived(solo, publisher)
        assert publisher.failure is None

    await holds_all(nats, solo)


async def test_a_purged_stream_is_filled_anew(nats: NatsServer, solo: Solo) -> None:
    naming = naming_of(solo)
    await shorten_memory(nats, naming)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await work(solo, 2)
        await arrived(solo, publisher)
    async with manager(nats) as streams:
        await streams.purge_stream(naming.stream)
    await work(solo, 1)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_pruned_blocks_are_a_gap_that_is_refused_or_told(nats: NatsServer) -> None:
    async with solo_node(record=RECORD, keep_blocks=KEEP) as solo:
        naming = naming_of(solo)
        publisher = publisher_of(solo, nats.url)
        async with running(publisher):
            await arrived(solo, publisher)
        before = expected(solo, naming)
        await prune(solo, solo.town.chain.head.height + 3)
        earliest = solo.town.chain.history.earliest

        careful = publisher_of(solo, nats.url)
        async with running(careful):
            await failed(careful, f"keeps none before {earliest}")
        assert await read_all(nats, naming.stream) == before
        telling = publisher_of(solo, nats.url, gaps=True)
        async with running(telling):
            await arrived(solo, telling)

        found = await read_all(nats, naming.stream)
        gap = found.pop(len(before))
        assert gap.subject == f"{naming.prefix}.gap"
        assert gap.cursor == f"{earliest - 1}-999999999"
        assert f'"after":"{before[-1].cursor}","from_height":{earliest}'.encode() in gap.body
        assert found == before + expected(solo, naming, first=earliest)
        assert solo.services.metrics.value("khazana_stream_gaps_total") == 1


async def test_a_stream_of_another_network_is_not_touched(nats: NatsServer, solo: Solo) -> None:
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)
    before = await read_all(nats, publisher.naming.stream)
    async with solo_node(record=make_record(validators=1, window_ms=50_000)) as other:
        assert other.town.genesis.name == solo.town.genesis.name
        stranger = publisher_of(other, nats.url)
        async with running(stranger):
            await work(other, 2)
            await failed(stranger, "give each chain a stream of its own")

    assert await read_all(nats, publisher.naming.stream) == before


@pytest.fixture
async def namesake(solo: Solo) -> AsyncIterator[Solo]:
    """Another chain of the same name."""
    async with solo_node(record=make_record(validators=1, window_ms=50_000)) as other:
        assert other.town.genesis.name == solo.town.genesis.name
        assert other.town.genesis.hash != solo.town.genesis.hash
        await work(other, 2)
        yield other


async def test_a_stream_that_was_made_for_another_chain_is_its_also_while_it_is_empty(
    nats: NatsServer, solo: Solo, namesake: Solo
) -> None:
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)
    async with manager(nats) as streams:
        await streams.purge_stream(publisher.naming.stream)
    stranger = publisher_of(namesake, nats.url)
    async with running(stranger):
        await failed(stranger, f"was made for the network '{solo.town.genesis.hash.hex()}'")

    assert await read_all(nats, publisher.naming.stream) == []


@pytest.mark.parametrize("window", ["remembers", "forgets"])
async def test_of_two_chains_that_begin_an_empty_stream_at_once_one_has_it(
    nats: NatsServer, solo: Solo, namesake: Solo, window: str
) -> None:
    naming = naming_of(solo)
    await edit(
        nats, naming, create=True, duplicate_window=60 if window == "remembers" else MEMORY_S
    )
    async with Proxy(nats) as proxy:
        proxy.holds = b"HPUB "
        late = publisher_of(namesake, proxy.url)
        async with running(late):
            # It has seen the stream empty; what it sends waits while the other begins.
            async with asyncio.timeout(20):
                await proxy.held.wait()
            await publish_first(nats, solo, naming)
            proxy.passes.set()
            await failed(late, "give each chain a stream of its own")
        first = publisher_of(solo, nats.url)
        async with running(first):
            await arrived(solo, first)

    await holds_all(nats, solo)


async def test_a_second_chain_of_a_name_has_a_stream_and_subjects_of_its_own(
    nats: NatsServer, solo: Solo, namesake: Solo
) -> None:
    genesis = namesake.town.genesis
    naming = Naming(genesis.name, genesis.hash, stream="second", prefix="khazana.second")
    publisher, other = publisher_of(solo, nats.url), publisher_of(namesake, nats.url, naming=naming)
    crossing = Naming(genesis.name, genesis.hash, stream="third")
    hindered = publisher_of(namesake, nats.url, naming=crossing)
    async with running(publisher, other):
        await arrived(solo, publisher)
        await arrived(namesake, other)
    async with running(hindered):
        await failed(hindered, "another stream of the server takes khazana.")

    await holds_all(nats, solo)
    assert await read_all(nats, "second") == expected(namesake, naming)


async def test_a_stream_of_another_chain_of_this_genesis_is_not_touched(
    nats: NatsServer, solo: Solo
) -> None:
    await work(solo, 3)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)
    before = await read_all(nats, publisher.naming.stream)
    async with solo_node() as other:
        await work(other, 5, transfers=3)
        stranger = publisher_of(other, nats.url)
        async with running(stranger):
            await failed(stranger, "on the chain")

    assert await read_all(nats, publisher.naming.stream) == before


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"subjects": ["khazana.>"]}, "or was stream.prefix changed"),
        ({"retention": "workqueue"}, "It must be 'limits'"),
        ({"retention": "interest"}, "It must be 'limits'"),
        ({"no_ack": True}, "does not answer what is published to it"),
    ],
)
async def test_a_stream_that_would_lose_or_mix_is_refused(
    nats: NatsServer, solo: Solo, config: dict[str, object], said: str
) -> None:
    await edit(nats, naming_of(solo), create=True, **config)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await failed(publisher, said)


async def test_what_was_deleted_at_the_end_is_published_again(nats: NatsServer, solo: Solo) -> None:
    await shorten_memory(nats, naming_of(solo))
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await work(solo, 1)
        await arrived(solo, publisher)
    assert publisher.standing is not None
    last = publisher.standing.sequence
    async with manager(nats) as streams:
        for sequence in (last, last - 1):
            await streams.delete_msg(publisher.naming.stream, sequence)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_however_many_were_deleted_at_the_end_the_last_that_is_left_is_found(
    nats: NatsServer, solo: Solo
) -> None:
    publisher, naming = publisher_of(solo, nats.url), naming_of(solo)
    stray = f"{naming.prefix}.stray"
    async with running(publisher):
        await arrived(solo, publisher)
    await publish(nats, stray, 1_500)
    async with manager(nats) as streams:
        await streams.purge_stream(naming.stream, subject=stray)
    await work(solo, 1)
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_what_somebody_else_has_published_is_told_of_and_can_be_purged(
    nats: NatsServer, solo: Solo
) -> None:
    publisher, naming = publisher_of(solo, nats.url), naming_of(solo)
    stray = f"{naming.prefix}.stray"
    async with running(publisher), manager(nats) as streams:
        await arrived(solo, publisher)
        await publish(nats, stray)
        # Many messages are sent at once, of which the first meets it.
        await work(solo, 1)
        await failed(publisher, "purge the subject of that message")
        await streams.purge_stream(naming.stream, subject=stray)
        await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_an_event_larger_than_the_server_takes_is_named(nats: NatsServer, solo: Solo) -> None:
    naming = naming_of(solo)
    await edit(nats, naming, create=True)
    nats.stop()
    nats.options = "max_payload: 900\n"
    await nats.start()
    publisher = publisher_of(solo, nats.url)
    async with running(publisher):
        await failed(publisher, "raise its max_payload")
        nats.stop()
        nats.options = ""
        await nats.start()
        await arrived(solo, publisher)

    await holds_all(nats, solo)


async def test_who_is_not_known_is_turned_away(tmp_path: Path, solo: Solo) -> None:
    options = "authorization { user: khazana, password: secret }\n"
    server = NatsServer(tmp_path / "closed", options=options)
    await server.start()
    try:
        url = server.url
        stranger = publisher_of(solo, url)
        async with running(stranger):
            await failed(stranger, "Authorization")
        settings = LinkSettings(server=url, user="khazana", password="secret")
        known = publisher_of(solo, url, settings=settings)
        async with running(known):
            await arrived(solo, known)
    finally:
        server.stop()


async def test_who_may_not_publish_hears_why(
    tmp_path: Path, solo: Solo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server refuses without an answer, which is waited for.
    monkeypatch.setattr(node.stream.publisher, "ANSWER_S", 0.5)
    options = """authorization { users: [ { user: khazana, password: secret, permissions: {
    publish: ["$JS.API.>"], subscribe: ["_INBOX.>"] } } ] }\n"""
    server = NatsServer(tmp_path / "closed", options=options)
    await server.start()
    try:
        settings = LinkSettings(server=server.url, user="khazana", password="secret")
        publisher = publisher_of(solo, server.url, settings=settings)
        async with running(publisher):
            await failed(publisher, "permissions violation for publish")
    finally:
        server.stop()


@pytest.mark.parametrize("vouched", [False, True], ids=["nkey", "creds"])
async def test_who_signs_in_by_a_key_is_known_by_it_alone(
    tmp_path: Path, solo: Solo, *, vouched: bool
) -> None:
    user, other, realm = Nkey(kind=USER), Nkey(kind=USER), Realm()
    nkeys = f"authorization {{ users: [ {{ nkey: {user.public} }} ] }}\n"
    server = NatsServer(tmp_path / "closed", options=realm.options if vouched else nkeys)
    await server.start()
    try:
        files = [tmp_path / "user", tmp_path / "stranger"]
        files[0].write_text(realm.creds(user) if vouched else user.seed)
        # A token of another operator's account, or a key that the server does not know.
        files[1].write_text(Realm().creds(user) if vouched else other.seed)
        known, stranger = (
            publisher_of(
                solo,
                server.url,
                settings=LinkSettings(server=server.url, credentials=credentials_in(file)),
            )
            for file in files
        )
        async with running(stranger):
            await failed(stranger, "Authorization")
        async with running(known):
            await arrived(solo, known)
    finally:
        server.stop()


async def test_both_sides_may_have_to_show_certificates(
    tmp_path: Path, solo: Solo, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, foreign = Authority(tmp_path, "ours"), Authority(tmp_path, "foreign")
    own, node_s = ours.sign("server"), ours.sign("node")
    server = NatsServer(
        tmp_path / "tls",
        options=f"""tls {{ cert_file: "{own.certificate}", key_file: "{own.key}",
        ca_file: "{ours.certificate}", verify: true }}\n""",
    )
    await server.start()
    try:
        url = server.url.replace("nats:", "tls:")
        known = LinkSettings(
            server=url,
            authority=ours.certificate,
            certificate=node_s.certificate,
            key=node_s.key,
        )
        publisher = publisher_of(solo, url, settings=known)
        async with running(publisher):
            await arrived(solo, publisher)
        # The library waits for a server that says nothing to whom it does not know.
        monkeypatch.setattr(node.stream.link, "ANSWER_S", 1.0)
        for settings in (
            replace(known, authority=foreign.certificate),
            replace(known, certificate=None, key=None),
        ):
            stranger = publisher_of(solo, url, settings=settings)
            async with running(stranger):
                await failed(stranger, "does not ")
    finally:
        server.stop()


async def test_who_takes_tls_out_of_the_way_is_told_nothing(solo: Solo) -> None:
    heard: list[bytes] = []

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"auth_required":true,"headers":true,"max_payload":1048576}\r\n')
        while data := await reader.read(1 << 16):
            heard.append(data)
            writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(between, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = LinkSettings(server=f"tls://127.0.0.1:{port}", user="khazana", password="secret")
        publisher = publisher_of(solo, settings.server, settings=settings)
        async with running(publisher):
            await failed(publisher, "offers no TLS")
        await publisher.close()
    assert heard == []


async def test_a_server_without_streams_is_told_of(tmp_path: Path, solo: Solo) -> None:
    server = NatsServer(tmp_path / "plain", jetstream=False)
    await server.start()
    try:
        publisher = publisher_of(solo, server.url)
        async with running(publisher):
            await failed(publisher, "does not say where the stream stands")
    finally:
        server.stop()


async def test_a_link_says_where_nothing_is(nats: NatsServer, solo: Solo) -> None:
    link = Link(LinkSettings(server=nats.url), naming_of(solo))
    await link.open()
    with pytest.raises(StreamUnusable, match="there is no stream"):
        await link.locate()
    await link.close()
    nats.stop()
    with pytest.raises(StreamUnreachable, match="does not connect"):
        await link.open()
    await link.close()


async def test_the_reader_in_the_readme_reads_all_and_goes_on_where_it_ended(
    nats: NatsServer, solo: Solo
) -> None:
    naming = naming_of(solo)
    page = (Path(node.stream.__file__).parent / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^```python\n(.+?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    code = found[1].replace("nats://127.0.0.1:4222", nats.url)
    code = code.replace("khazana-town", naming.stream).replace("khazana.town", naming.prefix)
    publisher = publisher_of(solo, nats.url)
    seen: list[str] = []
    async with running(publisher):
        for _ in range(2):
            await work(solo, 2, transfers=5)
            await arrived(solo, publisher)
            reader = await asyncio.create_subprocess_exec(
                sys.executable, "-u", "-c", code, stdout=asyncio.subprocess.PIPE
            )
            assert reader.stdout is not None
            try:
                async with asyncio.timeout(30):
                    seen += [
                        (await reader.stdout.readline()).decode().split()[0] for _ in range(10)
                    ]
            finally:
                reader.kill()
                await reader.wait()

    # The last that it was killed before it acknowledged would come again, after a while.
    wanted = [each.cursor for each in expected(solo, naming) if "transferred" in each.subject]
    assert list(dict.fromkeys(seen)) == wanted

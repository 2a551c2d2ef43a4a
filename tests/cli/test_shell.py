"""`khazana shell`: driven through a pseudo-terminal, as a person types."""

import asyncio
import re
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.provision.funding import development_accounts
from node.testing.cluster import running_cluster
from tests.cli.asked import ask, run
from tests.cli.terminals import Terminal, at_terminal
from tests.cli.test_status import NOWHERE
from tests.docs.blocks import block
from tests.rpc.solo import solo_node

PROMPT = b">>> "


async def typed(terminal: Terminal, line: bytes) -> str:
    """Type a line and return what was written until the next prompt."""
    terminal.type(line + b"\n")
    return (await asyncio.to_thread(terminal.until, PROMPT)).decode()


async def test_prompt_awaits_completes_survives_ctrl_c_and_ends_on_ctrl_d() -> None:
    async with solo_node() as solo:
        height = solo.town.chain.head.height
        with at_terminal("shell", "--url", solo.url) as terminal:
            first = (await asyncio.to_thread(terminal.until, PROMPT)).decode()
            assert f"town at height {height}" in first

            assert f"\n{height}" in await typed(terminal, b"(await client.status()).height")
            assert "42" in await typed(terminal, b"6 * 7")
            terminal.type(b"netwo\t.genesis_hash.h\t)\n")
            completed = (await asyncio.to_thread(terminal.until, PROMPT)).decode()
            assert solo.town.genesis.hash.hex() in completed

            terminal.type(b"import asyncio; print('waits'); await asyncio.sleep(600)\n")
            await asyncio.to_thread(terminal.until, b"\nwaits")
            assert b"KeyboardInterrupt" in await asyncio.to_thread(terminal.interrupt, PROMPT)
            terminal.type(b"half a line")
            await asyncio.to_thread(terminal.until, b"half a line")
            assert b"KeyboardInterrupt" in await asyncio.to_thread(terminal.interrupt, PROMPT)

            for line, error in ((b"1 / 0", "ZeroDivision"), (b"await network.x()", "Attribute")):
                raised = await typed(terminal, line)
                assert 'File "<console>", line 1' in raised
                assert f"{error}Error: " in raised
                assert "console.py" not in raised, "where it was run is nobody's business"
            assert "SyntaxError" in await typed(terminal, b"nonsense typed here")
            refused = await typed(terminal, b"await client.asset('NOPE')")
            assert "NotFound: " in refused
            assert "Traceback" not in refused
            assert "43" in await typed(terminal, b"6 * 7 + 1")
            terminal.type(b"\x04")
            assert await asyncio.to_thread(terminal.end) == Exit.OK


async def test_money_moves_by_what_is_at_hand(tmp_path: Path) -> None:
    page = re.findall(r"^>>> (.*)\n(.*)\n", block("node/cli/README.md", ">>> accounts[0]"), re.M)
    assert len(page) == 3
    async with running_cluster(tmp_path, validators=1, storage="memory") as cluster:
        url = cluster.nodes["central-bank"].url
        with at_terminal("shell", "--url", url, columns=400) as terminal:
            await asyncio.to_thread(terminal.until, PROMPT)
            for line, answer in page:
                told = await typed(terminal, line.encode())
                wanted = re.escape(answer).replace(r"\.\.\.", ".*")
                assert re.search(rf"^{wanted}\r?$", told, re.MULTILINE), told
        done = await run(
            "shell",
            "--url",
            url,
            "--run",
            "before = await holding(accounts[1])\n"
            "receipt = await transfer(accounts[0], accounts[1], '12.50')\n"
            "print(receipt.applied, await holding(accounts[1]) - before)",
        )

    assert (done.code, done.out) == (Exit.OK, "True 12.50\n"), done.err


async def test_accounts_are_shown_for_people_and_never_their_keys() -> None:
    async with solo_node() as solo:
        ran = await ask(
            solo,
            "shell",
            "--run",
            "accounts\ninstitutions\naccounts[3]\naccounts[0].signer\nprint(accounts[3].text)",
        )

    lines = ran.out.splitlines()
    fourth = development_accounts()[3]
    text = solo.network.render_address(fourth.address)
    assert f"[3] <account-3 of participant-3: {text}>" in lines
    assert f"<account-3 of participant-3: {text}>" in lines
    assert text in lines
    assert any(line.startswith("['central-bank'] <central-bank/account of ") for line in lines)
    assert ran.out.count("submit(..., signers=[it])") == 2
    signer = development_accounts()[0].signer
    assert f"LocalSigner(public_key={signer.public_key.hex()})" in lines
    assert " object at 0x" not in ran.out
    assert "b'" not in ran.out
    assert signer.seed.hex() not in ran.out


async def test_what_is_raised_in_a_run_is_told_and_is_code_1() -> None:
    async with solo_node() as solo:
        raised = await ask(solo, "shell", "--run", "await client.asset('NOPE')")
        unreadable = await ask(solo, "shell", "--run", "for")
        left = await ask(solo, "shell", "--run", "exit()")
        names = await ask(solo, "shell", "--json")

    assert (raised.code, unreadable.code, left.code) == (Exit.REFUSED, Exit.REFUSED, Exit.OK)
    assert "NotFound" in raised.err
    assert "SyntaxError" in unreadable.err
    assert {"client", "accounts", "transfer"} <= set(names.json["names"])


async def test_call_that_is_not_awaited_is_told_and_leaves_no_noise() -> None:
    async with solo_node() as solo:
        shown = await ask(solo, "shell", "--run", "client.status()\n6 * 7")
        with pytest.warns(RuntimeWarning, match=r"'Client\.status' was never awaited"):
            kept = await ask(solo, "shell", "--run", "call = client.status()\ncall = 6 * 8\ncall")

    assert shown.code == Exit.REFUSED
    assert shown.err == "nothing was done: write `await` before it\n"
    assert "42" in shown.out
    assert "coroutine object" not in shown.out
    assert kept.code == Exit.OK
    assert "48" in kept.out
    assert "KeyError" not in kept.err


async def test_node_that_dies_under_the_prompt_is_told_in_a_sentence() -> None:
    async with solo_node() as solo:
        with at_terminal("shell", "--url", solo.url, "--timeout", "20") as terminal:
            await asyncio.to_thread(terminal.until, PROMPT)
            await solo.server.stop()

            told = await typed(terminal, b"await client.status()")

            assert "Unreachable: no node answered" in told
            assert "Traceback" not in told
            terminal.type(b"\x04")
            assert await asyncio.to_thread(terminal.end) == Exit.OK


async def test_nobody_there_is_code_3_before_any_prompt() -> None:
    ran = await run("shell", "--url", NOWHERE)

    assert ran.code == Exit.UNREACHABLE
    assert ">>>" not in ran.out

"""What the page that verifies runs, without a browser: the script in Node.js, where there is one.

It must accept what `khazana verify` accepts of a holding, and refuse what that refuses.
"""

import asyncio
import json
import shutil
from collections.abc import Mapping
from typing import Any, Final

import pytest

from node.explorer.face import STATIC
from node.proofs import ProofError, verify_proof_file
from tests.chain.town import CASH
from tests.explorer.forging import forgeries, spelled
from tests.explorer.stage import BILL, Stage, stage

HARNESS: Final = """
const { layout, genesis, proofs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const document = { addEventListener() {} };
globalThis.crypto ??= require("crypto").webcrypto;
const parts = new Function("document", `${SCRIPT}; return { genesisOf, verifyProof };`);
const { genesisOf, verifyProof } = parts(document);
(async () => {
  const trusted = await genesisOf(Uint8Array.from(Buffer.from(genesis, "hex")), layout);
  const said = {};
  for (const [name, text] of Object.entries(proofs)) {
    try {
      said[name] = { good: true, said: (await verifyProof(text, trusted, layout)).statement };
    } catch (error) {
      said[name] = { good: false, said: error.reason ?? `${error}` };
    }
  }
  console.log(JSON.stringify(said));
})();
"""


async def judged(node: Stage, proofs: Mapping[str, str]) -> dict[str, tuple[bool, str]]:
    """What the script says of each file: whether it holds, and what it proves or why not."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no Node.js: apt-get install nodejs")
    session, url = node.solo.session, node.solo.url
    async with session.get(url + "/verify.json") as answer:
        layout = json.loads((await answer.json())["layout"])
    async with session.get(url + "/verify/genesis") as answer:
        genesis = (await answer.read()).hex()
    script = json.dumps((STATIC / "verify.js").read_text())
    running = await asyncio.create_subprocess_exec(
        program,
        "-e",
        f"const SCRIPT = {script};{HARNESS}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    asked = {"layout": layout, "genesis": genesis, "proofs": proofs}
    told, _ = await running.communicate(json.dumps(asked).encode())
    assert running.returncode == 0
    return {name: (each["good"], each["said"]) for name, each in json.loads(told).items()}


async def proof_of(node: Stage, asset: str) -> str:
    found = await node.solo.call(
        "khz_prove", {"kind": "holding", "address": node.holder, "name": asset}
    )
    file: str = found["file"]
    return file


async def test_script_says_what_the_command_says() -> None:
    async with stage() as node:
        proofs = {asset: await proof_of(node, asset) for asset in (CASH, BILL, "NOTHING-OF-IT")}

        for name, (good, said) in (await judged(node, proofs)).items():
            assert good, said
            assert said == verify_proof_file(proofs[name], node.solo.town.genesis).statement


async def test_script_refuses_what_the_command_refuses() -> None:
    async with stage() as node:
        forged = forgeries(await proof_of(node, CASH))
        for file in forged.values():
            with pytest.raises(ProofError):
                verify_proof_file(file, node.solo.town.genesis)

        accepted = {name: said for name, said in (await judged(node, forged)).items() if said[0]}

        assert accepted == {}


async def test_script_follows_changes_of_the_validators_as_the_command_does() -> None:
    async with stage(validators=4) as node:
        town = node.solo.town
        await town.decide(town.remove_validator("central-bank"))
        await town.decide()
        await town.decide(town.rotate_validator("crypto-council"))
        await town.decide()
        proof = await proof_of(node, CASH)
        files: dict[str, Any] = {
            name: json.loads(proof) for name in ("true", "left out", "in another order", "quorum")
        }
        files["left out"]["handovers"].pop(0)
        files["in another order"]["handovers"][0]["validators"].reverse()
        files["quorum"]["handovers"][0]["certificate"]["signatures"].pop()
        proofs = {name: spelled(file) for name, file in files.items()}
        for name in set(proofs) - {"true"}:
            with pytest.raises(ProofError):
                verify_proof_file(proofs[name], town.genesis)

        said = await judged(node, proofs)

        assert {name for name, (good, _) in said.items() if good} == {"true"}


@pytest.mark.parametrize("asset", ["\ufeff" + CASH, CASH + "\u200b", CASH + " "], ids=ascii)
async def test_script_says_nothing_of_what_no_asset_is_called(asset: str) -> None:
    """It would read as if the account did not have what it has."""
    async with stage() as node:
        file = json.loads(await proof_of(node, asset))
        true = json.loads(await proof_of(node, "GOLD"))["statement"]
        lies = {}
        for name in (asset, CASH):
            file["statement"] = true.replace("GOLD", name)
            lies[name] = spelled(file)

        said = await judged(node, lies)

        assert set(said.values()) == {(False, "no-holding")}

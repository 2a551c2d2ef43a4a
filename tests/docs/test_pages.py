"""The pages that the code writes, and that every page has its place."""

import hashlib
import importlib.util
import json
import re
from pathlib import Path

import pytest

from node.cli.application import application
from node.docs.formats import formats
from node.docs.methods import methods
from node.docs.pages import PAGES, commands, operations, outcomes
from node.hashing import Domain
from node.ledger.catalogue import ACTS
from node.ledger.outcomes import Outcome
from node.rpc.jsonrpc import methods_of
from node.rpc.ledger import LedgerMethods
from node.rpc.methods import Methods
from tests.docs.blocks import ROOT, line
from tests.docs.shell import surroundings, typed

DOCS = ROOT / "node" / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_page_that_the_code_writes_is_there_to_be_written_into(name: str) -> None:
    assert (ROOT / name).with_suffix(".md").read_text().startswith("# ")


def test_every_command_has_its_help_on_the_page() -> None:
    page = commands()

    for name in application.places:
        assert f"\n## khazana {name}\n" in page
    assert "\n## khazana tx transfer\n" in page
    assert "Usage: khazana tx transfer [OPTIONS]" in page


def test_every_method_is_on_the_page_with_its_parameters() -> None:
    page = methods()

    for entry in (*methods_of(Methods), *methods_of(LedgerMethods)):
        assert f"\n## {entry.name}\n" in f"\n{page}"
    assert "| `address` | string" in page
    assert "khz_subscribe" in page


def test_every_result_and_error_that_a_method_leads_to_is_on_its_page() -> None:
    page = methods()

    led = set(re.findall(r"\]\(#([a-z]+)\)", page))
    titles = {title.lower() for title in re.findall(r"^#{2,3} (\w+)$", page, re.MULTILINE)}
    assert len(led) > 100
    assert led <= titles
    for error in set(re.findall(r"^\[Errors\]\(#errors\): (.*)\.$", page, re.MULTILINE)):
        assert all(f" | {name} | " in page for name in error.split(", "))


def test_every_vector_is_on_the_page_of_formats_with_what_it_holds() -> None:
    page = formats()
    unwrapped = page.replace("\n", "")

    ledger = json.loads((ROOT / "tests" / "ledger" / "vectors.json").read_text())
    blocks = json.loads((ROOT / "tests" / "blocks" / "vectors.json").read_text())
    for vectors in (ledger["operations"], ledger["receipts"], blocks):
        assert vectors
        assert all(value in unwrapped for value in vectors.values())
    assert ledger["transaction body"] in unwrapped
    for domain in Domain:
        assert f"| `{domain.value.decode()}` | `" in page
    assert '"type": "transfer", "account": "tkhz1' in page.replace("\n", " ")


def test_id_of_the_transaction_follows_from_the_page_of_formats_alone() -> None:
    """With nothing of ours: whoever writes another implementation has only the page."""
    section = formats().partition("## A transaction")[2].partition("\n## ")[0]
    (body,) = re.findall(r"```text\n([0-9a-f\n]+)```", section)
    (genesis_hash,) = re.findall(r"genesis hash `([0-9a-f]{64})`", section)
    (tag, tx_id) = re.findall(r"under `([a-z/1-]+)`, is `([0-9a-f]{64})`", section)[0]

    hashed = tag.encode().ljust(64, b"\0") + bytes.fromhex(genesis_hash + body.replace("\n", ""))

    assert hashlib.sha256(hashed).hexdigest() == tx_id


def test_every_operation_is_on_the_page_with_its_fields() -> None:
    page = operations()

    for act in ACTS:
        assert f"\n## {act.name}\n" in f"\n{page}"
    assert "| `terms\\|bond_terms.plan.rates[].rate_ppm` | whole number, 0 to 1,000,000 |" in page


def test_every_outcome_is_on_the_page() -> None:
    page = outcomes()

    for outcome in Outcome:
        assert f"| {outcome.value} | `{outcome.name}` |" in page
    assert "{" not in page


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text()

    for page in DOCS.glob("**/*.md"):
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        assert name == "index" or f"\n{name}\n" in index


@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="`make setup` has not been run here")
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("sphinx", "furo", "myst_parser")),
    reason="no Sphinx: pip install '.[docs]'",
)
def test_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    """As the first page has one type it, from nothing and into another folder."""
    printed = typed(line("README.md", "make docs"), surroundings(DOCS=str(tmp_path / "html")))

    assert f"open {tmp_path / 'html'}/node/docs/index.html" in printed
    page = (tmp_path / "html" / "node" / "docs" / "reference" / "commands.html").read_text()
    assert "khazana tx transfer" in page

"""What is watched is there: the metrics of rules and dashboard, the paragraph of each alert, and
one line of the log for each height.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families

from node.metrics import Metrics
from node.testing.cluster import running_cluster

FOLDER: Final = Path(__file__).resolve().parents[2] / "docker/monitoring"
RULES: Final = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
RUNBOOK: Final = (FOLDER / "README.md").read_text(encoding="utf-8")
DASHBOARD: Final[dict[str, Any]] = json.loads(
    (FOLDER / "grafana/khazana.json").read_text(encoding="utf-8")
)
PANELS: Final = [
    panel
    for each in DASHBOARD["panels"]
    for panel in (each, *each.get("panels", ()))
    if panel["type"] != "row"
]
ALERTS: Final = re.findall(r"^ +- alert: (\w+)$", RULES, re.MULTILINE)
EXPRESSIONS: Final = (
    *(rule["expr"] for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]),
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
)
NAMED: Final = {
    name
    for expression in EXPRESSIONS
    for name in re.findall(r"(?:khazana|process)_\w+", expression)
}
SUFFIXES: Final = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}


async def test_every_metric_that_is_watched_is_in_a_real_nodes_exposition(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, validators=2, fault_model="crash") as cluster:
        payer, payee = cluster.accounts[:2]
        await cluster.transfer(payer, payee, "1.00")
        url = cluster.nodes["central-bank"].url
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
            text = await answer.text()

    families = list(text_string_to_metric_families(text))
    exposed = {f"{family.name}{suffix}" for family in families for suffix in SUFFIXES[family.type]}
    assert len(NAMED) > 25
    assert NAMED - exposed == set()
    samples = [sample for family in families for sample in family.samples]
    told = {(each.name, *sorted(each.labels.items())): each.value for each in samples}
    transfer = ("operation", "transfer"), ("outcome", "applied")
    assert told["khazana_ledger_transactions_total", *transfer] == 1
    assert told["khazana_validator_last_signed_height", ("validator", "central-bank")] > 0
    assert told[("khazana_disk_free_bytes",)] > 0
    for counter in ("khazana_equivocations_total", "khazana_proposals_missed_total"):
        assert told[counter, ("validator", "finance-ministry")] == 0, "the first is no increase"
    queues = {each.labels["queue"] for each in samples if each.name == "khazana_queue_length"}
    assert queues == {"consensus", "clients", "pushes", "sending", "storage"}
    by_operation = [
        each.value
        for each in samples
        if each.name == "khazana_ledger_transactions_total" and each.labels["outcome"] == "applied"
    ]
    assert told["khazana_transactions_total", ("outcome", "applied")] == sum(by_operation)


UNSHOWN: Final = frozenset(
    f"khazana_{name}"
    for name in (
        # What a shown one tells as well.
        *("index_height", "index_failures", "stream_height", "mempool_bytes", "bytes_received"),
        "round",
        *("protocol_version", "protocol_version_known", "upgrade_version", "upgrade_height"),
        *("block_interval_seconds", "build_seconds", "check_seconds", "earliest_height"),
        # For whoever looks for a cause.
        *("votes", "signatures", "resends", "proposal_fetches", "pushes_dropped", "waiters"),
        *("signatures_verified", "blocks_synced", "snapshot_height", "snapshot_parts"),
    )
)
"""Metrics that stand on no panel and in no rule, on purpose."""


def test_every_metric_is_watched_or_left_out_on_purpose() -> None:
    families = list(Metrics().registry.collect())
    shown = {
        family.name
        for family in families
        if NAMED & {f"{family.name}{suffix}" for suffix in SUFFIXES[family.type]}
    }

    assert {family.name for family in families} - shown == UNSHOWN


def test_every_alert_has_its_paragraph_and_every_paragraph_its_alert() -> None:
    paragraphs = re.findall(r"^### (\w+)\n\n(.{80,}(?:\n.+)*)", RUNBOOK, re.MULTILINE)

    assert len(ALERTS) == len(set(ALERTS)) == len(re.findall(r"- alert:", RULES)) >= 10
    assert [name for name, _ in paragraphs] == ALERTS
    assert re.findall(r"runbook: (\S+)$", RULES, re.MULTILINE) == [
        f"docker/monitoring/README.md#{name.lower()}" for name in ALERTS
    ]
    assert len(EXPRESSIONS) > len(ALERTS)
    assert RULES.count("severity: ") == RULES.count("summary: ") == len(ALERTS)


def test_panels_stand_side_by_side_and_each_has_its_own_number() -> None:
    places = [tuple(panel["gridPos"].values()) for panel in PANELS]

    assert len(set(places)) == len(places) == len({panel["id"] for panel in PANELS})
    assert all(panel["datasource"]["uid"] == "khazana" for panel in PANELS)


def test_what_is_told_of_now_is_asked_of_now() -> None:
    """Without `instant` such a panel shows the last value of its half hour, however old."""
    told = [panel for panel in PANELS if panel["type"] == "stat"]

    assert len(told) >= 6
    assert all(target["instant"] for panel in told for target in panel["targets"])


def test_each_panel_says_what_it_shows_and_asks_of_the_nodes_that_were_chosen() -> None:
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    asked = {name for each in EXPRESSIONS for name in re.findall(r"\$(\w+)", each)}

    assert asked == variables == {"instance"}
    assert [each["title"] for each in PANELS if len(each["description"]) < 15] == []


def test_what_is_mounted_into_the_containers_is_there() -> None:
    compose = (FOLDER.parent / "compose.yaml").read_text(encoding="utf-8")
    mounted = re.findall(r"- \./(monitoring/\S+?):", compose)

    assert len(mounted) == 5
    assert all((FOLDER.parent / path).is_file() for path in mounted)


async def test_the_log_has_one_line_a_height_at_info(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, validators=1) as cluster:
        payer, payee = cluster.accounts[:2]
        for _ in range(3):
            await cluster.transfer(payer, payee, "1.00")
        node, height = cluster.nodes["central-bank"], cluster.height
        lines = node.log_tail(10_000)

    heights = [
        int(found[1])
        for line in lines
        if "committed" in line and (found := re.search(r"\bheight=(\d+)", line))
    ]
    assert heights[:height] == list(range(1, height + 1))
    first = next(number for number, line in enumerate(lines) if " committed " in line)
    assert all(" committed " in line for line in lines[first : first + height]), "nothing besides"
    assert all(
        "round=" in line and "state_root=" in line for line in lines if " committed " in line
    )

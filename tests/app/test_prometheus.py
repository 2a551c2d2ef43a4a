"""Prometheus itself reads the rules and the configuration, and asks a real node.

Needs `promtool` and `prometheus` (Debian: prometheus); skipped with a reason without.
"""

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import pytest

from node.testing.cluster import running_cluster
from tests.ports import own_ports

FOLDER: Final = Path(__file__).resolve().parents[2] / "docker/monitoring"
RULES: Final = FOLDER / "alerts.yml"
ALERTS: Final = re.findall(r"^ +- alert: (\w+)$", RULES.read_text(), re.MULTILINE)
WITHIN_S: Final = 90
PROMTOOL: Final = shutil.which("promtool")
PROMETHEUS: Final = shutil.which("prometheus")

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)"
)
needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not installed (Debian: prometheus)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an alert fires at, what is just not enough, and what is told then."""

    series: Mapping[str, tuple[str, str]]
    """A sample a minute, as promtool writes them: where it fires, and where it just does not."""
    labels: Mapping[str, str]
    summary: str
    at_min: int = 30


A: Final = {"instance": "a"}
ENDS: Final = "khazana_tls_expiry_timestamp_seconds"
CASES: Final = {
    "NodeDown": Case(
        series={'up{job="khazana",instance="a"}': ("0x40", "1x40")},
        labels=A | {"job": "khazana"},
        summary="a does not answer",
    ),
    "ObserverMissing": Case(
        series={'up{job="khazana",role="observer",instance="a"}': ("0x40", "1x9 0x40")},
        labels=A | {"job": "khazana", "role": "observer"},
        summary="a has not answered for a day, or since Prometheus began",
    ),
    "NodeRestarts": Case(
        series={
            'process_start_time_seconds{job="khazana",instance="a"}': ("0+60x40", "0x25 9x3 99x9")
        },
        labels=A | {"job": "khazana"},
        summary="a was started 15 times in a quarter of an hour",
    ),
    "ChainStopped": Case(
        series={
            'khazana_height{instance="a"}': ("7x40", "7x40"),
            'khazana_height{instance="b"}': ("7x40", "7+1x40"),
        },
        labels={},
        summary="no node has committed a block for two minutes",
    ),
    "NodeBehind": Case(
        series={
            'khazana_sync_target_height{instance="a"}': ("100x40", "100x40"),
            'khazana_height{instance="a"}': ("80x40", "90x40"),
        },
        labels=A,
        summary="a is 20 blocks behind",
    ),
    "ValidatorSilent": Case(
        series={
            'khazana_height{instance="a"}': ("100x40", "100x40"),
            'khazana_validator_last_signed_height{instance="a",validator="bank"}': (
                "20x40",
                "50x40",
            ),
        },
        labels={"validator": "bank"},
        summary="bank is in no certificate of the last 80 blocks",
    ),
    "ProposalsMissed": Case(
        series={
            # Every node counts every turn that passes.
            f'khazana_proposals_missed_total{{instance="{node}",validator="bank"}}': (
                "0+2x40",
                "0+0.3x20 9x20",
            )
            for node in "abc"
        }
        | {
            'khazana_height{instance="a"}': ("100x40", "100x40"),
            'khazana_validator_last_signed_height{instance="a",validator="bank"}': (
                "99x40",
                "99x40",
            ),
        },
        labels={"validator": "bank"},
        summary="bank missed its turn 10 times in five minutes",
    ),
    "ProposalsRefused": Case(
        series={
            'khazana_proposals_refused_total{instance="a",reason="time-too-far-ahead"}': (
                "0+1x40",
                "0x20 3x20",
            )
        },
        labels={"reason": "time-too-far-ahead"},
        summary="15 proposals were refused in a quarter of an hour: time-too-far-ahead",
    ),
    "RoundsSkipped": Case(
        series={'khazana_rounds_skipped_total{instance="a"}': ("0+2x40", "0+1x40")},
        labels={},
        summary="10 rounds ended without a decision in five minutes",
    ),
    "Equivocation": Case(
        series={
            f'khazana_equivocations_total{{instance="{node}",validator="bank"}}': (
                "0x9 1x40",
                "1x40",
            )
            for node in "ab"
        },
        labels={"validator": "bank"},
        summary="bank signed two things at once",
    ),
    "SignatureRefused": Case(
        series={'khazana_signatures_refused_total{instance="a"}': ("0x9 1x40", "0x40")},
        labels=A,
        summary="the guard of a refused a signature",
    ),
    "ClockOff": Case(
        series={
            f'khazana_clock_offset_seconds{{instance="{node}",validator="{validator}"}}': (
                offset,
                "1x40",
            )
            for node in ("bank:1", "desk:1", "house:1")
            for validator, offset in (("bank", "-2.04x40"), ("desk", "0x40"), ("house", "0.3x40"))
            if not node.startswith(validator)
        },
        labels={"validator": "bank"},
        summary="the clock of bank is 2.0 s off, by what most nodes see",
    ),
    "PoolFilling": Case(
        series={'khazana_mempool_transactions{instance="a"}': ("12000x40", "10000x40")},
        labels=A,
        summary="12000 transactions wait at a",
    ),
    "SlowDisk": Case(
        series={
            'khazana_fsync_seconds_bucket{instance="a",le="0.1"}': ("0x40", "0+600x40"),
            'khazana_fsync_seconds_bucket{instance="a",le="0.5"}': ("0+600x40", "0+600x40"),
            'khazana_fsync_seconds_bucket{instance="a",le="+Inf"}': ("0+600x40", "0+600x40"),
        },
        labels=A,
        summary="appending to the consensus log of a takes 480ms",
    ),
    "DiskFilling": Case(
        series={
            'khazana_disk_free_bytes{instance="a"}': ("5x40", "10x40"),
            'khazana_disk_size_bytes{instance="a"}': ("100x40", "100x40"),
        },
        labels=A,
        summary="a has 5% of its disk left",
    ),
    "QueueGrowing": Case(
        series={
            'khazana_queue_length{instance="a",queue="consensus"}': ("3000x40", "0x40"),
            'khazana_queue_length{instance="a",queue="sending"}': ("0x40", "3000x40"),
        },
        labels=A | {"queue": "consensus"},
        summary="3000 events wait for the consensus loop of a",
    ),
    "UpgradeUnknown": Case(
        series={'khazana_upgrade_known{instance="a"}': ("0x40", "1x40")},
        labels=A,
        summary="a does not know the version that is scheduled",
    ),
    "PeerIncompatible": Case(
        series={
            f'khazana_peer_faults_total{{instance="{node}",peer="{peer}",reason="other-hello"}}': (
                "0+1x40" if "bank" in (node, peer) else "0x40",
                "0+9x40" if (node, peer) == ("desk", "bank") else "0x40",
            )
            for node in ("bank", "desk", "house", "mint")
            for peer in ("bank", "desk", "house", "mint")
            if node != peer
        },
        labels={"peer": "bank"},
        summary="bank has another genesis, name or release than most nodes, which refuse it",
    ),
    "PeersMisbehave": Case(
        series={
            'khazana_peer_faults_total{instance="a",peer="bank",reason="x"}': ("0+1x40", "0x40"),
            'khazana_peer_faults_total{instance="a",peer="bank",reason="other-hello"}': (
                "0x40",
                "0+9x40",
            ),
            'khazana_peer_faults_total{instance="a",peer="(stranger)",reason="x"}': (
                "0x40",
                "0+9x40",
            ),
        },
        labels=A | {"peer": "bank"},
        summary="bank misbehaved 15 times towards a",
    ),
    "IndexBehind": Case(
        series={'khazana_index_lag_blocks{instance="a"}': ("80x40", "50x40")},
        labels=A,
        summary="the index of a lacks 80 blocks",
    ),
    "StreamBehind": Case(
        series={'khazana_stream_lag_blocks{instance="a"}': ("80x40", "50x40")},
        labels=A,
        summary="the stream that a publishes to lacks 80 blocks",
    ),
    "CertificateEnding": Case(
        series={
            # promtool begins at the epoch; 30 minutes have passed.
            f'{ENDS}{{instance="a",listener="rpc",file="certificate"}}': (
                f"{10 * 86400 + 1800}x40",
                f"{15 * 86400}x40",
            ),
            f'{ENDS}{{instance="a",listener="rpc",file="client_revocations"}}': (
                f"{2 * 86400}x40",
                f"{2 * 86400}x40",
            ),
        },
        labels=A | {"listener": "rpc", "file": "certificate"},
        summary="certificate of a, listener rpc, is good for 10d 0h 0m 0s more",
    ),
    "CertificateRefused": Case(
        series={'khazana_tls_files_refused{instance="a",listener="rpc"}': ("1x40", "0x40")},
        labels=A | {"listener": "rpc"},
        summary="a cannot use the certificates of its listener rpc that it found",
    ),
}


NEVER_THERE: Final = Case(
    series={
        'up{job="khazana",role="observer",instance="a"}': ("1x9 0x40", "0x50"),
    },
    labels=A | {"job": "khazana", "role": "observer"},
    summary="a does not answer",
)
"""An observer that stopped; and one that was left out, as by `COMPOSE_PROFILES=core,monitoring`."""


CUT_OFF: Final = Case(
    series={
        'khazana_sync_target_height{instance="a"}': ("50x40", "50+2x40"),
        'khazana_height{instance="a"}': ("50x40", "50+2x40"),
        'khazana_height{instance="b"}': ("50+2x40", "52+2x40"),
    },
    labels=A,
    summary="a is 58 blocks behind",
)
"""One that hears of nobody ahead of it; and one that is asked a moment earlier than the other."""


NEAR_AGAIN: Final = Case(
    series={
        'khazana_sync_target_height{instance="a"}': ("100x40", "100x40"),
        'khazana_height{instance="a"}': ("80x26 95x20", "80x23 95x20"),
    },
    labels=A,
    summary="a is 20 blocks behind",
)
"""One that has come near three minutes ago, and may fall back; and one that has been for longer."""


NOW_AND_THEN: Final = Case(
    series={
        'khazana_height{instance="a"}': ("100x40", "100x40"),
        'khazana_validator_last_signed_height{instance="a",validator="bank"}': (
            "20x26 99x20",
            "20x23 99x20",
        ),
    },
    labels={"validator": "bank"},
    summary="bank is in no certificate of the last 80 blocks",
)
"""The same of a validator whose votes come late."""


AWAY_FOR_A_DAY: Final = Case(
    series={'up{job="khazana",role="observer",instance="a"}': ("1x9 0x1600", "1x59 0x1600")},
    labels=A | {"job": "khazana", "role": "observer"},
    summary="a has not answered for a day, or since Prometheus began",
    at_min=9 + 24 * 60 + 15,
)
"""An observer that NodeDown has ceased to tell of; and one that it still tells of."""


OWN_CLOCK: Final = Case(
    series={
        f'khazana_clock_offset_seconds{{instance="{node}",validator="{validator}"}}': (
            "3x40" if node == "a" else "0x40",
            "3x40" if node == "a" and validator == "bank" else "0x40",
        )
        for node in "abc"
        for validator in ("bank", "desk", "house")
    }
    | {'khazana_clock_offset_seconds{instance="d",validator="bank"}': ("0x40", "3x40")},
    labels=A,
    summary="a sees most clocks 3.0 s off: its own is",
)
"""A node to which all others are off; and two to which one is, of whom one knows of no other."""


AWAY: Final = Case(
    series={
        'khazana_proposals_missed_total{instance="a",validator="bank"}': ("0+2x40", "0+2x40"),
        'khazana_height{instance="a"}': ("100x40", "100x40"),
        'khazana_validator_last_signed_height{instance="a",validator="bank"}': ("60x40", "40x40"),
    },
    labels={"validator": "bank"},
    summary="bank missed its turn 10 times in five minutes",
)
"""One that signs and proposes late; and one that is away, which is for ValidatorSilent."""


REVOKED: Final = Case(
    series={
        f'{ENDS}{{instance="a",listener="rpc",file="client_revocations"}}': (
            "900x40",
            f"{2 * 86400}x40",
        ),
    },
    labels=A | {"listener": "rpc", "file": "client_revocations"},
    summary="client_revocations of a, listener rpc, is no longer good",
)
"""A list that is over; and one that is good for two days, which is long for a list."""


def severity_of(alert: str) -> str:
    found = re.search(rf"- alert: {alert}\n.*?severity: (\w+)", RULES.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def run(*words: object) -> str:
    """Run promtool; return what it printed."""
    assert PROMTOOL is not None
    ended = subprocess.run(
        [PROMTOOL, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def placed(folder: Path, *targets: str) -> Path:
    """Write the configuration of docker/ with the rules' place on this machine, and targets."""
    text = (FOLDER / "prometheus.yml").read_text()
    assert "/etc/prometheus/alerts.yml" in text
    text = text.replace("/etc/prometheus/alerts.yml", str(RULES))
    if targets:
        head, _, _ = text.partition("      - targets:\n")
        text = head + f"      - targets: {json.dumps(targets)}\n"
        text = text.replace("scrape_interval: 5s", "scrape_interval: 1s")
    file = folder / "prometheus.yml"
    file.write_text(text)
    return file


@needs_promtool
def test_prometheus_accepts_rules_and_configuration(tmp_path: Path) -> None:
    assert f"{len(ALERTS)} rules found" in run("check", "rules", RULES)
    assert "SUCCESS" in run("check", "config", placed(tmp_path))


def test_every_alert_has_its_case() -> None:
    assert list(CASES) == ALERTS


@needs_promtool
def test_every_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    """One file for all, so that promtool starts once."""

    def told(alert: str, case: Case) -> list[Any]:
        return [
            {
                "exp_labels": {**case.labels, "severity": severity_of(alert)},
                "exp_annotations": {
                    "summary": case.summary,
                    "runbook": f"docker/monitoring/README.md#{alert.lower()}",
                },
            }
        ]

    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": name, "values": values[which]} for name, values in case.series.items()
            ],
            "alert_rule_test": [
                {"eval_time": f"{case.at_min}m", "alertname": alert, "exp_alerts": expected}
            ],
        }
        for alert, case in (
            *CASES.items(),
            ("NodeBehind", CUT_OFF),
            ("NodeBehind", NEAR_AGAIN),
            ("ValidatorSilent", NOW_AND_THEN),
            ("NodeDown", NEVER_THERE),
            ("ObserverMissing", AWAY_FOR_A_DAY),
            ("ClockOff", OWN_CLOCK),
            ("ProposalsMissed", AWAY),
            ("CertificateEnding", REVOKED),
        )
        for which, expected in enumerate((told(alert, case), []))
    ]
    file = tmp_path / "tests.yml"
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests})
    )

    assert "SUCCESS" in run("test", "rules", file)


@contextlib.asynccontextmanager
async def running_prometheus(folder: Path, config: Path) -> AsyncIterator[str]:
    """Run Prometheus; give where it answers."""
    assert PROMETHEUS is not None
    (port,) = own_ports(1)
    with (folder / "prometheus.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            PROMETHEUS,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def asked(session: aiohttp.ClientSession, url: str) -> Any:
    """Return what its interface answers; None: it does not answer yet."""
    try:
        async with session.get(url) as answer:
            return (await answer.json())["data"] if answer.status == 200 else None
    except aiohttp.ClientError:
        return None


def shown_by_the_dashboard() -> list[str]:
    """Return what the panels ask for, of all nodes."""
    dashboard = json.loads((FOLDER / "grafana/khazana.json").read_text())
    return [
        target["expr"].replace("$instance", ".*")
        for each in dashboard["panels"]
        for panel in (each, *each.get("panels", ()))
        for target in panel.get("targets", ())
    ]


@needs_prometheus
async def test_a_real_prometheus_asks_a_real_node(tmp_path: Path) -> None:
    async with running_cluster(tmp_path / "town", validators=1, fault_model="crash") as cluster:
        place = cluster.nodes["central-bank"].url.removeprefix("http://")
        async with (
            running_prometheus(tmp_path, placed(tmp_path, place)) as url,
            aiohttp.ClientSession() as session,
            asyncio.timeout(WITHIN_S),
        ):
            query = f"{url}/api/v1/query?{urlencode({'query': 'khazana_height'})}"
            while not (found := await asked(session, query)) or not found["result"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            rules = await asked(session, f"{url}/api/v1/rules")
            drawn = [
                await asked(session, f"{url}/api/v1/query?{urlencode({'query': expression})}")
                for expression in shown_by_the_dashboard()
            ]
            targets = await asked(session, f"{url}/api/v1/targets")

    (sample,) = found["result"]
    assert sample["metric"]["instance"] == place
    assert int(sample["value"][1]) >= 1
    assert [each["health"] for each in targets["activeTargets"]] == ["up"]
    (group,) = rules["groups"]
    assert [each["name"] for each in group["rules"]] == ALERTS
    assert all(each["health"] in ("ok", "unknown") for each in group["rules"])
    assert len(drawn) > len(ALERTS)
    assert None not in drawn, "an expression of the dashboard is none to Prometheus"

"""What the cluster benchmark makes of what it saw: each figure from observations known by heart."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.keys import verify
from node.ledger.transactions import decode_signed, transaction_id
from node.metrics import Metrics
from tests.bench import coupons, flames, tally
from tests.bench.cluster import parse
from tests.bench.costs import (
    REST,
    STAGES,
    Sample,
    budget_table,
    costs,
    read_metrics,
    share_of_bound,
)
from tests.bench.large import against
from tests.bench.machine import interpreter, made_fast_by
from tests.bench.measuring import all_held
from tests.bench.orders import Kind, Move, Order, trial_clerk
from tests.bench.repeats import held_in, median_of, spread_of, table
from tests.bench.search import best, next_rate

A, B, C = (bytes([number]) * 32 for number in (1, 2, 3))


def receipts(*blocks: list[tuple[bytes, int]]) -> str:
    """Return a message of the stream that tells of these blocks."""
    items = [
        {"value": {"receipts": [[order_id.hex(), outcome] for order_id, outcome in block]}}
        for block in blocks
    ]
    return json.dumps({"params": {"type": "items", "items": items}})


HEARTBEAT = json.dumps({"params": {"type": "heartbeat", "cursor": "4-1"}})


def test_an_order_is_final_when_the_last_node_tells_of_it() -> None:
    early = tally.read_receipts([(1.0, receipts([(A, 0)])), (2.0, receipts([(B, 301)]))])
    late = tally.read_receipts([(2.5, HEARTBEAT), (3.0, receipts([(A, 0), (C, 0)]))])

    due = {A: 0.5, B: 0.5, C: 0.5}

    assert tally.final_everywhere(due, [early, late]) == {A: 3.0}
    assert early.outcomes == {A: 0, B: 301}
    assert tally.refused(early) == {"301": 1}
    assert early.blocks == [(1.0, 1), (2.0, 1)]


def test_an_order_in_two_blocks_is_noticed() -> None:
    told = tally.read_receipts([(1.0, receipts([(A, 0)], [(B, 0)])), (2.0, receipts([(A, 0)]))])

    assert told.twice == 1
    assert told.moments[A] == 1.0


def test_rate_counts_what_becomes_final_in_the_window_and_latency_what_falls_due_in_it() -> None:
    due = {A: 9.9, B: 10.0, C: 11.9}
    final = {A: 10.1, B: 10.3, C: 12.4}

    found = tally.window(due, final, 10.0, 12.0)

    assert (found["final_in_window"], found["tps"]) == (2, 1.0)
    assert found["latency_ms"] == {"p50": 500.0, "p95": 500.0, "p99": 500.0, "max": 500.0}
    assert tally.window(due, {}, 10.0, 12.0)["latency_ms"]["max"] == 0


@pytest.mark.parametrize(
    ("final", "applied", "drained_s", "expected"),
    [(10, 10, 2.0, True), (9, 9, 0.1, False), (10, 9, 0.1, False), (10, 10, 2.1, False)],
)
def test_a_rate_is_sustained_if_all_is_final_and_applied_soon(
    final: int, applied: int, drained_s: float, expected: bool
) -> None:
    found = tally.is_sustained(submitted=10, final=final, applied=applied, drained_s=drained_s)

    assert found is expected


def test_holdings_follow_from_what_was_applied() -> None:
    orders = [
        Order(A, b"", (Move(0, 0, 1), Move(1, 1, 0))),
        Order(B, b"", (Move(0, 1, 0),)),
    ]

    before = [{"PKR": 100, "MTB-3M-1": 100}, {"PKR": 100, "MTB-3M-1": 100}]

    found = tally.expected_holdings(before, orders, {A})

    assert found == [{"PKR": 99, "MTB-3M-1": 101}, {"PKR": 101, "MTB-3M-1": 99}]


def test_costs_are_of_one_transaction_and_node() -> None:
    nothing = dict.fromkeys(STAGES, 0.0)
    before = Sample(cpu_s=1.0, stages_s=nothing, sent_bytes=500)
    after = Sample(
        cpu_s=1.9, stages_s=nothing | {"apply": 0.2, "verification": 0.36}, sent_bytes=20_500
    )

    found = costs(
        before,
        after,
        transactions=1_000,
        validators=4,
        size_bytes=200,
        verify_us=50,
        signers=2,
    )

    assert found["cpu_us_per_transaction_and_node"] == 225.0
    assert found["cpu_us_beyond_verification"] == 125.0
    assert found["cpu_us_beyond_verification_as_charged"] == 135.0
    assert found["budget_us"]["apply"] == 50.0
    assert found["budget_us"][REST] == 85.0
    assert (found["wire_bytes_per_transaction"], found["wire_bytes_against_size"]) == (20, 0.1)
    table = budget_table([{"rate_asked": 500} | found, {"rate_asked": 900}])
    assert table.splitlines()[5].split() == ["apply", "50.0", "-"]
    assert table.splitlines()[-1].split() == ["all", "225.0", "-"]


def test_nothing_final_costs_nothing_that_could_be_told() -> None:
    sample = Sample(cpu_s=1.0, stages_s=dict.fromkeys(STAGES, 0.0), sent_bytes=0)

    assert (
        costs(sample, sample, transactions=0, validators=4, size_bytes=1, verify_us=1, signers=1)
        == {}
    )


def test_the_share_of_the_bound_is_what_verifying_takes_of_all_processors() -> None:
    share = share_of_bound(validators=4, tps=5_000, verify_us=40, signers=1, cores=2)

    assert share == 0.4


def test_every_stage_of_a_node_is_a_row_of_the_budget() -> None:
    metrics = Metrics()
    metrics.bytes_sent.labels(lane="votes").inc(5)

    found = read_metrics(metrics.render())

    stages = [label for name, label, _ in found if name == "khazana_stage_seconds_total"]
    assert tuple(stages) == STAGES
    assert ("khazana_bytes_sent_total", "votes", 5.0) in found


@pytest.mark.parametrize("limit", [80, 2_000, 5_003, 40_000])
def test_a_search_ends_near_the_highest_rate_that_is_sustained(limit: int) -> None:
    tried: dict[int, bool] = {}
    while (rate := next_rate(tried, 2_000)) is not None:
        assert rate not in tried
        tried[rate] = rate <= limit

    found = best(tried)
    assert found is not None
    assert limit / 1.07 - 1 <= found <= limit


def test_a_search_gives_up_on_a_network_that_sustains_nothing() -> None:
    tried: dict[int, bool] = {}
    while (rate := next_rate(tried, 2_000)) is not None:
        tried[rate] = False

    assert best(tried) is None


def test_repeats_are_told_by_median_and_spread() -> None:
    rows: list[dict[str, Any]] = [
        {"tps": 10, "sustained": True, "latency_ms": {"p50": 1.0}},
        {"tps": 30, "sustained": True, "latency_ms": {"p50": 3.0}},
        {"tps": 12, "sustained": False, "latency_ms": {"p50": 9.0}, "answers": {"0": 3}},
    ]

    assert median_of(rows) == {"tps": 12, "latency_ms": {"p50": 3.0}, "answers": {"0": 3}}
    assert spread_of(rows)["tps"] == [10, 30]


def test_repeats_are_told_as_a_table_and_say_in_how_many_each_check_held() -> None:
    rows: list[dict[str, Any]] = [
        {"tps": 4_000.5, "latency_ms": {"p50": 100.0}, "sustained": True, "conserved": True},
        {"tps": 5_000.0, "latency_ms": {"p50": 300.0}, "sustained": False, "conserved": True},
        {"tps": 4_900.0, "latency_ms": {"p50": 200.0}, "sustained": True, "conserved": True},
    ]

    told = [line.split() for line in table(rows, ("tps", "latency_ms.p50", "none")).splitlines()]

    assert told == [
        ["of", "3", "median", "least", "largest"],
        ["tps", "4,900.0", "4,000.5", "5,000.0"],
        ["latency_ms.p50", "200.0", "100.0", "300.0"],
        ["sustained", "2", "of", "3"],
        ["conserved", "3", "of", "3"],
    ]
    assert held_in(rows) == {"sustained": "2 of 3", "conserved": "3 of 3"}


@pytest.mark.parametrize(
    ("kind", "size_bytes", "operations"),
    [
        (Kind.TRANSFER, None, 1),
        (Kind.TRANSFER, 300, 1),
        (Kind.TRANSFER, 1_000, 15),
        (Kind.DVP, None, 4),
    ],
)
def test_orders_are_signed_by_all_who_pay(
    kind: Kind, size_bytes: int | None, operations: int
) -> None:
    clerk = trial_clerk(kind, size_bytes, accounts=40)

    first, second = clerk.orders(2, valid_until_ms=1_700_000_000_000, seed=1)

    assert first.id != second.id
    signed, body = decode_signed(first.raw)
    assert transaction_id(bytes(32), signed.body) == first.id
    assert len(body.operations) == len(first.moves) == operations
    assert len(body.signers) == kind.signers
    for signer, signature in zip(body.signers, signed.signatures, strict=True):
        assert verify(signer, first.id, signature)
    assert size_bytes is None or abs(len(first.raw) - size_bytes) <= 4


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--validators", "5"], "invalid choice: 5"),
        (["--rate", "0"], "0 is not positive"),
        (["--rates", "100,x"], "invalid"),
        (["--rate", "5", "--idle"], "not allowed with"),
        (["--size", "10"], "the smallest has 189"),
        (["--kill", "--idle"], "--kill goes with --rate"),
        (["--kind", "dvp", "--size", "900"], "only transfers have a size"),
        (["--accounts", "1"], "2 accounts take part, there are 1"),
        (["--accounts", "5", "--size", "900"], "take part, there are 5"),
    ],
)
def test_a_senseless_command_line_is_refused_in_a_sentence(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(words)

    assert complaint in capsys.readouterr().err


def test_the_command_line_of_the_issue() -> None:
    options = parse(["--rates", "1000,2000", "--repeats", "5", "--kind", "dvp"])

    assert (options.rates, options.repeats, options.kind) == ([1000, 2000], 5, Kind.DVP)
    assert (options.warm_up, options.seconds, options.accounts) == (20, 60, 1_000)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"state_roots_equal": True, "conserved": True, "holdings_exact": True}, True),
        ({"state_roots_equal": True, "conserved": True, "told_twice": 0}, True),
        ({"sustained": False, "state_roots_equal": True}, True),
        ({"state_roots_equal": False}, False),
        ({"conserved": False}, False),
        ({"holdings_exact": False}, False),
        ({"told_twice": 1}, False),
        ({"conserved": True, "rows": [{"told_twice": 0}, {"told_twice": 2}]}, False),
    ],
)
def test_a_check_that_did_not_hold_is_told_by_the_exit_code(
    row: dict[str, Any], expected: bool
) -> None:
    assert all_held([{}, row]) is expected


def test_a_large_ledger_is_told_by_what_it_does_of_what_a_small_one_does() -> None:
    small = {"tps": 12_000.0, "cpu_us_per_transaction_and_node": 100.0}
    large = {"tps": 9_000.0, "cpu_us_per_transaction_and_node": 125.0}

    assert against(small, large) == {"rate": 0.75, "rate_by_cpu": 0.8}


def test_flames_are_drawn_or_it_is_said_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "py-spy"
    monkeypatch.setattr(flames, "PROGRAM", program)
    with pytest.raises(SystemExit):
        parse(["--flames", "f.svg"])
    assert "--flames wants py-spy" in capsys.readouterr().err

    begun = tmp_path / "begun"
    os.mkfifo(begun)
    program.write_text(
        f'#!/bin/sh\ntrap "" INT\necho yes > {begun}\necho "looking at it is not allowed"\nexit 1\n'
    )
    program.chmod(0o755)
    with flames.drawn(os.getpid(), tmp_path / "f.svg"):
        begun.read_text()

    assert "no drawing in" in (told := capsys.readouterr().err)
    assert "looking at it is not allowed" in told


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ("", []),
        ("'--prefix=/usr' '--enable-shared'", []),
        ("'--without-lto' '--with-lto-of-another-kind'", []),
        ("'--enable-optimizations' '--with-lto=full'", ["--enable-optimizations", "--with-lto"]),
    ],
)
def test_of_an_interpreter_is_told_what_its_configuration_says(
    configuration: str, expected: list[str]
) -> None:
    assert made_fast_by(configuration) == expected
    assert interpreter()["version"].endswith(platform.python_version())


@pytest.mark.parametrize("bench", ["pipeline", "catching_up"])
def test_the_stages_that_are_measured_are_there(bench: str) -> None:
    """In a process of its own: it wraps the live program's functions."""
    code = f"from tests.bench import {bench}, pipeline; {bench}.watch(pipeline.Stages())"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("found", "held"),
    [
        ({}, [True, True]),
        ({"added_ms": 50.0}, [False, True]),
        ({"blocks": 201}, [True, False]),
        ({"blocks": 782, "plain": False}, [True]),
        ({"blocks": 1_957, "holders": 10_000_000}, [True]),
    ],
)
def test_coupon_is_held_to_what_is_promised_of_it(found: dict[str, Any], held: list[bool]) -> None:
    usual = {"added_ms": 49.9, "blocks": 200, "holders": 1_000_000, "plain": True}

    assert list(coupons.checks(**(usual | found)).values()) == held

"""What a node counts about itself: one Prometheus registry an object, no globals.

Names follow the Prometheus conventions (base units, `_total` on counters). Labels are bounded: the
closed vocabularies below, and names of validators and observers, which the ledger and the
configuration bound. Nothing has a label that a client or a stranger chooses.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from node.stages import Stages

_FAST: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
"""Seconds: disk writes and block work on a healthy machine lie in the middle."""
_LATENCY: Final = (0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The registry of one node, with every metric as a named attribute."""

    def __init__(self, cpu_s: Callable[[], float] | None = None) -> None:
        """Make a registry in which nothing was counted yet.

        Args:
            cpu_s: processor time of the calling thread; None: the stages count none.
        """
        self.registry = registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)

        # Consensus.
        self.height = gauge("khazana_height", "Height of the last committed block")
        self.round = gauge("khazana_round", "Round that consensus is in")
        self.rounds = counter("khazana_rounds_skipped", "Rounds that ended without a decision")
        self.votes = counter("khazana_votes", "Votes taken from peers, by kind", ["kind"])
        self.messages_refused = counter(
            "khazana_messages_refused", "Peers' messages refused, by reason", ["reason"]
        )
        self.proposals_missed = counter(
            "khazana_proposals_missed",
            "Rounds whose proposer brought no proposal in time, by proposer",
            ["validator"],
        )
        self.proposals_refused = counter(
            "khazana_proposals_refused", "Proposals that failed the check", ["reason"]
        )
        self.evidence = counter(
            "khazana_equivocations", "Equivocations seen, by author", ["validator"]
        )
        self.signatures = counter(
            "khazana_signatures", "Consensus messages signed by this node", ["kind"]
        )
        self.signatures_refused = counter(
            "khazana_signatures_refused", "Signatures that the guard refused"
        )
        self.clock_offset_seconds = gauge(
            "khazana_clock_offset_seconds",
            "How far a validator's clock is ahead of this node's, by its last proposals",
            ["validator"],
        )
        self.resends = counter("khazana_resends", "Repetitions for want of progress")
        self.fetches = counter(
            "khazana_proposal_fetches",
            "Requests for transactions of a proposal that the pool did not hold",
        )

        # The version of the rules.
        self.protocol_version = gauge(
            "khazana_protocol_version", "Version that rules the next height"
        )
        self.protocol_version_known = gauge(
            "khazana_protocol_version_known", "Highest version this software knows"
        )
        self.upgrade_version = gauge(
            "khazana_upgrade_version", "Version that is scheduled, 0 when none is"
        )
        self.upgrade_height = gauge(
            "khazana_upgrade_height", "Height from which it rules, 0 when none is"
        )
        self.upgrade_known = gauge(
            "khazana_upgrade_known",
            "Whether this software knows the scheduled version; if not (0), it stops before it",
        )

        # Blocks and transactions.
        self.block_transactions = histogram(
            "khazana_block_transactions",
            "Transactions in a block",
            buckets=(0, 1, 10, 100, 250, 500, 1_000, 2_000, 5_000, 10_000),
        )
        self.transactions = counter(
            "khazana_transactions", "Transactions in committed blocks", ["outcome"]
        )
        self.submissions = counter(
            "khazana_submissions", "Transactions submitted here, by answer", ["answer"]
        )
        self.pushes_dropped = counter(
            "khazana_pushes_dropped",
            "Transactions of peers left out because too many waited to be verified",
        )
        self.signatures_verified = counter(
            "khazana_signatures_verified", "Signatures verified, by subject", ["of"]
        )
        self.finality_seconds = histogram(
            "khazana_finality_seconds",
            "From submission at this node to the committed block",
            buckets=_LATENCY,
        )
        self.mempool_transactions = gauge(
            "khazana_mempool_transactions", "Transactions that wait for a block"
        )
        self.mempool_bytes = gauge("khazana_mempool_bytes", "Their size on the wire")
        self.waiters = gauge("khazana_waiters", "Transactions whose finality a client waits for")

        self.ledger_transactions = counter(
            "khazana_ledger_transactions",
            "Transactions in committed blocks, by their first operation and outcome",
            ["operation", "outcome"],
        )
        self.readings = Readings()
        registry.register(_ReadingsCollector(self.readings))

        # Where time goes.
        self.stages = Stages() if cpu_s is None else Stages(cpu_s)
        registry.register(_StagesCollector(self.stages))
        self.build_seconds = histogram(
            "khazana_build_seconds", "Building a proposal", buckets=_FAST
        )
        self.check_seconds = histogram(
            "khazana_check_seconds", "Checking a proposal", buckets=_FAST
        )
        self.commit_seconds = histogram(
            "khazana_commit_seconds", "Writing a block and its state", buckets=_FAST
        )
        self.fsync_seconds = histogram(
            "khazana_fsync_seconds", "Appending to the consensus log", buckets=_FAST
        )
        self.block_interval_seconds = histogram(
            "khazana_block_interval_seconds", "Between two commits at this node", buckets=_LATENCY
        )

        # Peers.
        self.peers = gauge("khazana_peers", "Connected peers, by kind", ["kind"])
        self.peer_faults = counter(
            "khazana_peer_faults", "Misbehaviour, by peer and reason", ["peer", "reason"]
        )
        self.bytes_sent = counter("khazana_bytes_sent", "Bytes sent to peers, by lane", ["lane"])
        self.bytes_received = counter("khazana_bytes_received", "Bytes received from peers")
        self.messages_dropped = counter(
            "khazana_messages_dropped", "Outgoing messages a full lane dropped", ["lane"]
        )

        # Catching up.
        self.sync_target = gauge("khazana_sync_target_height", "Highest height that a peer reports")
        self.blocks_synced = counter("khazana_blocks_synced", "Blocks committed from peers' stores")

        # What is kept of the chain.
        self.earliest_height = gauge("khazana_earliest_height", "First height whose block is kept")
        self.snapshot_height = gauge(
            "khazana_snapshot_height", "Height of the newest snapshot served"
        )
        self.snapshot_parts = counter(
            "khazana_snapshot_parts", "Parts of snapshots sent to peers", ["kind"]
        )

        # What follows it: index and stream.
        self.index_height = gauge("khazana_index_height", "Height of the last block in the index")
        self.index_lag_blocks = gauge(
            "khazana_index_lag_blocks",
            "Blocks that the index does not have yet, 0 where there is none",
        )
        self.index_failures = counter(
            "khazana_index_failures", "Times that the index could not go on"
        )
        self.stream_height = gauge(
            "khazana_stream_height", "Height of the last message in the stream"
        )
        self.stream_lag_blocks = gauge(
            "khazana_stream_lag_blocks",
            "Blocks that the stream does not have yet, 0 where nothing is published",
        )
        self.stream_messages = counter(
            "khazana_stream_messages",
            "Messages that the server has taken, by whether it had them before",
            ["result"],
        )
        self.stream_failures = counter(
            "khazana_stream_failures", "Times that publishing could not go on"
        )
        self.stream_gaps = counter(
            "khazana_stream_gaps", "Times that the stream was told what it lacks"
        )

        # Clients.
        self.rpc_requests = counter(
            "khazana_rpc_requests", "Requests by method", ["method", "result"]
        )
        self.rpc_handshakes_refused = counter(
            "khazana_rpc_handshakes_refused",
            "Clients that TLS turned away, by reason",
            ["reason"],
        )
        self.rpc_seconds = histogram(
            "khazana_rpc_seconds", "Answering a request", ["method"], buckets=_LATENCY
        )
        self.tls_not_after = gauge(
            "khazana_tls_expiry_timestamp_seconds",
            "Until when the certificates in use, or lists of revoked ones, are good, Unix time",
            ["listener", "file"],
        )
        self.tls_files_refused = gauge(
            "khazana_tls_files_refused",
            "Whether a listener's files could not be used when they were read last (1)",
            ["listener"],
        )
        self.subscribers = gauge("khazana_subscribers", "Open subscriptions")

    def watch_process(self) -> None:
        """Have memory, descriptors, processor time and start of this process among them, under the
        names that every Prometheus client gives them: `process_*`. Read when somebody asks.
        """
        ProcessCollector(registry=self.registry)

    def render(self) -> bytes:
        """Return the exposition text that `/metrics` serves."""
        return generate_latest(self.registry)

    def value(self, name: str, **labels: str) -> float:
        """Return one sample by its exposed name, 0 when nothing was counted yet: for tests and
        the status command.
        """
        return self.registry.get_sample_value(name, labels) or 0.0


@dataclass(slots=True, kw_only=True)
class Readings:
    """What is read when somebody asks, and costs nothing until then."""

    signed_last: Callable[[], Mapping[str, int]] = dict
    """The last height whose certificate names a validator, by validator; each has one."""
    queues: dict[str, Callable[[], int]] = field(default_factory=dict)
    """What waits in each queue of work, by name."""
    disk: Callable[[], tuple[int, int] | None] = lambda: None
    """Bytes free and in all, where the database is; None: it is on no disk."""


class _ReadingsCollector(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        readings = self._readings
        signed = GaugeMetricFamily(
            "khazana_validator_last_signed_height",
            "Last height whose certificate names a validator, or up to which that is not known",
            labels=["validator"],
        )
        for name, height in readings.signed_last().items():
            signed.add_metric([name], height)
        yield signed
        queues = GaugeMetricFamily(
            "khazana_queue_length", "What waits in a queue of work", labels=["queue"]
        )
        for name, length in readings.queues.items():
            queues.add_metric([name], length())
        yield queues
        disk = readings.disk()
        if disk is not None:
            free, size = disk
            yield GaugeMetricFamily(
                "khazana_disk_free_bytes", "Free where the database is", value=free
            )
            yield GaugeMetricFamily("khazana_disk_size_bytes", "Of that disk", value=size)


class _StagesCollector(Collector):
    """Reads the accounts when somebody asks: charging them is then a sum, not a counter's lock."""

    def __init__(self, stages: Stages) -> None:
        self._stages = stages

    @override
    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "khazana_stage_seconds",
            "Processor time of the node's own work, by stage",
            labels=["stage"],
        )
        for stage in self._stages:
            family.add_metric([stage.name], stage.seconds)
        yield family

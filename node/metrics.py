"""What a node counts about itself: one Prometheus registry an object, no globals.

Names follow the Prometheus conventions (base units, `_total` on counters). Labels are bounded: the
closed vocabularies below, and names of validators and observers, which the ledger and the
configuration bound. Nothing has a label that a client or a stranger chooses.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
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
        self.registry = CollectorRegistry()
        r = self.registry

        # Consensus.
        self.height = Gauge("khazana_height", "Height of the last committed block", registry=r)
        self.snapshot_height = Gauge(
            "khazana_snapshot_height", "Height of the newest snapshot served", registry=r
        )
        self.snapshot_parts = Counter(
            "khazana_snapshot_parts", "Parts of snapshots sent to peers", ["kind"], registry=r
        )
        self.earliest_height = Gauge(
            "khazana_earliest_height", "First height whose block is kept", registry=r
        )
        self.index_height = Gauge(
            "khazana_index_height", "Height of the last block in the index", registry=r
        )
        self.index_failures = Counter(
            "khazana_index_failures", "Times that the index could not go on", registry=r
        )
        self.stream_height = Gauge(
            "khazana_stream_height", "Height of the last message in the stream", registry=r
        )
        self.stream_lag_blocks = Gauge(
            "khazana_stream_lag_blocks",
            "Blocks that the stream does not have yet, 0 where nothing is published",
            registry=r,
        )
        self.stream_messages = Counter(
            "khazana_stream_messages",
            "Messages that the server has taken, by whether it had them before",
            ["result"],
            registry=r,
        )
        self.stream_failures = Counter(
            "khazana_stream_failures", "Times that publishing could not go on", registry=r
        )
        self.stream_gaps = Counter(
            "khazana_stream_gaps", "Times that the stream was told what it lacks", registry=r
        )
        self.round = Gauge("khazana_round", "Round that consensus is in", registry=r)
        self.rounds = Counter(
            "khazana_rounds_skipped", "Rounds that ended without a decision", registry=r
        )
        self.votes = Counter(
            "khazana_votes", "Votes taken from peers, by kind", ["kind"], registry=r
        )
        self.messages_refused = Counter(
            "khazana_messages_refused", "Peers' messages refused, by reason", ["reason"], registry=r
        )
        self.proposals_missed = Counter(
            "khazana_proposals_missed",
            "Rounds whose proposer brought no proposal in time, by proposer",
            ["validator"],
            registry=r,
        )
        self.proposals_refused = Counter(
            "khazana_proposals_refused", "Proposals that failed the check", ["reason"], registry=r
        )
        self.evidence = Counter(
            "khazana_equivocations", "Equivocations seen, by author", ["validator"], registry=r
        )
        self.signatures = Counter(
            "khazana_signatures", "Consensus messages signed by this node", ["kind"], registry=r
        )
        self.signatures_refused = Counter(
            "khazana_signatures_refused", "Signatures that the guard refused", registry=r
        )
        self.clock_offset_seconds = Gauge(
            "khazana_clock_offset_seconds",
            "How far a validator's clock is ahead of this node's, by its last proposals",
            ["validator"],
            registry=r,
        )
        self.resends = Counter("khazana_resends", "Repetitions for want of progress", registry=r)
        self.fetches = Counter(
            "khazana_proposal_fetches",
            "Requests for transactions of a proposal that the pool did not hold",
            registry=r,
        )

        # The version of the rules.
        self.protocol_version = Gauge(
            "khazana_protocol_version", "Version that rules the next height", registry=r
        )
        self.protocol_version_known = Gauge(
            "khazana_protocol_version_known", "Highest version this software knows", registry=r
        )
        self.upgrade_version = Gauge(
            "khazana_upgrade_version", "Version that is scheduled, 0 when none is", registry=r
        )
        self.upgrade_height = Gauge(
            "khazana_upgrade_height", "Height from which it rules, 0 when none is", registry=r
        )
        self.upgrade_known = Gauge(
            "khazana_upgrade_known",
            "Whether this software knows the scheduled version; if not (0), it stops before it",
            registry=r,
        )

        # Blocks and transactions.
        self.block_transactions = Histogram(
            "khazana_block_transactions",
            "Transactions in a block",
            buckets=(0, 1, 10, 100, 250, 500, 1_000, 2_000, 5_000, 10_000),
            registry=r,
        )
        self.transactions = Counter(
            "khazana_transactions", "Transactions in committed blocks", ["outcome"], registry=r
        )
        self.submissions = Counter(
            "khazana_submissions", "Transactions submitted here, by answer", ["answer"], registry=r
        )
        self.pushes_dropped = Counter(
            "khazana_pushes_dropped",
            "Transactions of peers left out because too many waited to be verified",
            registry=r,
        )
        self.signatures_verified = Counter(
            "khazana_signatures_verified", "Signatures verified, by subject", ["of"], registry=r
        )
        self.finality_seconds = Histogram(
            "khazana_finality_seconds",
            "From submission at this node to the committed block",
            buckets=_LATENCY,
            registry=r,
        )
        self.mempool_transactions = Gauge(
            "khazana_mempool_transactions", "Transactions that wait for a block", registry=r
        )
        self.mempool_bytes = Gauge("khazana_mempool_bytes", "Their size on the wire", registry=r)
        self.waiters = Gauge(
            "khazana_waiters", "Transactions whose finality a client waits for", registry=r
        )

        self.ledger_transactions = Counter(
            "khazana_ledger_transactions",
            "Transactions in committed blocks, by their first operation and outcome",
            ["operation", "outcome"],
            registry=r,
        )
        self.readings = Readings()
        r.register(_ReadingsCollector(self.readings))

        # Where time goes.
        self.stages = Stages() if cpu_s is None else Stages(cpu_s)
        r.register(_StagesCollector(self.stages))
        self.build_seconds = Histogram(
            "khazana_build_seconds", "Building a proposal", buckets=_FAST, registry=r
        )
        self.check_seconds = Histogram(
            "khazana_check_seconds", "Checking a proposal", buckets=_FAST, registry=r
        )
        self.commit_seconds = Histogram(
            "khazana_commit_seconds", "Writing a block and its state", buckets=_FAST, registry=r
        )
        self.fsync_seconds = Histogram(
            "khazana_fsync_seconds", "Appending to the consensus log", buckets=_FAST, registry=r
        )
        self.block_interval_seconds = Histogram(
            "khazana_block_interval_seconds",
            "Between two commits at this node",
            buckets=_LATENCY,
            registry=r,
        )

        # Peers.
        self.peers = Gauge("khazana_peers", "Connected peers, by kind", ["kind"], registry=r)
        self.peer_faults = Counter(
            "khazana_peer_faults",
            "Misbehaviour, by peer and reason",
            ["peer", "reason"],
            registry=r,
        )
        self.bytes_sent = Counter(
            "khazana_bytes_sent", "Bytes sent to peers, by lane", ["lane"], registry=r
        )
        self.bytes_received = Counter(
            "khazana_bytes_received", "Bytes received from peers", registry=r
        )
        self.messages_dropped = Counter(
            "khazana_messages_dropped",
            "Outgoing messages a full lane dropped",
            ["lane"],
            registry=r,
        )

        # Catching up.
        self.sync_target = Gauge(
            "khazana_sync_target_height", "Highest height that a peer reports", registry=r
        )
        self.blocks_synced = Counter(
            "khazana_blocks_synced", "Blocks committed from peers' stores", registry=r
        )

        # Clients.
        self.rpc_requests = Counter(
            "khazana_rpc_requests", "Requests by method", ["method", "result"], registry=r
        )
        self.rpc_seconds = Histogram(
            "khazana_rpc_seconds", "Answering a request", ["method"], buckets=_LATENCY, registry=r
        )
        self.subscribers = Gauge("khazana_subscribers", "Open subscriptions", registry=r)

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
    """The last height whose certificate names a validator, by validator."""
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
            "Last height whose certificate names a validator, since the start",
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

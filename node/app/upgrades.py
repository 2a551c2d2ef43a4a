"""Tells the operator which version of the protocol rules, and which comes: log and metrics."""

from node.chain import Chain, describe_versions, is_ready_for_upgrade
from node.ledger.tables import Upgrade
from node.log import Logger
from node.metrics import Metrics


class UpgradeNotices:
    """Follows one chain. Make it when the node starts, then let it look after each block."""

    def __init__(self, *, chain: Chain, metrics: Metrics, log: Logger) -> None:
        self._chain = chain
        self._metrics = metrics
        self._log = log
        self._told: tuple[int, Upgrade | None] = (chain.version, None)
        metrics.protocol_version_known.set(max(chain.versions))

    def look(self, _committed: object = None) -> None:
        """Say what is new since the last look."""
        chain, metrics, upgrade = self._chain, self._metrics, self._chain.upgrade
        metrics.protocol_version.set(chain.version)
        metrics.upgrade_version.set(0 if upgrade is None else upgrade.version)
        metrics.upgrade_height.set(0 if upgrade is None else upgrade.height)
        metrics.upgrade_known.set(is_ready_for_upgrade(chain))
        if (chain.version, upgrade) == self._told:
            return
        self._told = (chain.version, upgrade)
        tell = self._log.info if is_ready_for_upgrade(chain) else self._log.error
        tell("protocol", versions=describe_versions(chain))

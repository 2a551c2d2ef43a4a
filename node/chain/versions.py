"""What a node says about versions of the protocol: which rules, which comes, whether it is ready.

A node whose software does not know the version that is scheduled says so from that block on, keeps
agreement until the height before it, and then stops.
"""

from node.chain.chain import Chain
from node.chain.errors import render_versions


def is_ready_for_upgrade(chain: Chain) -> bool:
    """Whether this software knows the version that is scheduled; also when none is."""
    return chain.upgrade is None or chain.upgrade.version in chain.versions


def describe_versions(chain: Chain) -> str:
    """Return a sentence: which version rules, which is scheduled, and what is to be done."""
    upgrade = chain.upgrade
    rules = f"version {chain.version} rules"
    if upgrade is None:
        return rules
    coming = f"{rules}, version {upgrade.version} from height {upgrade.height} on"
    if is_ready_for_upgrade(chain):
        return coming
    return (
        f"{coming}. THIS SOFTWARE KNOWS ONLY {render_versions(chain.versions).upper()} and will"
        f" stop after height {upgrade.height - 1}: install a release of khazana that knows version"
        f" {upgrade.version} before"
    )

"""The node's local settings: a TOML file becomes a frozen `NodeConfig`, or all its faults at once.

What belongs here is what may differ from node to node: names of files, addresses, limits of this
machine. What must be the same everywhere (timeouts of consensus, block limits, cadence) stands in
the genesis, and a key for it here is refused with that advice. Secrets are named by file, never
written here.

A key `section.key` is overridden by the environment variable `KHAZANA_SECTION__KEY`; no other
module reads the environment. Relative paths start at the folder that the file lies in. Units stand
in the names: `_ms`, `_bytes`; limits end in `_max`.
"""

from node.config.endpoints import Endpoint, parse_endpoint
from node.config.faults import ConfigError, Fault
from node.config.loading import load_config, read_toml
from node.config.sections import (
    DevelopmentConfig,
    ListenerConfig,
    NodeConfig,
    RpcConfig,
    TlsConfig,
    listeners_of,
)
from node.config.values import POSTGRESQL_URL

__all__ = [
    "POSTGRESQL_URL",
    "ConfigError",
    "DevelopmentConfig",
    "Endpoint",
    "Fault",
    "ListenerConfig",
    "NodeConfig",
    "RpcConfig",
    "TlsConfig",
    "listeners_of",
    "load_config",
    "parse_endpoint",
    "read_toml",
]

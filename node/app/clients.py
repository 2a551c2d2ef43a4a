"""The interface for clients as a node's configuration wants it: where, for whom, how much.

Raises throughout: `ConfigError` for a file that cannot be used.
"""

from typing import Protocol

from node.access import ApiKeysError, Keyring, Role
from node.clock import Clock
from node.config import ConfigError, Fault, ListenerConfig, RpcConfig, listeners_of
from node.log import Logger
from node.metrics import Metrics
from node.rpc.limits import RpcLimits
from node.rpc.renewing import Renewable
from node.rpc.tls import ListenerTlsError, TlsFiles


class Listens(Protocol):
    """What can listen at several addresses: the interface, or what stands in for it."""

    async def start(self, host: str, port: int, *, role: Role, tls: Renewable | None) -> int:
        """Listen at one address more; return the port."""
        ...


async def listen_all(
    server: Listens, rpc: RpcConfig, *, metrics: Metrics, log: Logger
) -> list[Renewable]:
    """Listen at every address of the configuration, each with its role and its TLS.

    Returns:
        What may be renewed while it is listened on.

    Raises:
        OSError: one cannot be listened on.
    """
    ready = [(each, _tls(key, each, metrics, log)) for key, each in listeners_of(rpc)]
    for listener, tls in ready:
        host, port = listener.listen
        await server.start(host, port, role=listener.role, tls=tls)
    return [tls for _, tls in ready if tls is not None]


def tls_files(listener: ListenerConfig) -> TlsFiles | None:
    """Return the files that a listener shakes hands by, None where it does not."""
    if listener.certificate is None or listener.key is None:
        return None
    return TlsFiles(
        certificate=listener.certificate,
        key=listener.key,
        client_authority=listener.client_authority,
        client_revocations=listener.client_revocations,
    )


def load_keyring(rpc: RpcConfig, *, clock: Clock, log: Logger) -> Keyring:
    """Return the API keys that the node's configuration names."""
    try:
        return Keyring(rpc.api_keys, clock=clock, log=log)
    except ApiKeysError as error:
        raise _unusable("rpc.api_keys", str(error)) from None


def rpc_limits(rpc: RpcConfig) -> RpcLimits:
    """Return what clients may ask for, all together and each."""
    return RpcLimits(
        body_max_bytes=rpc.body_bytes_max,
        batch_max=rpc.batch_max,
        submission_max_bytes=rpc.submission_bytes_max,
        submission_max=rpc.submission_max,
        wait_max_ms=rpc.wait_ms_max,
        connections_max=rpc.connections_max,
        connections_per_address_max=rpc.connections_per_address_max,
        calls_per_second=rpc.calls_per_s_max,
        calls_burst=2 * rpc.calls_per_s_max,
        work_ms_per_second=rpc.work_ms_per_s_max,
        work_burst_ms=8 * rpc.work_ms_per_s_max,
        subscribers_max=rpc.subscribers_max,
    )


def _tls(
    key: tuple[str, ...], listener: ListenerConfig, metrics: Metrics, log: Logger
) -> Renewable | None:
    files = tls_files(listener)
    if files is None:
        return None
    try:
        return Renewable(key[-1], files, metrics=metrics, log=log)
    except ListenerTlsError as error:
        raise _unusable(".".join((*key, error.setting)), str(error)) from None


def _unusable(key: str, message: str) -> ConfigError:
    return ConfigError((Fault(file="configuration", line=None, key=key, message=message),))

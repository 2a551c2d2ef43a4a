"""A file of settings is read, overridden by the environment, and checked as a whole."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import (
    ValidationError,
)

from node.config.faults import ConfigError, Fault
from node.config.findings import fault_of, lines_of, placed
from node.config.sections import NodeConfig, listeners_of

CONFIG_SIZE_MAX: Final = 1 << 20  # 1 MiB; a file of a hundred peers has some 10 KiB
ENVIRONMENT_PREFIX: Final = "KHAZANA_"


def load_config(
    path: Path, *, environment: Mapping[str, str] | None = None, check_files: bool = True
) -> NodeConfig:
    """Return the settings in this file, overridden by the environment.

    Args:
        environment: the process's own when None.
        check_files: also report named files that are not there.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or holds anything unknown, missing, of the
            wrong type or out of range; with all faults.
    """
    file = str(path)
    text, tree = read_toml(path, size_max=CONFIG_SIZE_MAX)
    lines = lines_of(text)
    overridden = _override(tree, os.environ if environment is None else environment)
    tree.setdefault("data_dir", "data")
    tree.setdefault("genesis", "genesis.json")
    tree.setdefault("amendments", "amendments")
    faults: list[Fault] = []
    config: NodeConfig | None = None
    try:
        config = NodeConfig.model_validate(tree, context={"folder": path.absolute().parent})
    except ValidationError as error:
        faults += [fault_of(file, lines, overridden, details) for details in error.errors()]
    if config is not None:
        faults += [
            placed(file, lines, overridden, key, message)
            for key, message in _conflicts(config, check_files=check_files)
        ]
    if faults or config is None:
        raise ConfigError(tuple(sorted(faults, key=lambda fault: fault.line or 0)))
    return config


def read_toml(path: Path, *, size_max: int) -> tuple[str, dict[str, Any]]:
    """Return the text of a TOML file, and what it says.

    Args:
        size_max: bytes; nothing is read beyond them.

    Raises:
        ConfigError: it cannot be read, is larger, or is no TOML.
    """
    file = str(path)
    try:
        with path.open("rb") as source:
            data = source.read(size_max + 1)
        if len(data) > size_max:
            raise ConfigError((_whole(file, f"larger than {size_max} bytes"),))
        text = data.decode()
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigError((_whole(file, f"cannot be read: {error.strerror}"),)) from None
    except UnicodeDecodeError:
        raise ConfigError((_whole(file, "is not UTF-8"),)) from None
    except RecursionError:
        raise ConfigError((_whole(file, "is nested more deeply than any setting"),)) from None
    except ValueError as error:  # Besides tomllib's own, that of a number with thousands of digits.
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise ConfigError((Fault(file=file, line=line, key="", message=str(error)),)) from None


def _conflicts(config: NodeConfig, *, check_files: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with settings that are each fine alone."""
    if config.name in config.network.peers:
        yield ("network", "peers", config.name), "a node is not its own peer; remove the line"
    for name in sorted(config.network.peers.keys() & config.network.observers.keys()):
        yield ("network", "observers", name), "also a peer; a name is one or the other"
    taken = {config.network.listen: "network.listen"}
    for key, listener in listeners_of(config.rpc):
        if listener.listen.port != 0 and listener.listen in taken:
            other = taken[listener.listen]
            yield (*key, "listen"), f"{listener.listen} is already taken by {other}"
        taken.setdefault(listener.listen, ".".join((*key, "listen")))
    sync = config.sync
    if (sync.trusted_height is None) != (sync.trusted_block is None):
        yield ("sync",), "trusted_height and trusted_block go together; one of them is missing"
    if config.replica.resend_ms_max < config.replica.resend_ms:
        yield ("replica", "resend_ms_max"), "less than replica.resend_ms"
    if not check_files:
        return
    named: list[tuple[tuple[str, ...], Path | None]] = [
        (("genesis",), config.genesis),
        (("tls", "key"), config.tls.key),
        (("tls", "certificate"), config.tls.certificate),
    ]
    for key, listener in listeners_of(config.rpc):
        names = ("certificate", "key", "client_authority", "client_revocations")
        named += [((*key, name), getattr(listener, name)) for name in names]
    if config.validator is not None:
        named.append((("validator", "keystore"), config.validator.keystore))
        named.append((("validator", "passphrase_file"), config.validator.passphrase_file))
    named.append((("rpc", "api_keys"), config.rpc.api_keys))
    named.append((("index", "password_file"), config.index.password_file))
    for name in ("password_file", "credentials_file", "authority", "certificate", "key"):
        named.append((("stream", name), getattr(config.stream, name)))
    named += [(("network", "observers", n), p) for n, p in config.network.observers.items()]
    for key, path in named:
        if path is not None and (missing := _missing(path)) is not None:
            yield key, missing


def _missing(path: Path) -> str | None:
    """Return why there is no such file for us; None: there is."""
    try:
        return None if path.is_file() else f"no such file: {path}"
    except OSError as error:  # a folder that we may not enter, say
        return f"{path}: {error.strerror}"


def _override(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Write the environment's settings into the tree; return the variable behind each key."""
    variables: dict[tuple[str, ...], str] = {}
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        key = tuple(variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"))
        if key[0] not in NodeConfig.model_fields:
            continue  # Other programs, and our own command line, may use the prefix.
        *parents, last = key
        table = tree
        for parent in parents:
            inner = table.setdefault(parent, {})
            if not isinstance(inner, dict):
                break
            table = inner
        else:
            text = environment[variable]
            table[last] = int(text) if re.fullmatch(r"\d{1,15}", text) else text
        variables[key] = variable
    return variables


def _whole(file: str, message: str) -> Fault:
    return Fault(file=file, line=None, key="", message=message)

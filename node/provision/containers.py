"""The files with which docker compose runs a network on one machine, for any number of validators.

`compose.yaml`, `network.toml`, `.env`, `nats.conf` and `monitoring/prometheus.yml` of `docker/` are
what this makes for four validators and one observer. All of it is text from a few names; nothing is
written.

A fresh volume takes its owner from what lies at its place in the image, so the image has a folder
for each of `NODE_NAMES` and a network in containers has no other names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.ledger.powers import REFERENCE_OFFICES

VALIDATORS_MAX: Final = 16
_BYZANTINE_MIN: Final = 4
"""Of the byzantine fault model: three validators survive no fault."""
_CRASH: Final = 3
"""Of these one may stop under the fault model `crash`; fewer survive nothing."""
OBSERVERS_MAX: Final = 8
FIRST_PORT: Final = 26_680
"""Where the first node is published on the machine; each next one gets the next."""

INDEX_SECRET: Final = "secrets/index.password"
"""Of the user in PostgreSQL."""
INDEXING: Final = "exchange-index"
"""The service that is the first observer in the profile `index`."""
STREAM_SECRET: Final = "secrets/stream.password"
"""Of the user of NATS."""
PUBLISHING: Final = "exchange-stream"
"""The service that is the first observer in the profile `stream`."""
STREAM_FILE: Final = "nats.conf"

_VALIDATOR_NAMES: Final = (
    *REFERENCE_OFFICES,
    *(f"validator-{number}" for number in range(len(REFERENCE_OFFICES) + 1, VALIDATORS_MAX + 1)),
)
_OBSERVER_NAMES: Final = (
    "exchange",
    *(f"observer-{number}" for number in range(2, OBSERVERS_MAX + 1)),
)
NODE_NAMES: Final = (*_VALIDATOR_NAMES, *_OBSERVER_NAMES)
"""Every name that a node in a container can have."""


class ContainersError(Exception):
    """No such network is run in containers; the sentence says what can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerNetwork:
    """A network of so many nodes, all on one machine."""

    validators: int
    observers: int
    context: str | None
    """Source tree that the image is built from, relative to the files, and whose rules and
    dashboard lie beside them; None: the image is there, and nothing watches."""

    def __post_init__(self) -> None:
        for count, least, most, of in (
            (self.validators, 1, VALIDATORS_MAX, "validators"),
            (self.observers, 0, OBSERVERS_MAX, "observers"),
        ):
            if not least <= count <= most:
                raise ContainersError(f"{count} {of} are asked for; {least} to {most} can be had")

    @property
    def validator_names(self) -> tuple[str, ...]:
        """The four institutions first; those that are too many do not validate."""
        return _VALIDATOR_NAMES[: self.validators]

    @property
    def observer_names(self) -> tuple[str, ...]:
        return _OBSERVER_NAMES[: self.observers]

    @property
    def names(self) -> tuple[str, ...]:
        """Of all nodes, in the order of their ports."""
        return (*self.validator_names, *self.observer_names)

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The secrets that compose expects, relative to its file."""
        passphrases = tuple(f"secrets/{name}.passphrase" for name in self.validator_names)
        if not self.observers:
            return passphrases
        return (*passphrases, INDEX_SECRET, STREAM_SECRET)

    def files(self) -> dict[str, str]:
        """Return every file but the secret ones, by its name."""
        files = {
            "compose.yaml": _compose(self),
            "network.toml": _description(self),
            ".env": _settings(self),
        }
        if self.observers:
            files[STREAM_FILE] = _NATS
        if self.context is not None:
            files["monitoring/prometheus.yml"] = _prometheus(self)
        return files


def _settings(network: ContainerNetwork) -> str:
    profiles = "core,observer" if network.observers else "core"
    also = "" if not network.observers else _OTHER_SETTINGS
    return f"""\
# What compose runs unless COMPOSE_PROFILES in the environment, or --profile, says otherwise.
{also}COMPOSE_PROFILES={profiles}
"""


_OTHER_SETTINGS: Final = """\
# core,index: the first observer keeps its index in PostgreSQL.
# core,stream: it publishes blocks and events to NATS JetStream.
"""


def _compose(network: ContainerNetwork) -> str:
    image = "image: ${KHAZANA_IMAGE:-khazana:local}"
    build = ""
    if network.context is not None:
        build = f"""\
    build:
      context: {network.context}
      dockerfile: docker/Dockerfile
      args: {{BASE: "${{KHAZANA_BASE:-python:3.11-slim-bookworm}}"}}
"""
    up = "docker compose up" + (" --build" if build else "")
    up += "      (here, or with -f FILE; with Compose 1.29: docker-compose)"
    ports = {name: FIRST_PORT + number for number, name in enumerate(network.names)}
    services = "\n".join(_service(network, name, ports[name]) for name in network.names)
    if network.observers:
        first = network.observer_names[0]
        services += _indexing(first, ports[first]) + _publishing(first, ports[first])
    homes = "\n".join(f"      - {name}:/homes/{name}" for name in network.names)
    secrets = "\n".join(
        f'  {Path(file).stem}: {{file: "${{KHAZANA_SECRETS:-./secrets}}/{Path(file).name}"}}'
        for file in network.secret_files
    )
    kept = [*network.names]
    kept += ["postgres", "nats"] if network.observers else []
    kept += ["prometheus"] if network.context is not None else []
    volumes = "\n".join(f"  {name}:" for name in kept)
    monitoring = "" if network.context is None else _MONITORING
    also = "# `core` is the validators"
    if network.observers:
        also += ", `observer` who follows, and in its place `index`, which has its index in\n"
        also += "# PostgreSQL, or `stream`, which publishes to NATS"
    also += ".\n" if network.context is None else "; `monitoring` is who watches.\n"
    joined = "core, observer, index, stream" if network.observers else "core"
    return f"""\
# {_counted(network)}, in containers: for trying it out and for tests.
# Made by `khazana init --docker`; what it is and does: docker/README.md of the sources.
#
#   {up}
#   curl -s http://127.0.0.1:{FIRST_PORT}/readyz
#
# A one-shot job makes keys, certificates and the genesis in the nodes' volumes, once; each key is
# encrypted with a passphrase that comes as a secret file: name another folder of them with
# KHAZANA_SECRETS. The RPC port of each node is published on this machine only. Of the profiles,
{also}# .env says which run unless COMPOSE_PROFILES does. Written for Compose 1.29 and 2 alike: no
# `name:`, `include` or service `configs`; name the project with -p.

x-node: &node
  {image}
  read_only: true
  init: true
  user: "10001:10001"
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  tmpfs: ["/tmp:size=16m,mode=1777"]
  restart: unless-stopped
  stop_grace_period: 30s
  mem_limit: 512m
  ulimits: {{nofile: 8192}}
  # Prometheus, and whoever else is on this network, comes by name.
  environment: &environment
    KHAZANA_RPC__HOSTS: {" ".join(network.names)}
  logging: {{driver: json-file, options: {{max-size: 10m, max-file: "3"}}}}
  depends_on: {{init: {{condition: service_completed_successfully}}}}

services:
  init:
    profiles: [{joined}]
{build}    {image}
    command:
      - genesis
      - create
      - /etc/khazana/network.toml
      - --homes=/homes
      - --passphrases=/run/secrets
    read_only: true
    user: "10001:10001"
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    tmpfs: ["/tmp:size=16m,mode=1777"]
    healthcheck: {{disable: true}}
    secrets: [{", ".join(network.validator_names)}]
    volumes:
      - ./network.toml:/etc/khazana/network.toml:ro
{homes}

{services}{monitoring}
secrets:
{secrets}

volumes:
{volumes}
"""


_MONITORING: Final = """
  prometheus:
    profiles: [monitoring]
    image: ${KHAZANA_PROMETHEUS_IMAGE:-prom/prometheus:v3.5.0}
    restart: unless-stopped
    volumes:
      - ./monitoring/prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - ./monitoring/alerts.yml:/etc/prometheus/alerts.yml:ro
      - prometheus:/prometheus
    ports: ["127.0.0.1:${KHAZANA_PORT_PROMETHEUS:-9090}:9090"]

  grafana:
    profiles: [monitoring]
    image: ${KHAZANA_GRAFANA_IMAGE:-grafana/grafana:12.1.1}
    restart: unless-stopped
    environment:
      GF_AUTH_ANONYMOUS_ENABLED: "true"
      GF_AUTH_DISABLE_LOGIN_FORM: "true"
      GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: /var/lib/grafana/dashboards/khazana.json
    volumes:
      - ./monitoring/grafana/datasources.yml:/etc/grafana/provisioning/datasources/khazana.yml:ro
      - ./monitoring/grafana/dashboards.yml:/etc/grafana/provisioning/dashboards/khazana.yml:ro
      - ./monitoring/grafana/khazana.json:/var/lib/grafana/dashboards/khazana.json:ro
    ports: ["127.0.0.1:${KHAZANA_PORT_GRAFANA:-3000}:3000"]
"""

MONITORING_FILES: Final = (
    "alerts.yml",
    "grafana/dashboards.yml",
    "grafana/datasources.yml",
    "grafana/khazana.json",
)
"""Of `docker/monitoring` in the sources: the same for every network."""


def _prometheus(network: ContainerNetwork) -> str:
    def targets(names: Sequence[str]) -> str:
        return "\n".join(f"          - {name}:26680" for name in names)

    # Observers say that they are: one that is left out, as by its profile, wakes nobody.
    observers = f"""\
      - labels: {{role: observer}}
        targets:
{targets(network.observer_names)}
"""
    return f"""\
# Scrapes the nodes of compose.yaml by their names; on machines of your own, list yours.
global:
  scrape_interval: 5s
  evaluation_interval: 5s

rule_files: [/etc/prometheus/alerts.yml]

scrape_configs:
  - job_name: khazana
    static_configs:
      - targets:
{targets([name for name in network.names if name not in network.observer_names])}
{observers if network.observer_names else ""}"""


def _service(network: ContainerNetwork, name: str, port: int) -> str:
    profiles, secrets = "core", f"    secrets: [{name}]\n"
    if name in network.observer_names:
        # The first one has other services in the profiles `index` and `stream`.
        profiles = "observer" if name == network.observer_names[0] else "observer, index, stream"
        secrets = ""
    return f"""\
  {name}:
    <<: *node
    profiles: [{profiles}]
    hostname: {name}
{secrets}    volumes: ["{name}:/data"]
    ports: ["{_published(name, port)}"]
"""


def _published(name: str, port: int) -> str:
    variable = f"KHAZANA_PORT_{name.upper().replace('-', '_')}"
    return f"127.0.0.1:${{{variable}:-{port}}}:26680"


def _indexing(name: str, port: int) -> str:
    """Return the first observer once more, with its index in PostgreSQL, and the server."""
    why = f"""\
  # {name} itself, in the place of the service of that name: of the profiles `observer`, `index`
  # and `stream` one runs. Where PostgreSQL is away it goes on, and makes up for it.
"""
    settings = {
        "KHAZANA_INDEX__DATABASE": "postgresql://khazana@postgres/khazana",
        "KHAZANA_INDEX__PASSWORD_FILE": "/run/secrets/index",
    }
    return (
        f"\n{why}{_again(name, port, INDEXING, profile='index', settings=settings)}"
        + """
  postgres:
    profiles: [index]
    image: ${KHAZANA_POSTGRES_IMAGE:-postgres:17.5-bookworm}
    restart: unless-stopped
    stop_grace_period: 60s
    security_opt: ["no-new-privileges:true"]
    mem_limit: 512m
    shm_size: 128m
    environment:
      POSTGRES_USER: khazana
      POSTGRES_DB: khazana
      POSTGRES_PASSWORD_FILE: /run/secrets/index
      POSTGRES_INITDB_ARGS: --encoding=UTF8 --locale=C
    healthcheck:
      test: [CMD, pg_isready, -U, khazana, -d, khazana]
      interval: 5s
      timeout: 4s
      retries: 12
    secrets: [index]
    volumes: ["postgres:/var/lib/postgresql/data"]
"""
    )


def _publishing(name: str, port: int) -> str:
    """Return the first observer once more, publishing to NATS JetStream, and the server."""
    why = f"""\
  # {name} again, publishing what is committed. Where NATS is away it goes on, and makes up
  # for it.
"""
    settings = {
        "KHAZANA_STREAM__SERVER": "nats://nats:4222",
        "KHAZANA_STREAM__USER": "khazana",
        "KHAZANA_STREAM__PASSWORD_FILE": "/run/secrets/stream",
    }
    return (
        f"\n{why}{_again(name, port, PUBLISHING, profile='stream', settings=settings)}"
        + f"""
  # Its configuration takes the password from the environment, and that is made of the file here,
  # within the container: `docker inspect` does not show it.
  nats:
    profiles: [stream]
    image: ${{KHAZANA_NATS_IMAGE:-nats:2.11.4-alpine}}
    entrypoint:
      - sh
      - -ec
      - export STREAM_PASSWORD="\\"$$(cat /run/secrets/stream)\\"";
        exec nats-server -c /etc/nats/khazana.conf
    command: []
    restart: unless-stopped
    stop_grace_period: 30s
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 512m
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8222/healthz"]
      interval: 5s
      timeout: 4s
      retries: 12
    secrets: [stream]
    volumes:
      - ./{STREAM_FILE}:/etc/nats/khazana.conf:ro
      - nats:/streams
    ports: ["127.0.0.1:${{KHAZANA_PORT_NATS:-4222}}:4222"]
"""
    )


def _again(name: str, port: int, service: str, *, profile: str, settings: Mapping[str, str]) -> str:
    """Return a service that is this node with more settings and the secret of its profile."""
    lines = "\n".join(f"      {key}: {value}" for key, value in settings.items())
    return f"""\
  {service}:
    <<: *node
    profiles: [{profile}]
    hostname: {name}
    networks: {{default: {{aliases: [{name}]}}}}
    environment:
      <<: *environment
{lines}
    secrets: [{profile}]
    volumes: ["{name}:/data"]
    ports: ["{_published(name, port)}"]
"""


_NATS: Final = """\
# The server of the profile `stream`: one user, who writes and reads, and streams on disk. Give
# readers users of their own here, who may subscribe and not publish.
port: 4222
http: "127.0.0.1:8222"
server_name: khazana
jetstream { store_dir: /streams, max_memory_store: 64MB, max_file_store: 8GB }
authorization { user: khazana, password: $STREAM_PASSWORD }
"""


def _counted(network: ContainerNetwork) -> str:
    observers = {0: "no observer", 1: "one observer"}.get(
        network.observers, f"{network.observers} observers"
    )
    return f"A network of {network.validators} validators and {observers}"


def _description(network: ContainerNetwork) -> str:
    head = f"""\
# {_counted(network)}, in containers. Voting and TLS keys are made
# when the network is first brought up, encrypted with the passphrases that come as secrets. The
# accounts' keys are for development, so that anybody can try the network: that is why it is a
# development network.
name = "containers-{network.validators}"
test_network = true
development = true
fault_model = "{"crash" if network.validators == _CRASH else "byzantine"}"

# {_endurance(network.validators)}
[parameters]
validators-min = {min(network.validators, _BYZANTINE_MIN)}
"""
    parts = [head]
    idle = tuple(name for name in REFERENCE_OFFICES if name not in network.names)
    participants = (*network.names, *idle)
    for name in participants:
        if name in REFERENCE_OFFICES:
            kind = f'kind = "institution"\noffice = "{name}"'
        else:
            kind = f'kind = "{"bank" if name in network.validator_names else "company"}"'
        parts.append(f'[[participants]]\nid = "{name}"\n{kind}\n')
    parts += [
        f'[[accounts]]\nowner = "{name}"\ndevelopment_key = "{name}/account"\n'
        for name in participants
    ]
    parts += [
        f'[[validators]]\nname = "{name}"\nrpc_listen = "0.0.0.0:26680"\nparticipant = "{name}"\n'
        for name in network.validator_names
    ]
    parts += [
        f'[[observers]]\nname = "{name}"\nrpc_listen = "0.0.0.0:26680"\n'
        for name in network.observer_names
    ]
    return "\n".join(parts)


def _endurance(validators: int) -> str:
    """Return what a network of so many survives, and so how few there may be."""
    if validators >= _BYZANTINE_MIN:
        return "Never fewer than four: three validators survive no fault under this model."
    if validators == _CRASH:
        return "One of three may stop, if all are trusted to run the program as it is: never fewer."
    return "For trying only: nobody may stop."

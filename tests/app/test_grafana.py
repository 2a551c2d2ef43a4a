"""What Grafana is given is what its own types and documentation know, to every field and word.

The types are generated from Grafana's schemas. No release of them is made for 12.1: the pinned one
is for 11.6, the last before it. A Grafana reads the dashboards of those before it.
"""

import copy
import enum
import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

FOLDER: Final = Path(__file__).resolve().parents[2] / "docker/monitoring/grafana"
DASHBOARD: Final[dict[str, Any]] = json.loads((FOLDER / "khazana.json").read_text(encoding="utf-8"))
SDK: Final = "grafana_foundation_sdk"


@pytest.fixture(autouse=True, scope="module")
def _kinds_of_panels_and_queries() -> None:
    """Without these an option of a panel is any value."""
    register_default_plugins()


def understood(dashboard: dict[str, Any]) -> object:
    """Return what Grafana's types make of it."""
    return json.loads(json.dumps(Dashboard.from_json(copy.deepcopy(dashboard)), cls=JSONEncoder))


def lost(one: object, other: object, place: str = "") -> list[str]:
    """Return where `other` lacks what is in `one`, or has it otherwise; it may have more."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            found
            for name, value in one.items()
            for found in lost(value, other.get(name, lost), f"{place}.{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            found
            for number, pair in enumerate(zip(one, other, strict=True))
            for found in lost(*pair, f"{place}[{number}]")
        ]
    return [] if one == other else [place]


def objects(one: object, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a document, and where it is."""
    if isinstance(one, dict):
        yield place, one
        for name, value in one.items():
            yield from objects(value, f"{place}.{name}")
    elif isinstance(one, list):
        for number, value in enumerate(one):
            yield from objects(value, f"{place}[{number}]")


def untrue(value: object, kind: Any, place: str) -> list[str]:
    """Return where a value is not of its declared kind, which reading does not look at."""
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case typing.Union | types.UnionType:
            return min((untrue(value, each, place) for each in arguments), key=len)
        case typing.Literal:
            return [] if value in arguments else [place]
        case origin if origin is list and isinstance(value, list):
            return [
                found
                for number, each in enumerate(value)
                for found in untrue(each, arguments[0], f"{place}[{number}]")
            ]
        case None:
            pass
        case origin:
            return [] if isinstance(value, origin) else [place]
    if kind is object or kind is Any:
        return untrue_within(value, place)
    if issubclass(kind, enum.Enum):
        return [] if value in list(kind) else [place]
    if not isinstance(value, (int, float) if kind is float else kind):
        return [place]
    return untrue_within(value, place)


def untrue_within(value: object, place: str = "") -> list[str]:
    """The same of each field of one of Grafana's types, whose declarations say what it is."""
    if not type(value).__module__.startswith(SDK):
        return []
    declared = typing.get_type_hints(type(value))
    return [
        found
        for name, each in vars(value).items()
        for found in untrue(each, declared[name], f"{place}.{name}")
    ]


def test_grafana_gives_back_all_of_the_dashboard() -> None:
    """Its types leave out what they do not know, so all of it has to come back."""
    assert lost(DASHBOARD, understood(DASHBOARD)) == []


def test_a_field_that_grafana_does_not_know_is_found_wherever_it_is() -> None:
    planted = copy.deepcopy(DASHBOARD)
    places = [(place, each) for place, each in objects(planted)]
    for _, each in places:
        each["pannel"] = True

    assert len(places) > 250
    assert sorted(lost(planted, understood(planted))) == sorted(
        f"{place}.pannel" for place, _ in places
    )


def test_every_word_and_figure_of_the_dashboard_is_one_that_grafana_declares() -> None:
    assert untrue_within(Dashboard.from_json(copy.deepcopy(DASHBOARD))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("panels", 0, "options", "graphMode"), "nought"),
        (("panels", 0, "options", "reduceOptions", "calcs"), "lastNotNull"),
        (("panels", 0, "fieldConfig", "defaults", "thresholds", "mode"), "relative"),
        (("panels", 0, "gridPos", "w"), "4"),
        (("panels", 0, "targets", 0, "instant"), "yes"),
        (("templating", "list", 0, "refresh"), 7),
        (("refresh",), 5),
    ],
)
def test_a_word_that_grafana_does_not_declare_is_found(
    path: tuple[str | int, ...], value: object
) -> None:
    planted: Any = copy.deepcopy(DASHBOARD)
    place = planted
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != value
    place[path[-1]] = value

    assert len(untrue_within(Dashboard.from_json(planted))) == 1


# Grafana's page "Provision Grafana": of each object the fields that it needs, and that it may have.
SOURCES: Final = {
    "": ({"apiVersion", "datasources"}, {"prune", "deleteDatasources"}),
    ".datasources": (
        {"name", "type", "access"},
        {
            "orgId", "uid", "url", "user", "database", "basicAuth", "basicAuthUser",
            "withCredentials", "isDefault", "jsonData", "secureJsonData", "version", "editable",
        },
    ),
}  # fmt: skip
PROVIDERS: Final = {
    "": ({"apiVersion", "providers"}, set()),
    ".providers": (
        {"name", "type", "options"},
        {
            "orgId", "folder", "folderUid", "disableDeletion", "updateIntervalSeconds",
            "allowUiUpdates",
        },
    ),
    ".providers.options": ({"path"}, {"foldersFromFilesStructure"}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "known"), [("datasources.yml", SOURCES), ("dashboards.yml", PROVIDERS)]
)
def test_what_grafana_is_provisioned_with_has_documented_fields_only(
    file: str, known: dict[str, tuple[set[str], set[str]]]
) -> None:
    document = yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))

    found = [(place.replace("[0]", ""), set(each)) for place, each in objects(document)]
    assert [place for place, _ in found] == list(known), "nothing is there twice"
    for place, names in found:
        required, optional = known[place]
        assert required <= names <= required | optional, place
    assert document["apiVersion"] == 1


def test_the_dashboard_asks_the_source_that_is_provisioned_and_lies_in_its_folder() -> None:
    (source,) = yaml.safe_load((FOLDER / "datasources.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((FOLDER / "dashboards.yml").read_text())["providers"]
    compose = yaml.safe_load((FOLDER.parents[1] / "compose.yaml").read_text())["services"]
    asked = {
        (each["datasource"]["type"], each["datasource"]["uid"])
        for _, each in objects(DASHBOARD)
        if "datasource" in each
    }

    assert asked == {(source["type"], source["uid"])}
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose
    mounts = [each.split(":")[:2] for each in compose["grafana"]["volumes"]]
    path = provider["options"]["path"]
    assert ["./monitoring/grafana/khazana.json", f"{path}/khazana.json"] in mounts

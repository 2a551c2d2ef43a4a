"""Whom a command asks where nobody names a node; where a network runs: `test_devnet`."""

import json
from pathlib import Path

import pytest

from node.cli.options import URL_USUAL, url_default

STOPPED = json.dumps(
    {"name": "devnet", "nodes": [{"name": "n", "url": "http://127.0.0.1:1", "votes": True}]}
)


@pytest.mark.parametrize("state", [None, "", "[]", "not json", STOPPED])
def test_where_no_network_runs_the_usual_port_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    monkeypatch.setenv("KHAZANA_DEVNET", str(tmp_path))
    if state is not None:
        (tmp_path / "network.json").write_text(state)

    assert url_default() == URL_USUAL


def test_who_has_no_home_asks_the_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("KHAZANA_DEVNET", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(homeless))

    assert url_default() == URL_USUAL

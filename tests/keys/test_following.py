"""Files of keys that take the places of others."""

from pathlib import Path

import pytest

from node.keys.following import following_of, settle_files


def test_what_followed_takes_the_place_and_the_former_is_kept(tmp_path: Path) -> None:
    key, other = tmp_path / "consensus.json", tmp_path / "tls.pem"
    key.write_text("old")
    other.write_text("stays")
    following_of(key).write_text("new")

    settle_files([key, other])
    settle_files([key, other])

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "consensus.json": "new",
        "consensus.json.former": "old",
        "tls.pem": "stays",
    }


def test_there_is_a_key_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without its key is refused as a whole, so that nothing could end the change."""
    key = tmp_path / "consensus.json"
    key.write_text("old")
    following_of(key).write_text("new")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            settle_files([key])

    assert key.read_text() == "old"
    settle_files([key])
    assert key.read_text() == "new"
    assert key.with_name("consensus.json.former").read_text() == "old"

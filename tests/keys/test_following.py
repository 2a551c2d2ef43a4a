"""Files of keys that take the places of others."""

from pathlib import Path

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


def test_an_interrupted_change_is_ended_by_the_next(tmp_path: Path) -> None:
    key = tmp_path / "consensus.json"
    key.with_name("consensus.json.former").write_text("old")
    following_of(key).write_text("new")

    settle_files([key])

    assert key.read_text() == "new"
    assert key.with_name("consensus.json.former").read_text() == "old"

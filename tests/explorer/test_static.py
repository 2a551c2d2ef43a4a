"""What the pages send beside themselves: what of it was made elsewhere is as it was published."""

import hashlib
import re
import tomllib

from node.explorer.face import STATIC, static_files

OURS = {"charts.js", "explorer.css", "explorer.js", "icon.svg", "verify.js"}


def test_what_was_made_elsewhere_is_as_published() -> None:
    with (STATIC / "vendored.toml").open("rb") as file:
        entries = tomllib.load(file)["file"]

    for entry in entries:
        content = (STATIC / entry["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["name"]
        assert entry.keys() == {"name", "of", "version", "path", "licence", "sha256"}
    # What is not listed is ours, and says so by being readable.
    ours = static_files().keys() - {entry["name"] for entry in entries}
    assert ours == OURS


def test_nothing_is_fetched_from_elsewhere() -> None:
    for name in OURS:
        text = (STATIC / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"(?m)^ *//.*$", "", text), name
        assert "@import" not in text
        assert "url(" not in text

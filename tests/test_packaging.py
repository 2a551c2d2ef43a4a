"""What is shipped: the same wheel from the same sources, under which terms, as what service."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.exits import Exit

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "configs/systemd/khazana.service"
EXPOSURE_MAX = 20
"""Of systemd's own scale, from 0 to 100; a service that nobody has confined stands near 96."""

PERMISSIVE = {
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
}  # fmt: skip
OWN_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
}
"""What packages without an SPDX expression say of themselves."""


def locked() -> dict[str, str]:
    """Return name and version of every package that a node is made of."""
    text = (ROOT / "requirements.lock").read_text()
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", text))


def built(sources: Path, folder: Path, **variables: str) -> str:
    """Build the wheel of these sources; return its hash."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=sources,
        env=os.environ | variables,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_wheel_is_the_same_bytes_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    sources = tmp_path / "another place"
    for package in ("node", "consensus"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, sources / package, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for number, path in enumerate(sorted(sources.rglob("*.py"))):
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
        path.chmod(0o600 if number % 2 else 0o664)

    here = built(ROOT, tmp_path / "here", TZ="Asia/Karachi", PYTHONHASHSEED="1")
    there = built(sources, tmp_path / "there", TZ="UTC", PYTHONHASHSEED="2")

    assert here == there


def declared(name: str) -> Iterator[str]:
    """Yield what an installed package says of its licence."""
    facts = importlib.metadata.metadata(name)
    if "License-Expression" in facts:
        yield facts["License-Expression"]
        return
    classifiers = facts.get_all("Classifier") or []
    said = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: ")]
    for words in [facts["License"], *said] if "License" in facts else said:
        yield OWN_WORDS.get(words, words)


def test_licence_of_every_dependency_is_listed_permissive_and_what_it_says_of_itself() -> None:
    listed = tomllib.loads((ROOT / "docker/licences.toml").read_text())

    assert list(listed) == list(locked())
    for name, expression in listed.items():
        assert set(re.split(r" AND | OR ", expression)) <= PERMISSIVE, name
        assert set(declared(name)) == {expression}, name


def test_bill_of_materials_names_every_package_with_its_hashes_and_licence(tmp_path: Path) -> None:
    if importlib.util.find_spec("cyclonedx_py") is None:
        pytest.skip("no tool for bills of materials: make sbom")
    file = tmp_path / "bill.json"
    here = Path(sys.prefix)

    # -o: whatever has changed since, the environment that this runs in is not made anew under it.
    subprocess.run(
        ["make", "-o", str(here / ".ready"), "sbom", f"SBOM={file}", f"VENV={here}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )

    bill = json.loads(file.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "khazana"
    assert {each["name"]: each["version"] for each in bill["components"]} == locked()
    assert {each["name"]: each["licenses"][0]["expression"] for each in bill["components"]} == (
        tomllib.loads((ROOT / "docker/licences.toml").read_text())
    )
    validation = pytest.importorskip("cyclonedx.validation.json")
    version = importlib.import_module("cyclonedx.schema").SchemaVersion.V1_6
    assert validation.JsonStrictValidator(version).validate_str(file.read_text()) is None
    lock = (ROOT / "requirements.lock").read_text()
    for each in bill["components"]:
        hashes = {
            found["content"] for place in each["externalReferences"] for found in place["hashes"]
        }
        assert hashes
        assert all(f"sha256:{found}" in lock for found in hashes)


def setting(name: str) -> list[str]:
    """Return the values that the unit gives a setting."""
    return re.findall(rf"(?m)^{name}=(.*)$", UNIT.read_text())


def test_service_is_not_started_again_where_a_person_has_to_look() -> None:
    (codes,) = setting("RestartPreventExitStatus")

    assert {int(code) for code in codes.split()} == {
        Exit.DAMAGED,
        Exit.CONFIGURATION,
        Exit.OUTDATED,
    }
    assert setting("Restart") == ["on-failure"]


def test_service_is_confined_and_systemd_understands_it(tmp_path: Path) -> None:
    """Offline: with the program that is here in the place of the one that is installed there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze on this machine")
    unit = tmp_path / UNIT.name
    (program,) = setting("ExecStart")
    unit.write_text(UNIT.read_text().replace(program.split()[0], sys.executable))

    for words in (
        ["verify", "--man=no"],
        ["security", "--offline=yes", f"--threshold={EXPOSURE_MAX}"],
    ):
        ended = subprocess.run(
            ["systemd-analyze", *words, str(unit)], capture_output=True, text=True, check=False
        )

        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert ended.stderr == ""

"""The plugin in a project that is not ours: what it costs, and that its README works."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "node" / "testing" / "README.md"

HEAVY = {"aiohttp", "pydantic", "plyvel", "nacl", "cryptography", "msgspec", "structlog"}


def example() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    return str(code)


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as the owner of this project does, whether or not Khazana is installed here."""
    listed = subprocess.run(
        [sys.executable, "-c", "import importlib.metadata as m;"
         "print('khazana' in {e.name for e in m.entry_points(group='pytest11')})"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    plugin = [] if listed.stdout.strip() == "True" else ["-p", "node.testing.plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *words],
        cwd=folder,
        # Its folders are its own: who ends first clears away what of the others' is old.
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DEBUG_TEMPROOT": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def project(folder: Path, settings: str, tests: str) -> Path:
    (folder / "pytest.ini").write_text(f"[pytest]\n{settings}\n")
    (folder / "test_ours.py").write_text(tests)
    return folder


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, node.testing.plugin; print(*sorted({m.split('.')[0] for m in sys.modules}))"

    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "node" in loaded
    assert not HEAVY & set(loaded)


def test_modules_of_khazana_are_no_tests_of_the_project(tmp_path: Path) -> None:
    """pytest would compile each of them anew, with other assertions."""
    folder = project(
        tmp_path,
        "asyncio_mode = auto",
        """
from importlib.machinery import SourceFileLoader

import consensus.engine
import node.client

def test_loaded_as_python_does():
    for module in (consensus.engine, node.client):
        assert type(module.__spec__.loader) is SourceFileLoader
""",
    )

    ran = pytest_in(folder, "-q")

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_example_of_the_readme_runs_in_a_strict_project_with_warnings_as_errors(
    tmp_path: Path,
) -> None:
    settings = (
        "asyncio_mode = strict\n"
        "asyncio_default_fixture_loop_scope = function\n"
        "filterwarnings = error"
    )
    folder = project(tmp_path, settings, example())

    ran = pytest_in(folder, "-q", "--strict-markers")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{example().count('async def test_')} passed" in ran.stdout


def test_auto_mode_needs_no_mark_and_a_failure_shows_the_logs(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        "asyncio_mode = auto",
        """
import pytest

@pytest.mark.khazana(validators=1, storage="memory")
async def test_fails(cluster):
    await cluster.transfer(cluster.accounts[0], cluster.accounts[1], 1)
    assert cluster.height == -1

def test_needs_no_cluster():
    pass
""",
    )

    ran = pytest_in(folder, "-q")

    assert "1 failed, 1 passed" in ran.stdout
    assert "khazana log of central-bank" in ran.stdout
    assert "committed node=central-bank" in ran.stdout


def test_other_loop_scopes_of_the_project_are_followed(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        "asyncio_mode = auto\n"
        "asyncio_default_fixture_loop_scope = session\n"
        "asyncio_default_test_loop_scope = session",
        """
import pytest

@pytest.mark.khazana(validators=1, storage="memory")
async def test_runs(cluster):
    await cluster.transfer(cluster.accounts[0], cluster.accounts[1], 1)
""",
    )

    ran = pytest_in(folder, "-q")

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_project_without_pytest_asyncio_is_not_disturbed(tmp_path: Path) -> None:
    """And whoever asks for a cluster there is told what is missing."""
    folder = project(
        tmp_path,
        "filterwarnings = error",
        "def test_passes(): pass\n\ndef test_asks(cluster): pass\n",
    )

    ran = pytest_in(folder, "-q", "-p", "no:asyncio")

    assert "1 passed, 1 error" in ran.stdout
    assert "needs pytest-asyncio" in ran.stdout

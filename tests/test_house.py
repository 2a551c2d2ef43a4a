"""The house itself: what the distribution holds, what lies at the top, what may stand in a file."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

TOP_LEVEL = {
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "configs",
    "consensus",
    "docker",
    "node",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements.lock",
    "tests",
}

# Written in two parts, so that this file does not break its own rule.
INDEX_HOSTS = ["pypi" + ".org", "python" + "hosted.org"]
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")

INEXACT = {"cmath", "decimal", "math", "numbers", "statistics"}
OF_INTEGERS = {"ceil", "comb", "gcd", "isqrt", "lcm", "prod"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def tracked_files() -> list[Path]:
    """Every file of the repository, or of the tree where there is no repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """The text of a file; bytes that are no text count for nothing."""
    return path.read_text(encoding="utf-8", errors="ignore")


def test_wheel_holds_the_two_packages_and_nothing_else_at_the_top(wheel: Path) -> None:
    """Both names are taken on the public index by strangers: we must not ship a third."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"node", "consensus"}


def test_installed_packages_belong_to_khazana_alone(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import importlib.metadata as m; d = m.packages_distributions();"
        "print(set(d['node']), set(d['consensus']))"
    )

    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.strip() == "{'khazana'} {'khazana'}"


def test_no_stranger_in_this_environment_claims_our_package_names() -> None:
    """A stranger's `node` installed beside ours would merge its files into our folder unasked."""
    owners = importlib.metadata.packages_distributions()

    assert set(owners.get("node", [])) | set(owners.get("consensus", [])) <= {"khazana"}


@pytest.mark.parametrize("package", ["node", "consensus"])
def test_wheel_carries_the_typing_marker(wheel: Path, package: str) -> None:
    assert f"{package}/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_wheel_carries_what_the_pages_are_made_of(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    for folder in ("templates", "static", "catalogues"):
        for path in (ROOT / "node" / "explorer" / folder).iterdir():
            assert path.relative_to(ROOT).as_posix() in names


def test_top_level_holds_what_the_house_plan_names() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked_files()}

    assert {top for top in tops if not top.startswith(".")} <= TOP_LEVEL


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is the installer's business: mirrors and offline builds differ."""
    offenders = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if any(host in text_of(path) for host in INDEX_HOSTS)
    ]

    assert offenders == []


def test_no_source_file_is_left_unfinished() -> None:
    offenders = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".sh"}
        and UNFINISHED.search(text_of(path))
    ]

    assert offenders == []


@pytest.mark.parametrize("room", ["consensus", "node/ledger"])
def test_where_nodes_have_to_agree_numbers_are_whole_or_rational(room: str) -> None:
    """No float, no `Decimal`, no division that would make one; of `math` what is of integers."""
    offenders = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.expr | ast.stmt) and is_inexact(node)
    ]

    assert offenders == []


def is_inexact(node: ast.AST) -> bool:
    """Return whether an expression, a statement or an import can bring in such a number."""
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.Name(id="float" | "complex"):
            return True
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Import(names=names):
            return any(each.name in INEXACT for each in names)
        case ast.ImportFrom(module=module, names=names):
            whole = module == "math" and {each.name for each in names} <= OF_INTEGERS
            return module in INEXACT and not whole
        case _:
            return False


def test_every_dependency_is_locked_with_hashes() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    dev_lock = (ROOT / "requirements-dev.lock").read_text()

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[<>=!~;\[ ]", line)[0].lower() for line in requirements}

    def pinned(text: str) -> set[str]:
        return {match[1] for match in re.finditer(r"^([a-z0-9_.-]+)==", text, re.MULTILINE)}

    assert names(wanted["dependencies"]) <= pinned(lock)
    assert names(wanted["optional-dependencies"]["dev"]) <= pinned(dev_lock)
    assert pinned(lock) <= pinned(dev_lock)
    for text in (lock, dev_lock, (ROOT / "docker/backend.lock").read_text()):
        entries = re.split(r"(?m)^(?=[a-z0-9])", text)
        assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)


def test_locks_and_image_agree_on_the_build_backend() -> None:
    pins = re.findall(r"(?m)^[a-z0-9_.-]+==\S+", (ROOT / "docker/backend.lock").read_text())
    dev_lock = (ROOT / "requirements-dev.lock").read_text()

    assert pins
    assert all(pin in dev_lock for pin in pins)

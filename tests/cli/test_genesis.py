"""`khazana genesis` and the checked-in networks, which are its golden output."""

from pathlib import Path

import pytest

from consensus.types import FaultModel
from node.cli.exits import Exit
from node.config import load_config
from node.genesis import load_genesis
from node.keys.development import is_development_key
from node.keys.keystore import load_key, read_passphrase
from node.provision.homes import (
    CONFIG_FILE,
    GENESIS_FILE,
    KEYSTORE_FILE,
    PASSPHRASE_FILE,
    TLS_KEY_FILE,
)
from tests.cli.asked import here
from tests.cli.running import khazana

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
NETWORKS = ["four-institutions", "three-institutions"]

DESCRIPTION = """\
name = "small"
development = true
fault_model = "crash"

[[participants]]
id = "central-bank"
kind = "institution"
office = "central-bank"

[[participants]]
id = "finance-ministry"
kind = "institution"
office = "finance-ministry"

[[participants]]
id = "virtual-asset-regulator"
kind = "institution"
office = "virtual-asset-regulator"

[[accounts]]
owner = "central-bank"
development_key = "central-bank/account"

[[accounts]]
owner = "finance-ministry"
development_key = "finance-ministry/account"

[[accounts]]
owner = "virtual-asset-regulator"
development_key = "virtual-asset-regulator/account"

[[validators]]
name = "central-bank"
participant = "central-bank"
"""


@pytest.fixture
def description(tmp_path: Path) -> Path:
    file = tmp_path / "network.toml"
    file.write_text(DESCRIPTION)
    return file


@pytest.mark.parametrize("network", NETWORKS)
def test_checked_in_network_is_what_the_command_makes(network: str, tmp_path: Path) -> None:
    """Golden: when this differs, `khazana genesis create` has changed what networks are."""
    folder = CONFIGS / network

    ran = here(
        "genesis", "create", folder / "network.toml", "--out", tmp_path / "g", "--homes", tmp_path
    )

    assert ran.code == Exit.OK, ran.err
    assert (tmp_path / "g").read_text() == (folder / "genesis.json").read_text()
    made = {home.name: home for home in tmp_path.iterdir() if home.is_dir()}
    kept = {file.stem: file for file in (folder / "nodes").iterdir()}
    assert made.keys() == kept.keys()
    for name, home in made.items():
        assert (home / CONFIG_FILE).read_text() == kept[name].read_text()
        assert (home / GENESIS_FILE).read_text() == (folder / "genesis.json").read_text()


@pytest.mark.parametrize("network", NETWORKS)
def test_checked_in_genesis_loads(network: str) -> None:
    genesis = load_genesis(CONFIGS / network / "genesis.json")

    assert genesis.name == network
    assert genesis.development
    assert all(is_development_key(v.public_key) for v in genesis.record.validators)


@pytest.mark.parametrize(
    ("network", "model", "count"),
    [
        ("four-institutions", FaultModel.BYZANTINE, 4),
        ("three-institutions", FaultModel.CRASH, 3),
    ],
)
def test_checked_in_networks_survive_one_fault(network: str, model: FaultModel, count: int) -> None:
    genesis = load_genesis(CONFIGS / network / "genesis.json")

    assert genesis.fault_model is model
    assert len(genesis.record.validators) == count


@pytest.mark.parametrize(
    "file", sorted(CONFIGS.glob("*/nodes/*.toml")), ids=lambda f: f"{f.parts[-3]}/{f.stem}"
)
def test_checked_in_node_file_loads(file: Path) -> None:
    config = load_config(file, environment={}, check_files=False)

    assert config.name == file.stem
    assert config.name not in config.network.peers


def test_home_with_new_keys_is_complete(description: Path, tmp_path: Path) -> None:
    homes = tmp_path / "homes"

    ran = here("genesis", "create", description, "--homes", homes, "--json")

    home = homes / "central-bank"
    assert ran.json["made"] is True
    config = load_config(home / CONFIG_FILE, environment={})
    genesis = load_genesis(config.genesis)
    signer = load_key(home / KEYSTORE_FILE, read_passphrase(home / PASSPHRASE_FILE))
    assert genesis.record.validators[0].public_key == signer.public_key
    assert (home / TLS_KEY_FILE).stat().st_mode & 0o077 == 0
    assert here("config", "check", "--home", home).code == Exit.OK


def test_passphrases_of_a_folder_open_the_new_keys(description: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "central-bank").write_text("from a secret file\n")

    here("genesis", "create", description, "--homes", tmp_path / "h", "--passphrases", secrets)

    home = tmp_path / "h" / "central-bank"
    assert load_key(home / KEYSTORE_FILE, "from a secret file").public_key
    assert not (home / PASSPHRASE_FILE).exists()
    config = load_config(home / CONFIG_FILE, environment={})
    assert config.validator is not None
    assert config.validator.passphrase_file == secrets / "central-bank"


def test_some_homes_without_the_others_found_no_second_network(tmp_path: Path) -> None:
    """A volume was lost. A new home in its place would be of another network than the rest."""
    description, homes = CONFIGS / "three-institutions/network.toml", tmp_path / "homes"
    assert here("genesis", "create", description, "--homes", homes).code == Exit.OK
    (homes / "finance-ministry").rename(tmp_path / "lost")

    ran = here("genesis", "create", description, "--homes", homes)

    assert ran.code == Exit.CONFIGURATION
    assert "none of finance-ministry" in ran.err
    assert "backup" in ran.err
    assert not (homes / "finance-ministry").exists()


def test_homes_that_are_there_are_left_alone(description: Path, tmp_path: Path) -> None:
    """The one-shot job of the containers runs again at every start."""
    homes = tmp_path / "homes"
    here("genesis", "create", description, "--homes", homes)
    before = (homes / "central-bank" / GENESIS_FILE).read_bytes()

    ran = here("genesis", "create", description, "--homes", homes, "--json")

    assert ran.code == Exit.OK
    assert ran.json["made"] is False
    assert (homes / "central-bank" / GENESIS_FILE).read_bytes() == before


def test_home_is_made_in_an_empty_folder_that_is_there(description: Path, tmp_path: Path) -> None:
    """A mounted volume is an empty folder that cannot be replaced."""
    home = tmp_path / "homes" / "central-bank"
    home.mkdir(parents=True)

    assert here("genesis", "create", description, "--homes", home.parent).code == Exit.OK
    assert load_config(home / CONFIG_FILE, environment={}).name == "central-bank"


def test_folder_with_something_in_it_is_never_overwritten(
    description: Path, tmp_path: Path
) -> None:
    home = tmp_path / "homes" / "central-bank"
    home.mkdir(parents=True)
    (home / "precious").write_text("mine")

    ran = here("genesis", "create", description, "--homes", home.parent)

    assert ran.code == Exit.CONFIGURATION
    assert [entry.name for entry in home.iterdir()] == ["precious"]


def test_genesis_without_keys_says_where_they_come_from(description: Path) -> None:
    ran = here("genesis", "create", description)

    assert ran.code == Exit.CONFIGURATION
    assert "central-bank" in ran.err
    assert "khazana init" in ran.err


def test_genesis_file_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "genesis.json"
    out.write_text("old")

    ran = here("genesis", "create", CONFIGS / "three-institutions/network.toml", "--out", out)

    assert ran.code == Exit.CONFIGURATION
    assert out.read_text() == "old"


def test_description_faults_are_reported_together_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "network.toml"
    file.write_text(
        DESCRIPTION.replace('"crash"', '"luck"')
        .replace('kind = "institution"\noffice = "finance-ministry"', 'kind = "ministry"')
        .replace('name = "central-bank"\n', 'name = "Central Bank"\ncolour = "green"\n')
    )

    ran = here("genesis", "create", file, "--json")

    assert ran.code == Exit.CONFIGURATION
    for place in (":3: fault_model", ":12: participants.1.kind", ":32: validators.0.name"):
        assert f"{file}{place}" in ran.err
    assert "colour" in ran.err


def test_check_passes_a_good_genesis_and_names_the_line_of_a_fault(tmp_path: Path) -> None:
    good = CONFIGS / "four-institutions/genesis.json"
    lines = good.read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if '"fault_model"' in line)
    lines[place] = '  "fault_model": "luck",'
    bad = tmp_path / "genesis.json"
    bad.write_text("\n".join(lines))

    assert here("genesis", "check", good).code == Exit.OK
    ran = khazana("genesis", "check", bad)

    assert ran.code == Exit.CONFIGURATION
    assert f"{bad}:{place + 1}: fault_model" in ran.err


@pytest.mark.adversarial(13)
def test_show_says_what_the_network_survives() -> None:
    ran = here("genesis", "show", CONFIGS / "four-institutions/genesis.json", "--json")

    assert "any 3 decide" in ran.json["quorum"]
    assert len(ran.json["validators"]) == 4
    assert all(a["address"].startswith("tkhz1") for a in ran.json["accounts"])


def test_description_that_founds_no_ledger_is_refused_with_every_reason(
    description: Path, tmp_path: Path
) -> None:
    description.write_text(DESCRIPTION.replace('owner = "finance-ministry"', 'owner = "nobody"'))

    ran = here("genesis", "create", description, "--homes", tmp_path / "homes")

    assert ran.code == Exit.CONFIGURATION
    assert "genesis of small:" in ran.err
    assert "nobody" in ran.err
    assert "finance-ministry" in ran.err
    assert not (tmp_path / "homes").exists()

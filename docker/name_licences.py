"""Put the licences of `licences.toml` into a bill of materials: a part of `make sbom`.

python docker/name_licences.py khazana.cdx.json

The bill is made of the lock file, which has names, versions and hashes, and no licences. Each is
one that the package itself declares (`tests/test_packaging.py`), so the bill calls it that.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Final

LICENCES: Final = Path(__file__).with_name("licences.toml")


def main(bill: Path) -> None:
    """Write the bill anew, with an SPDX expression for each of its components.

    Raises:
        KeyError: a component has no licence in the list.
    """
    licences = tomllib.loads(LICENCES.read_text())
    content = json.loads(bill.read_text())
    for component in content["components"]:
        expression = licences[component["name"]]
        component["licenses"] = [{"acknowledgement": "declared", "expression": expression}]
    bill.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

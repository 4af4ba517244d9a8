"""An installed product is whole, not only one that is run from its folder."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("config", "jobs", "materializer", "readapi", "sql")


def test_every_package_of_the_product_is_installed() -> None:
    """setup.cfg names each folder that holds modules; one that it forgot is missing from an installation."""
    declared = ConfigParser()
    declared.read(ROOT / "setup.cfg")
    found = {".".join(file.parent.relative_to(ROOT).parts) for name in PRODUCT for file in (ROOT / name).rglob("*.py")}
    assert found == set(declared["options"]["packages"].split())

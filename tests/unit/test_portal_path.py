"""Links into the portal are paths there, for the command line and the data files alike."""

from __future__ import annotations

import pytest

from config.portal_path import checked
from jobs.__main__ import main


@pytest.mark.parametrize("path", ["/", "/account", "/account/billing?invoice=7#due", "/アカウント"])
def test_a_path_in_the_portal_passes(path):
    """As it stands."""
    assert path == checked(path)


@pytest.mark.parametrize(
    "path", ["", "account", "//evil.example", "/\\evil.example", "/\t/evil", "/\n/evil", "https://evil", "/a\\b", "/ x"]
)
def test_anything_a_browser_might_take_elsewhere_is_refused(path, capsys):
    """Other hosts, however they are disguised; `announce --url` is refused with exit code 2."""
    with pytest.raises(ValueError, match="is not a path in the portal"):
        checked(path)
    with pytest.raises(SystemExit) as ended:
        main(["announce", "--title", "T", "--message", "M", "--url", path])
    assert 2 == ended.value.code
    assert "is not a path in the portal" in capsys.readouterr().err

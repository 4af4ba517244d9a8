"""Links of ours into the portal: a path there, and nothing that a browser would take for another place."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

PATH = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f\x7f]*")
"""Browsers read `//host` and `/\\host` as another host, and drop tabs and line ends before they look."""


def checked(text: str) -> str:
    """The text, when it is a path in the portal. Raises ValueError."""
    if not PATH.fullmatch(text):
        raise ValueError(f"{text!r} is not a path in the portal; write one like /account/services")
    return text


PortalPath = Annotated[str, AfterValidator(checked)]

"""structlog without rich.

It imports rich for tracebacks with the values of local variables, which we never show; that is a tenth of a start.
"""

from __future__ import annotations

import sys

_found = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]  # which Python reads as: cannot be imported
try:
    import structlog
finally:
    del sys.modules["rich"]
    if _found is not None:
        sys.modules["rich"] = _found

__all__ = ["structlog"]

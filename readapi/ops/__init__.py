"""For the operator alone: /metrics and the pages under /ops."""

from readapi.ops.pages import blueprint

__all__ = ["blueprint"]

"""The WHMCS stand-in."""

from jobs.sandbox.whmcs.install import WhmcsInstall, label, serve

__all__ = ["WhmcsInstall", "label", "serve"]

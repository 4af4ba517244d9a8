"""Channels of Salesforce events, as SALESFORCE_EVENT_CHANNELS names them."""

from __future__ import annotations

import re
from dataclasses import dataclass

CHANGES = re.compile(r"/data/(?:(?:Account|Order|Case)ChangeEvent|ChangeEvents|\w+__chn)")
EVENT = re.compile(r"(/event/\w+__(?:e|chn)):(\w+)")


@dataclass(frozen=True)
class EventChannel:
    """One channel; `field` is the one of a Platform Event that holds the Account id, None for Change Data Capture."""

    topic: str
    field: str | None = None


def read(text: str | None) -> tuple[EventChannel, ...]:
    """The channels of a list with commas. Raises ValueError that names every one at fault."""
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    found = [_channel(word) for word in words]
    faults = [f"{word!r}" for word, channel in zip(words, found, strict=True) if channel is None]
    if faults:
        raise ValueError(
            f"{', '.join(faults)} cannot be read; write /event/NAME__e:FIELD, FIELD holding the Account id, or "
            "/data/AccountChangeEvent, /data/OrderChangeEvent, /data/CaseChangeEvent, /data/ChangeEvents"
        )
    return tuple(dict.fromkeys(channel for channel in found if channel is not None))


def _channel(word: str) -> EventChannel | None:
    if CHANGES.fullmatch(word):
        return EventChannel(word)
    match = EVENT.fullmatch(word)
    return EventChannel(match[1], match[2]) if match else None

"""`hint`: the operator's word that customers' records may have changed, so that they are read again within seconds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

import sql
from config.errors import SettingsError
from jobs.commands.rebuild import account_id
from jobs.program import SUCCESS, Program, answer, say
from jobs.text import written

LONGEST_CLIENT_ID = 14
"""Digits; an Account id has 15 characters or more."""


def command(program: Program, arguments: argparse.Namespace) -> int:
    """Notes the hints and says when. Raises SettingsError (exit 2), naming every word that is not an id."""
    accounts, clients = accounts_and_clients(arguments.customers)
    with program.database() as engine:
        noted_at = note(engine, accounts, clients)
    if arguments.json:
        answer({"requestedAt": written(noted_at), "accountIds": accounts, "clientIds": clients})
    else:
        say(f"{len(accounts) + len(clients):,} to be read again, by `schedule` or by `me-status run sync-hinted`")
    return SUCCESS


def note(engine: Engine, accounts: Sequence[str], clients: Sequence[int]) -> datetime:
    """Writes the hints of an operator; the database's instant of the noting."""
    parameters = {"account_ids": list(accounts), "client_ids": list(clients), "origin": "operator"}
    with engine.begin() as connection:
        noted_at: datetime = connection.execute(sql.statement("hints/insert_hints"), parameters).scalar_one()
    return noted_at


def accounts_and_clients(words: Sequence[str]) -> tuple[list[str], list[int]]:
    """The Account ids (18 characters) and the WHMCS client ids among the words, each once, in their order."""
    accounts: dict[str, None] = {}
    clients: dict[int, None] = {}
    faults = []
    for word in words:
        if _is_client_id(word):
            clients[int(word)] = None
            continue
        try:
            accounts[account_id(word)] = None
        except SettingsError as error:
            faults += error.faults
    if faults:
        raise SettingsError(faults)
    return list(accounts), list(clients)


def _is_client_id(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= LONGEST_CLIENT_ID and int(word) > 0

"""The generated rows of Salesforce: Account, Order, Case, under the API names of config/fields.toml."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from jobs.sandbox.population.people import email, full_name
from jobs.sandbox.population.persons import Persons
from jobs.sandbox.tables import Row

DAY = 86400
HISTORY_DAYS = 900
OFFERS = ("Home 1G", "Home 10G", "Apartment 1G", "Apartment 100M")
CHECK_NOTES = "The building has no optical line yet."
REVIEW_NOTES = "The photo of the card is not readable. Please send both sides again."
SUBJECTS = ("Slow connection in the evening", "Change of address", "Question about my bill", "SIM card not recognised")
OPEN_CASES = ("New", "Working", "Escalated")
IN_PROGRESS = (("In Review", None), ("Pending Review", "Not Started"), ("Approved", "Scheduled"), ("Approved", None))
CLOSED_ORDERS = (("Activated", "Activated"), ("Completed", "Activated"), ("Cancelled", None))


class SalesforcePeople:
    """Rows of one population; each method gives the row of one position."""

    def __init__(self, population: Persons) -> None:
        self._population = population
        self._morning = int(datetime.combine(population.start, time(), population.zone).timestamp())

    def account(self, key: str, position: int, person: int, _: int) -> Row:
        """Every fourth account or so has been checked for internet; links are as people type them."""
        draw = self._population.draw(person, 1)
        created = self._morning - DAY * 2 - draw % (HISTORY_DAYS * DAY)
        modified = created + (draw >> 20) % (self._morning - DAY - created)
        row: Row = {
            "Id": key,
            "Name": full_name(draw),
            "IsDeleted": False,
            "CreatedDate": datetime.fromtimestamp(created, UTC),
            "SystemModstamp": datetime.fromtimestamp(modified, UTC),
            "MasterRecordId": None,
            "Type": "Customer",
            "AccountNumber": account_number(position),
            "PersonEmail": email(draw, person),
            "WHMCS_Client_Id__c": self._link(person),
        }
        self._add_eligibility(row, person, modified)
        self._add_verification(row, person, modified)
        return row

    def order(self, key: str, position: int, person: int, ordinal: int) -> Row:
        """Orders of those who are ordering are under way, of those who are drafting in Draft, all others are over."""
        draw = self._population.draw(person, 20 + ordinal)
        status, activation = self._order_words(person, draw)
        age_days = 10 if (status, activation) in IN_PROGRESS or status == "Draft" else HISTORY_DAYS
        created = self._morning - DAY - draw % (age_days * DAY)
        return {
            "Id": key,
            "OrderNumber": f"{100_001 + position:08d}",
            "AccountId": self._population.account_id(person),
            "Name": None,
            "Type": None,
            "Status": status,
            "Activation_Status__c": activation,
            "EffectiveDate": date.fromordinal(719_163 + created // DAY) + timedelta(days=7),
            "IsDeleted": False,
            "CreatedDate": datetime.fromtimestamp(created, UTC),
            "SystemModstamp": datetime.fromtimestamp(created + (draw >> 30) % DAY, UTC),
        }

    def case(self, key: str, position: int, person: int, ordinal: int) -> Row:
        """Three of four cases are closed."""
        draw = self._population.draw(person, 30 + ordinal)
        is_closed = draw % 4 > 0
        created = self._morning - DAY * 4 - (draw >> 3) % ((400 if is_closed else 20) * DAY)
        closed_at = datetime.fromtimestamp(created + 3600 + (draw >> 20) % (2 * DAY), UTC) if is_closed else None
        created_at = datetime.fromtimestamp(created, UTC)
        return {
            "Id": key,
            "CaseNumber": f"{20_001 + position:08d}",
            "AccountId": self._population.account_id(person),
            "Subject": SUBJECTS[draw % 5 % 4],
            "Status": "Closed" if is_closed else OPEN_CASES[draw % 3],
            "IsClosed": is_closed,
            "ClosedDate": closed_at,
            "IsDeleted": False,
            "MasterRecordId": None,
            "CreatedDate": created_at,
            "SystemModstamp": closed_at or created_at,
        }

    def _link(self, person: int) -> str | float | None:
        client = self._population.client_id(person)
        draw = self._population.draw(person, 2) % 1000
        if draw < 3:
            return str(9_000_000 + person)  # dangling: no such client
        if client is None:
            return None
        if draw < 5 and client > 1001:
            return str(client - 1)  # the client before: two accounts claim it
        if draw < 25:
            return f" {client} "
        return f"{client}.0" if draw < 40 else str(client)

    def _add_eligibility(self, row: Row, person: int, modified: int) -> None:
        draw = self._population.draw(person, 3)
        word = self._eligibility_word(person, draw)
        checked = modified - draw % DAY
        row["Internet_Eligibility_Status__c"] = word
        row["Internet_Eligibility__c"] = OFFERS[draw % 4] if word == "Eligible" else None
        row["Internet_Eligibility_Request_Date_Time__c"] = _instant(checked - 2 * DAY) if word else None
        row["Internet_Eligibility_Checked_Date_Time__c"] = (
            _instant(checked) if word in ("Eligible", "Ineligible") else None
        )
        row["Internet_Eligibility_Notes__c"] = CHECK_NOTES if word == "Ineligible" else None

    def _eligibility_word(self, person: int, draw: int) -> str | None:
        share = (draw >> 8) % 2000
        if share == 0 and self._population.has_unknown_words:
            return "On Hold"
        kind = self._population.kind(person)
        if kind in ("prospect", "newcomer", "drafting", "sim"):
            return ("Pending", "Eligible", "Ineligible", None, None)[share % 5]
        return "Eligible"

    def _add_verification(self, row: Row, person: int, modified: int) -> None:
        draw = self._population.draw(person, 4)
        word = self._verification_word(person, draw)
        reviewed = modified - draw % DAY
        row["Id_Verification_Status__c"] = word
        row["Id_Verification_Submitted_Date_Time__c"] = _instant(reviewed - DAY) if word else None
        row["Id_Verification_Reviewed_Date_Time__c"] = _instant(reviewed) if word in ("Verified", "Rejected") else None
        row["Id_Verification_Rejection_Message__c"] = REVIEW_NOTES if word == "Rejected" else None

    def _verification_word(self, person: int, draw: int) -> str | None:
        if self._population.kind(person) == "prospect":
            return None
        share = (draw >> 8) % 100
        if share < 3:
            return "Rejected"
        if share < 8:
            return "Submitted"
        return None if share < 20 else "Verified"

    def _order_words(self, person: int, draw: int) -> tuple[str, str | None]:
        kind = self._population.kind(person)
        if kind == "drafting":
            return "Draft", None
        if kind == "ordering":
            return IN_PROGRESS[draw % 4]
        if draw % 100 == 0:
            return "Approved", "Failed"
        return CLOSED_ORDERS[0 if draw % 10 < 7 else draw % 3]


def account_number(position: int) -> str:
    """The number a customer knows the account by."""
    return f"A{position + 1:07d}"


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

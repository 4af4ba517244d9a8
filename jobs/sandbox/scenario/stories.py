"""The stories of the script: each follows one customer, and together they reach every notification and every task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from jobs.sandbox.population import Population
from jobs.sandbox.salesforce import SalesforceOrg
from jobs.sandbox.scenario.cast import Actor, Apply, Beat, cast
from jobs.sandbox.whmcs import WhmcsInstall

ROLES = 14
Step = tuple[Apply, str]


def beats(population: Population, runs: int) -> list[Beat]:
    """All stories on a script of so many runs; the merge and the deletion only where the cast is large enough."""
    people = cast(population, ROLES)
    this_month = f"{population.start:%m/%y}"
    stories = [
        _at_once(_eligible_then_swallowed(people[0])),
        _spread(2, runs, _ineligible(people[1])),
        _spread(0, runs, _rejected_then_verified(people[2])),
        _spread(1, runs, _order_activated(people[3])),
        _spread(4, runs, _order_failed(people[4])),
        _spread(3, runs, _cancelled(people[5])),
        [_scene(_ending_card(people[6], this_month), f"{people[6].number} has a card that ends this month")],
        [
            _scene(_much_to_do(people[7]), f"{people[7].number} has no payment method and an order in review"),
            Beat(runs - 1, _old_invoice(people[7]), f"{people[7].number} gets an invoice that is overdue already"),
        ],
        _spread(0, runs, _invoice_paid(people[8])),
        _spread(5, runs, _case(people[9])),
        _spread(1, runs, [(sign_up("Santos Maria", None), "A new customer signs up and has nothing yet")]),
    ]
    if len(set(people)) == ROLES:
        stories += [_spread(6, runs, _merged(people[10], people[11])), _spread(7, runs, _deleted(people[12]))]
    return [beat for story in stories for beat in story] + _scenes(people)


def _scenes(people: Sequence[Actor]) -> list[Beat]:
    unchecked = {"Internet_Eligibility_Status__c": None, "Internet_Eligibility__c": None}
    unsent = {"Id_Verification_Status__c": None, "Id_Verification_Rejection_Message__c": None}
    return [
        _scene(_account(people[0], **unchecked | {"Internet_Eligibility_Status__c": "Pending"}), ""),
        _scene(_account(people[1], **unchecked), ""),
        _scene(_account(people[2], **unsent), ""),
        _scene(_service(people[5]), ""),
    ]


def _spread(offset: int, runs: int, steps: Sequence[Step]) -> list[Beat]:
    """The steps a day apart where there are days enough, else at consecutive runs; `offset` moves the beginning."""
    moments = runs - 1
    stride = max(1, min(3, moments // len(steps)))
    first = 1 + offset % (moments - stride * (len(steps) - 1))
    return [Beat(first + at * stride, apply, says) for at, (apply, says) in enumerate(steps)]


def _at_once(steps: Sequence[Step]) -> list[Beat]:
    """The steps at the first runs after the baseline, which lie within an hour."""
    return [Beat(1 + at, apply, says) for at, (apply, says) in enumerate(steps)]


def _scene(apply: Apply, says: str) -> Beat:
    return Beat(0, apply, says)


def _account(actor: Actor, *stamps: str, **fields: Any) -> Apply:
    """Sets the fields, and the fields named in `stamps` to the instant of doing so."""
    return lambda org, _: org.update("Account", actor.account_id, **fields, **dict.fromkeys(stamps, org.stamp()))


def _eligible_then_swallowed(actor: Actor) -> list[Step]:
    requested, checked = "Internet_Eligibility_Request_Date_Time__c", "Internet_Eligibility_Checked_Date_Time__c"
    offer = {"Internet_Eligibility_Status__c": "Eligible", "Internet_Eligibility__c": "Home 10G"}
    return [
        (_account(actor, checked, **offer), f"{actor.number}: internet is available at the address"),
        (
            _account(actor, requested, Internet_Eligibility_Status__c="Pending"),
            f"{actor.number}: the address is corrected and checked again",
        ),
        (_account(actor, checked, **offer), f"{actor.number}: available again within the hour (no second message)"),
    ]


def _ineligible(actor: Actor) -> list[Step]:
    requested, checked = "Internet_Eligibility_Request_Date_Time__c", "Internet_Eligibility_Checked_Date_Time__c"
    refusal = {"Internet_Eligibility_Status__c": "Ineligible", "Internet_Eligibility_Notes__c": "No optical line yet."}
    return [
        (_account(actor, requested, Internet_Eligibility_Status__c="Pending"), f"{actor.number} asks for internet"),
        (_account(actor, checked, **refusal), f"{actor.number}: internet is not available at the address"),
    ]


def _rejected_then_verified(actor: Actor) -> list[Step]:
    submitted, reviewed = "Id_Verification_Submitted_Date_Time__c", "Id_Verification_Reviewed_Date_Time__c"
    refusal = {
        "Id_Verification_Status__c": "Rejected",
        "Id_Verification_Rejection_Message__c": "The photo is not readable.",
    }
    approval = {"Id_Verification_Status__c": "Verified", "Id_Verification_Rejection_Message__c": None}
    return [
        (_account(actor, submitted, Id_Verification_Status__c="Submitted"), f"{actor.number} submits a residence card"),
        (_account(actor, reviewed, **refusal), f"{actor.number}: the residence card is rejected"),
        (_account(actor, submitted, Id_Verification_Status__c="Submitted"), f"{actor.number} submits it again"),
        (_account(actor, reviewed, **approval), f"{actor.number}: the residence card is verified"),
    ]


def _order_activated(actor: Actor) -> list[Step]:
    made: dict[str, Any] = {}

    def draft(org: SalesforceOrg, install: WhmcsInstall) -> None:
        made["order"] = org.insert(
            "Order", AccountId=actor.account_id, Status="Draft", EffectiveDate=org.stamp().date() + timedelta(days=7)
        )

    def approve(org: SalesforceOrg, install: WhmcsInstall) -> None:
        org.update("Order", made["order"], Status="Approved")
        made["service"] = install.add_service(
            actor.client_id, status="Pending", name="SIM 20GB", groupname="Mobile", recurringamount=Decimal("3300.00")
        )

    def activate(org: SalesforceOrg, install: WhmcsInstall) -> None:
        install.set_service_status(made["service"], "Active")
        org.update("Order", made["order"], Status="Activated", Activation_Status__c="Activated")

    return [
        (draft, f"{actor.number} drafts an order"),
        (approve, f"{actor.number}: the order is approved"),
        (activate, f"{actor.number}: the order is activated"),
    ]


def _order_failed(actor: Actor) -> list[Step]:
    made: dict[str, Any] = {}

    def place(org: SalesforceOrg, _: WhmcsInstall) -> None:
        made["order"] = org.insert(
            "Order", AccountId=actor.account_id, Status="In Review", EffectiveDate=org.stamp().date()
        )

    def fail(org: SalesforceOrg, _: WhmcsInstall) -> None:
        org.update("Order", made["order"], Status="Approved", Activation_Status__c="Failed")

    return [
        (place, f"{actor.number} places an order"),
        (fail, f"{actor.number}: the order's activation fails"),
    ]


def _service(actor: Actor) -> Apply:
    return lambda _, install: install.add_service(actor.client_id, name="Hikari 1G", recurringamount=Decimal("5500.00"))


def _cancelled(actor: Actor) -> list[Step]:
    def request(_: SalesforceOrg, install: WhmcsInstall) -> None:
        active = [row for row in install.lookups["services"].rows_of(actor.client_id) if row["status"] == "Active"]
        install.add_cancellation(active[-1]["id"], "Immediate", "Moving & closing")

    return [
        (request, f"{actor.number} asks to cancel a service"),
        (lambda _, install: install.run_daily_cron(), "WHMCS's cron ends the services that are due"),
    ]


def _ending_card(actor: Actor, month: str) -> Apply:
    return lambda _, install: install.add_pay_method(actor.client_id, expiry_date=month, card_last_four="4242")


def _much_to_do(actor: Actor) -> Apply:
    def apply(org: SalesforceOrg, install: WhmcsInstall) -> None:
        for row in install.lookups["pay_methods"].rows_of(actor.client_id):
            install.remove_pay_method(row["id"])
        org.insert("Order", AccountId=actor.account_id, Status="In Review", EffectiveDate=org.stamp().date())

    return apply


def _old_invoice(actor: Actor) -> Apply:
    def apply(_: SalesforceOrg, install: WhmcsInstall) -> None:
        install.add_invoice(actor.client_id, total="3300.00", duedate=install.today() - timedelta(days=3))

    return apply


def _invoice_paid(actor: Actor) -> list[Step]:
    made: dict[str, int] = {}

    def issue(_: SalesforceOrg, install: WhmcsInstall) -> None:
        due = install.today() + timedelta(days=5)
        made["invoice"] = install.add_invoice(actor.client_id, total="5500.00", duedate=due)

    return [
        (issue, f"{actor.number} gets an invoice that is due in 5 days"),
        (lambda _, install: install.pay_invoice(made["invoice"]), f"{actor.number} pays it"),
    ]


def _case(actor: Actor) -> list[Step]:
    made: dict[str, str] = {}

    def open_case(org: SalesforceOrg, _: WhmcsInstall) -> None:
        made["case"] = org.insert("Case", AccountId=actor.account_id, Subject="Question about my bill")

    return [
        (open_case, f"{actor.number} opens a support case"),
        (
            lambda org, _: org.update("Case", made["case"], Status="Closed", IsClosed=True, ClosedDate=org.stamp()),
            f"{actor.number}: the case is closed",
        ),
    ]


def _merged(winner: Actor, loser: Actor) -> list[Step]:
    return [
        (
            lambda org, _: org.merge(winner.account_id, loser.account_id),
            f"{loser.number} turns out to be {winner.number}: the accounts are merged",
        )
    ]


def _deleted(actor: Actor) -> list[Step]:
    return [(lambda org, _: org.delete("Account", actor.account_id), f"{actor.number}: the account is deleted")]


def sign_up(name: str, eligibility: str | None) -> Apply:
    """A new account and its new client with a card; no service and no order yet."""

    def apply(org: SalesforceOrg, install: WhmcsInstall) -> None:
        family, given = name.split(" ", 1)
        client = install.add_client(firstname=given, lastname=family, email="new.customer@example.jp")
        install.add_pay_method(client)
        org.insert(
            "Account",
            Name=name,
            Type="Customer",
            WHMCS_Client_Id__c=str(client),
            Internet_Eligibility_Status__c=eligibility,
            Internet_Eligibility_Request_Date_Time__c=org.stamp() if eligibility else None,
        )

    return apply

"""The objects and fields of the stand-in's org, and how `describe` shows them (salesforce-api 4, 9, 13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Field:
    """One field: API name, describe type (9.1), the object a reference leads to, picklist values, formula or not."""

    name: str
    type: str = "string"
    length: int = 255
    refers_to: str | None = None
    picklist: tuple[str, ...] = ()
    calculated: bool = False
    nillable: bool = True

    @property
    def relationship(self) -> str | None:
        """The name of the parent path: `Account` for AccountId."""
        if self.refers_to is None:
            return None
        return self.name.removesuffix("Id") if self.name.endswith("Id") else self.name.replace("__c", "__r")

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c").replace("_", " "),
            "type": self.type,
            "length": self.length if self.type in ("string", "textarea", "picklist", "url", "phone") else 0,
            "nillable": self.nillable,
            "calculated": self.calculated,
            "custom": self.name.endswith("__c"),
            "createable": not self.calculated,
            "updateable": not self.calculated,
            "referenceTo": [self.refers_to] if self.refers_to else [],
            "relationshipName": self.relationship,
            "picklistValues": [
                {"active": True, "defaultValue": False, "label": value, "value": value} for value in self.picklist
            ],
            "compoundFieldName": None,
            "filterable": self.type != "textarea",
            "sortable": self.type != "textarea",
        }


@dataclass
class SObject:
    """One object type: its id prefix and its fields by name, in describe order."""

    name: str
    prefix: str
    fields: dict[str, Field]

    @property
    def has_stamp(self) -> bool:
        return "SystemModstamp" in self.fields

    def spelling(self, name: str) -> str | None:
        """The schema's spelling of a field name given in any case."""
        lower = name.lower()
        return next((field for field in self.fields if field.lower() == lower), None)

    def with_field(self, field: Field) -> None:
        self.fields[field.name] = field

    def set_calculated(self, name: str, calculated: bool) -> None:
        self.fields[name] = replace(self.fields[name], calculated=calculated)

    def summary(self) -> dict[str, Any]:
        """Its entry in describe global."""
        return {
            "name": self.name,
            "label": self.name,
            "keyPrefix": self.prefix,
            "queryable": True,
            "replicateable": self.has_stamp,
            "retrieveable": True,
            "custom": self.name.endswith("__c"),
            "urls": {},
        }


def standard_objects() -> dict[str, SObject]:
    """A fresh schema, by object name."""
    return {name: SObject(name, prefix, {field.name: field for field in fields}) for name, prefix, fields in _OBJECTS}


def _stamps(*, master: str | None = None) -> tuple[Field, ...]:
    masters = (Field("MasterRecordId", "reference", refers_to=master),) if master else ()
    return (
        Field("IsDeleted", "boolean", nillable=False),
        *masters,
        Field("CreatedDate", "datetime", nillable=False),
        Field("LastModifiedDate", "datetime", nillable=False),
        Field("SystemModstamp", "datetime", nillable=False),
    )


ID = Field("Id", "id", nillable=False)
ACCOUNT_ID = Field("AccountId", "reference", refers_to="Account")
OWNER = Field("OwnerId", "reference", refers_to="User")
_OBJECTS: tuple[tuple[str, str, tuple[Field, ...]], ...] = (
    (
        "Account",
        "001",
        (
            ID,
            *_stamps(master="Account"),
            Field("Name", nillable=False),
            Field("Type", "picklist", picklist=("Customer", "Prospect", "Partner")),
            Field("AccountNumber", length=40),
            Field("AccountSource", "picklist"),
            Field("Industry", "picklist"),
            Field("Phone", "phone", 40),
            Field("Website", "url"),
            Field("PersonEmail", "email", 80),
            Field("ParentId", "reference", refers_to="Account"),
            OWNER,
            Field("BillingStreet", "textarea"),
            Field("BillingCity", length=40),
            Field("BillingPostalCode", length=20),
            Field("BillingCountry", length=80),
            Field("Internet_Eligibility__c"),
            Field("Internet_Eligibility_Status__c", "picklist", picklist=("Pending", "Eligible", "Ineligible")),
            Field("Internet_Eligibility_Request_Date_Time__c", "datetime"),
            Field("Internet_Eligibility_Checked_Date_Time__c", "datetime"),
            Field("Internet_Eligibility_Notes__c", "textarea", 32768),
            Field("Id_Verification_Status__c", "picklist", picklist=("Submitted", "Verified", "Rejected")),
            Field("Id_Verification_Submitted_Date_Time__c", "datetime"),
            Field("Id_Verification_Reviewed_Date_Time__c", "datetime"),
            Field("Id_Verification_Rejection_Message__c", "textarea", 32768),
            Field("WHMCS_Client_Id__c", length=18),
            Field("Portal_User_Id__c", length=64),
        ),
    ),
    (
        "Order",
        "801",
        (
            ID,
            *_stamps(),
            ACCOUNT_ID,
            OWNER,
            Field("OrderNumber", length=30, nillable=False),
            Field("Name", length=80),
            Field("Type", "picklist"),
            Field(
                "Status", "picklist", picklist=("Draft", "Approved", "Activated", "Completed", "Cancelled", "Rejected")
            ),
            Field("StatusCode", "picklist", picklist=("Draft", "Activated")),
            Field("Activation_Status__c", "picklist", picklist=("Pending", "Activated", "Failed")),
            Field("EffectiveDate", "date", nillable=False),
            Field("EndDate", "date"),
            Field("ActivatedDate", "datetime"),
            Field("TotalAmount", "currency"),
            Field("Description", "textarea", 32000),
        ),
    ),
    (
        "Case",
        "500",
        (
            ID,
            *_stamps(master="Case"),
            ACCOUNT_ID,
            OWNER,
            Field("ParentId", "reference", refers_to="Case"),
            Field("CaseNumber", length=30, nillable=False),
            Field("Status", "picklist", picklist=("New", "Working", "Escalated", "Closed")),
            Field("Priority", "picklist", picklist=("High", "Medium", "Low")),
            Field("Origin", "picklist"),
            Field("Type", "picklist"),
            Field("Reason", "picklist"),
            Field("Subject"),
            Field("Description", "textarea", 32000),
            Field("IsClosed", "boolean", nillable=False),
            Field("ClosedDate", "datetime"),
            Field("IsEscalated", "boolean", nillable=False),
        ),
    ),
    (
        "AccountHistory",
        "017",
        (
            ID,
            Field("IsDeleted", "boolean", nillable=False),
            ACCOUNT_ID,
            Field("CreatedById", "reference", refers_to="User"),
            Field("CreatedDate", "datetime", nillable=False),
            Field("Field", "picklist"),
            Field("OldValue", "anyType"),
            Field("NewValue", "anyType"),
        ),
    ),
    (
        "Organization",
        "00D",
        (
            ID,
            Field("Name"),
            Field("InstanceName"),
            Field("IsSandbox", "boolean", nillable=False),
            Field("OrganizationType", "picklist"),
            Field("CreatedDate", "datetime", nillable=False),
            Field("LastModifiedDate", "datetime", nillable=False),
            Field("SystemModstamp", "datetime", nillable=False),
        ),
    ),
    (
        "User",
        "005",
        (
            ID,
            Field("Username"),
            Field("Name"),
            Field("IsActive", "boolean", nillable=False),
            Field("CreatedDate", "datetime", nillable=False),
            Field("LastModifiedDate", "datetime", nillable=False),
            Field("SystemModstamp", "datetime", nillable=False),
        ),
    ),
)

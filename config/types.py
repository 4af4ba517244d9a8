"""The words that mean something to the product, as types: a misspelt one is found by the type checker."""

from __future__ import annotations

from typing import Literal, get_args

Job = Literal["sync-salesforce", "sync-whmcs", "sync-hinted", "refresh", "prune", "rebuild", "announce"]
"""What the ledger has runs of; its CHECK lists the same."""
ScheduledJob = Literal["sync-salesforce", "sync-whmcs", "sync-hinted", "refresh", "prune"]
"""Those that `me-status run` and the schedule know."""

NotificationType = Literal[
    "ELIGIBILITY_ELIGIBLE",
    "ELIGIBILITY_INELIGIBLE",
    "VERIFICATION_VERIFIED",
    "VERIFICATION_REJECTED",
    "ORDER_APPROVED",
    "ORDER_ACTIVATED",
    "ORDER_FAILED",
    "CANCELLATION_SCHEDULED",
    "CANCELLATION_COMPLETE",
    "PAYMENT_METHOD_EXPIRING",
    "INVOICE_DUE",
    "SYSTEM_ANNOUNCEMENT",
]
TaskType = Literal[
    "invoice_due",
    "add_payment_method",
    "order_in_progress",
    "eligibility_pending",
    "verification_rejected",
    "onboarding",
]
"""In the order in which a dashboard shows them."""
Tone = Literal["critical", "warning", "info", "neutral"]

EligibilityStatus = Literal["not_requested", "pending", "eligible", "ineligible", "unknown"]
VerificationStatus = Literal["not_submitted", "submitted", "verified", "rejected", "unknown"]
OrderStage = Literal["draft", "in_progress", "approved", "activated", "failed", "closed", "unknown"]

JOBS: tuple[Job, ...] = get_args(Job)
SCHEDULED_JOBS: tuple[ScheduledJob, ...] = get_args(ScheduledJob)
HINTED: Literal["sync-hinted"] = "sync-hinted"
OF_ALL: tuple[ScheduledJob, ...] = ("sync-salesforce", "sync-whmcs", "refresh")
"""What `run all` does, in this order."""
NOTIFICATION_TYPES: tuple[NotificationType, ...] = get_args(NotificationType)
TASK_TYPES: tuple[TaskType, ...] = get_args(TaskType)

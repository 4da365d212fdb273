"""Every table's class, imported: whoever needs `METADATA` whole imports it from here."""

from __future__ import annotations

from engine.store.audit import AuditLog
from engine.store.base import Base
from engine.store.bulk import BulkItem, BulkOperation, RunSelection
from engine.store.data_store import WorkflowDataStore
from engine.store.definitions import WorkflowDefinition, WorkflowDefinitionVersion
from engine.store.events import WorkflowEventDelivery, WorkflowRuntimeEvent
from engine.store.invocations import WorkflowActionInvocation
from engine.store.logs import WorkflowRunLog
from engine.store.operators import Operator, OperatorSession
from engine.store.payload_schemas import PayloadSchema
from engine.store.rate_limits import RateLimitCounter
from engine.store.run_counts import WorkflowRunCount
from engine.store.runs import LaunchToken, StoredValue, WorkflowRun
from engine.store.saved_views import SavedView
from engine.store.schedules import WorkflowSchedule
from engine.store.steps import WorkflowRunSnapshot, WorkflowRunStep
from engine.store.tasks import WorkflowHumanTask, WorkflowTaskType
from engine.store.usage import WorkflowStepUsagePeriod
from engine.store.waits import WorkflowRunWait
from engine.store.workers import Handshake, Lease, WorkerHeartbeat

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "AuditLog",
    "BulkItem",
    "BulkOperation",
    "Handshake",
    "LaunchToken",
    "Lease",
    "Operator",
    "OperatorSession",
    "PayloadSchema",
    "RateLimitCounter",
    "RunSelection",
    "SavedView",
    "StoredValue",
    "WorkerHeartbeat",
    "WorkflowActionInvocation",
    "WorkflowDataStore",
    "WorkflowDefinition",
    "WorkflowDefinitionVersion",
    "WorkflowEventDelivery",
    "WorkflowHumanTask",
    "WorkflowRun",
    "WorkflowRunCount",
    "WorkflowRunLog",
    "WorkflowRunSnapshot",
    "WorkflowRunStep",
    "WorkflowRunWait",
    "WorkflowRuntimeEvent",
    "WorkflowSchedule",
    "WorkflowStepUsagePeriod",
    "WorkflowTaskType",
]

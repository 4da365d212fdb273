"""Doing a bulk operation, item by item, in a worker.

One worker at a time holds an operation, by a lease in its row. Each item is marked as begun before
it is tried, and settled after; a worker that dies in between leaves an item that is tried again,
which is harmless: a cancel is asked for once more, and a replay gives the run that its token gave.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

import structlog
from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.exc import OperationalError

from engine.errors import RunStudioError, TooMany
from engine.runs.roles import Role, allows
from engine.services import leases
from engine.services.bulk_item import Outcome, Work, perform
from engine.services.context import Actor, Services
from engine.services.start_bulk import end_if_settled, skip_pending
from engine.store.bulk import (
    UNSETTLED,
    BulkItem,
    BulkKind,
    BulkOperation,
    BulkStatus,
    ItemState,
)
from engine.store.operators import Operator

EVERY_S: Final = 1.0
LEASE_FOR: Final = timedelta(seconds=60)
"""Longer than any item takes: every call to Temporal has a limit below it."""
_PASS_WITHIN_S: Final = 1.5
"""Short, so that operations take turns and a worker can leave."""
_ASK_AGAIN_AFTER: Final = timedelta(seconds=5)
"""While Temporal does not answer."""
_LONGEST_HOLD: Final = timedelta(minutes=2)
"""Limits of launches are counted by the minute."""
_UNREACHABLE: Final = "Temporal does not answer."
_NOT_ALLOWED: Final = "Whoever started this may not do it any more."

log = structlog.get_logger(__name__)


def perform_bulk(
    services: Services, owner: str, *, clock: Callable[[], float] = time.monotonic
) -> int | None:
    """One pass over one operation: how many items were settled. None: there is nothing to do."""
    bulk = _take(services, owner)
    if bulk is None:
        return None
    try:
        return _Pass(services, bulk, owner, clock() + _PASS_WITHIN_S, clock).execute()
    finally:
        _give_back(services, bulk.bulk_id, owner)


@dataclass(frozen=True, slots=True)
class _Item:
    item_id: str
    run_id: str
    begun_before: datetime | None
    """When it was begun by somebody who did not finish it."""


class _Pass:
    def __init__(
        self,
        services: Services,
        bulk: BulkOperation,
        owner: str,
        until: float,
        clock: Callable[[], float],
    ) -> None:
        self._services = services
        self._bulk = bulk
        self._owner = owner
        self._until = until
        self._clock = clock
        self._actor = Actor(
            bulk.operator_id, bulk.operator_email, source_ip=bulk.source_ip, bulk_id=bulk.bulk_id
        )

    def execute(self) -> int:
        if not self._still_allowed():
            self._skip_rest("ROLE_TOO_LOW", _NOT_ALLOWED)
            return 0
        if not self._services.gateway.reachable():
            self._hold(_UNREACHABLE, self._services.now() + _ASK_AGAIN_AFTER)
            return 0
        settled = 0
        while self._clock() < self._until:
            item = self._begin_next()
            if item is None or not self._do(item):
                break
            settled += 1
        self._end()
        return settled

    def _still_allowed(self) -> bool:
        with self._services.store.reading() as session:
            operator = session.get(Operator, self._bulk.operator_id)
        return (
            operator is not None
            and operator.is_active
            and allows(Role(operator.role), Role.OPERATOR)
        )

    def _begin_next(self) -> _Item | None:
        """Mark the next item as begun. None: none is left, or another worker holds the lease."""
        now = self._services.now()
        with self._services.store.writing() as session:
            if not self._renew(session, now):
                return None
            item = session.scalars(
                select(BulkItem)
                .where(BulkItem.bulk_id == self._bulk.bulk_id, BulkItem.state.in_(UNSETTLED))
                .order_by(BulkItem.position)
                .limit(1)
                .with_for_update()
            ).one_or_none()
            if item is None:
                return None
            begun_before = item.requested_at if item.state == ItemState.REQUESTED else None
            item.state = ItemState.REQUESTED
            item.requested_at = item.requested_at or now
            return _Item(item.item_id, item.run_id, begun_before)

    def _do(self, item: _Item) -> bool:
        """Try it, and write down what came of it. False: the rest has to wait."""
        work = Work(
            BulkKind(self._bulk.kind), item.item_id, item.run_id, self._bulk.reason,
            item.begun_before,
        )  # fmt: skip
        try:
            outcome = perform(self._services, work, self._actor)
        except TooMany as error:
            again = self._services.now() + timedelta(seconds=error.retry_after_s)
            self._settle(item, Outcome(ItemState.PENDING))
            self._hold(error.message, again)
            return False
        except OperationalError:
            raise  # the database is away: the item is tried again when it is back
        except Exception as error:  # one item must not keep the others from their turn
            log.exception("bulk.item_failed", bulk_id=self._bulk.bulk_id, run_id=item.run_id)
            code = error.code if isinstance(error, RunStudioError) else "ERROR"
            outcome = Outcome(ItemState.FAILED, code, "It failed here; the log says why.")
        self._settle(item, outcome)
        return True

    def _settle(self, item: _Item, outcome: Outcome) -> None:
        now = self._services.now()
        waits = outcome.state is ItemState.PENDING
        with self._services.store.writing() as session:
            session.execute(
                update(BulkItem)
                .where(BulkItem.item_id == item.item_id, BulkItem.state == ItemState.REQUESTED)
                .values(
                    state=outcome.state,
                    code=outcome.code,
                    message=outcome.message,
                    new_run_id=outcome.new_run_id,
                    settled_at=None if waits else now,
                    **({"requested_at": None} if waits else {}),
                )
            )
            self._touch(session, now)

    def _hold(self, because: str, until: datetime) -> None:
        with self._services.store.writing() as session:
            self._touch(session, self._services.now(), held_because=because, held_until=until)

    def _skip_rest(self, code: str, message: str) -> None:
        now = self._services.now()
        with self._services.store.writing() as session:
            skip_pending(session, self._bulk.bulk_id, code, message, now)
            session.execute(
                update(BulkItem)
                .where(
                    BulkItem.bulk_id == self._bulk.bulk_id, BulkItem.state == ItemState.REQUESTED
                )
                .values(state=ItemState.FAILED, code=code, message=message, settled_at=now)
            )
            end_if_settled(session, self._bulk.bulk_id, now)

    def _end(self) -> None:
        with self._services.store.writing() as session:
            end_if_settled(session, self._bulk.bulk_id, self._services.now())

    def _renew(self, session: Any, now: datetime) -> bool:
        renewed = session.execute(
            update(BulkOperation)
            .where(
                BulkOperation.bulk_id == self._bulk.bulk_id,
                BulkOperation.lease_owner == self._owner,
                BulkOperation.status == BulkStatus.STARTED,
            )
            .values(
                lease_expires_at=now + LEASE_FOR,
                updated_at=now,
                held_because=None,
                held_until=None,
            )
        )
        return bool(cast("CursorResult[Any]", renewed).rowcount)

    def _touch(self, session: Any, now: datetime, **values: Any) -> None:
        session.execute(
            update(BulkOperation)
            .where(BulkOperation.bulk_id == self._bulk.bulk_id)
            .values(updated_at=now, **values)
        )


def _take(services: Services, owner: str) -> BulkOperation | None:
    """Lease the operation whose last turn is longest ago.

    A hold that ends further ahead than any could came from a wrong clock.
    """
    now, bulk = services.now(), BulkOperation
    free = leases.is_free(bulk.lease_owner, bulk.lease_expires_at, now, LEASE_FOR)
    due = or_(
        bulk.held_until.is_(None), bulk.held_until <= now, bulk.held_until > now + _LONGEST_HOLD
    )
    with services.store.reading() as session:
        found = session.scalars(
            select(bulk)
            .where(bulk.status == BulkStatus.STARTED, free, due)
            .order_by(bulk.updated_at)
            .limit(1)
        ).one_or_none()
    if found is None:
        return None
    with services.store.writing() as session:
        taken = session.execute(
            update(bulk)
            .where(bulk.bulk_id == found.bulk_id, bulk.status == BulkStatus.STARTED, free)
            .values(lease_owner=owner, lease_expires_at=now + LEASE_FOR)
        )
    return found if cast("CursorResult[Any]", taken).rowcount else None


def _give_back(services: Services, bulk_id: str, owner: str) -> None:
    with services.store.writing() as session:
        session.execute(
            update(BulkOperation)
            .where(BulkOperation.bulk_id == bulk_id, BulkOperation.lease_owner == owner)
            .values(lease_owner=None, lease_expires_at=None)
        )

"""The attempt's connection to Temporal: heartbeats, and whether it is to end."""

from __future__ import annotations

from temporalio import activity

from engine.services.attempt import Stop


class TemporalPulse:
    """Only for use in the activity's own thread."""

    def beat(self) -> None:
        """A local activity's worker needs none."""
        if not activity.info().is_local:
            activity.heartbeat()

    def tried_before(self) -> bool:
        return activity.info().attempt > 1

    def stop(self) -> Stop | None:
        if not activity.is_cancelled():
            return None
        details = activity.cancellation_details()
        if details is None or details.cancel_requested:
            return Stop.REQUESTED
        if details.worker_shutdown:
            return Stop.LEAVING
        if details.not_found or details.timed_out or details.paused:
            return Stop.GONE
        return Stop.REQUESTED

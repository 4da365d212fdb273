"""What the cut-over would do to this database, without doing it (docs/architecture.md 7)."""

from __future__ import annotations

from engine.services.context import Services
from engine.store import cut_over, cut_over_rules
from engine.store.cut_over import Forecast

__all__ = ["Forecast", "forecast_cut_over"]


def forecast_cut_over(services: Services) -> Forecast:
    """On a database that has been cut over, or is empty, there is nothing to do.

    It goes over whole tables, for as long as it takes: an operator asks once.
    """
    with services.store.looking() as connection:
        return cut_over.forecast(connection, cut_over_rules.refusals(connection))

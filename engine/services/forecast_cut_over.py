"""What the cut-over would do to this database, without doing it (docs/architecture.md 7)."""

from __future__ import annotations

from engine.services.context import Services
from engine.store import cut_over, cut_over_rules
from engine.store.cut_over import Forecast


def forecast_cut_over(services: Services) -> Forecast:
    """On a database that has been cut over, or is empty, there is nothing to do."""
    with services.store.reading() as session:
        connection = session.connection()
        return cut_over.forecast(connection, cut_over_rules.refusals(connection))

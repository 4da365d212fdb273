"""Used launch tokens are forgotten after a week (docs/rules.md 2).

Nothing starts twice because of it: the run's own row keeps its token, which is unique there, and a
launch looks there too. What is forgotten is the row beside it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from engine.store.runs import LaunchToken

KEPT_FOR: Final = timedelta(days=7)
FORGOTTEN_EVERY: Final = timedelta(hours=1)


def forget_old(session: Session, now: datetime) -> None:
    session.execute(delete(LaunchToken).where(LaunchToken.created_at < now - KEPT_FOR))

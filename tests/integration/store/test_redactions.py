"""How the values of several runs on one page are redacted."""

from __future__ import annotations

from engine.services.redact_run import Rules
from engine.services.redactions import redactions_of
from engine.store.session import Store
from tests import builders


def test_what_a_caller_hides_stays_hidden_in_the_runs_that_it_called(store: Store) -> None:
    of, _ = builders.published(store)
    caller = builders.run(of, input_json={"token": "hidden-by-the-caller"})
    builders.save(store, caller)
    called = builders.run(
        of, input_json={"word": "hidden-by-the-caller"}, parent_run_id=caller.run_id
    )
    builders.save(store, called)

    with store.reading() as session:
        found = redactions_of(session, Rules((), ()), {called.run_id})

    assert found[called.run_id].text("It is hidden-by-the-caller.") == "It is [REDACTED]."

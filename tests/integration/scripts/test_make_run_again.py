"""What dies is started again; what was killed is cleaned up after by the next start."""

from __future__ import annotations

import os
import signal

import pytest

from tests.integration.scripts.watching import eventually, lives, status
from tests.product import Product

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(400)]


def test_what_dies_is_started_again_and_a_killed_supervisor_leaves_nothing(
    product: Product,
) -> None:
    product.start()
    product.wait_for("Ctrl-C")
    for name in ["worker", "temporal", "web"]:
        before = product.children()[name]
        os.kill(before, signal.SIGKILL)
        product.wait_for(f"the {name} ended (signal 9); starting it again in 1 s")
        product.wait_for(f"the {name} is started again")
        assert product.children()[name] != before
    eventually(lambda: status(f"{product.url}/health/ready") == 200, "the product did not recover")

    children = product.children()
    product.kill()
    eventually(lambda: not any(map(lives, children.values())), "children outlived a killed parent")

    again = Product(product.data_dir)
    again.environment |= product.ports
    again.start()
    again.wait_for("Ctrl-C")
    assert "Sign in    as the operator that exists" in again.output
    assert again.end(signal.SIGTERM) == 0

"""Marks of these tests."""

from __future__ import annotations

import pytest

on_both = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
"""The test runs once on each database."""

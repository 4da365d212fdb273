"""This product beside a hand-written Temporal workflow, measured in one go (see README.md)."""

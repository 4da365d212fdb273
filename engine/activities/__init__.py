"""The worker's delivery layer, as blueprints are the web's: an activity calls one service."""

from engine.activities.make import make_activities

__all__ = ["make_activities"]

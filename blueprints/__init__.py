"""HTTP only: parse, call one service, render or redirect. The one table of addresses' prefixes."""

from __future__ import annotations

from flask import Flask

from blueprints import auth, bulk, definitions, engine, health, look, runs, saved_views, waits


def register_blueprints(app: Flask) -> None:
    app.register_blueprint(auth.bp)
    app.register_blueprint(health.bp, url_prefix="/health")
    app.register_blueprint(runs.bp)
    app.register_blueprint(bulk.bp)
    app.register_blueprint(saved_views.bp)
    app.register_blueprint(waits.bp)
    app.register_blueprint(definitions.bp, url_prefix="/workflows")
    app.register_blueprint(engine.bp)
    app.register_blueprint(look.bp)

"""The environment of the product's processes, made of the settings and of what is started."""

from __future__ import annotations

from collections.abc import Mapping

from engine.settings import Settings
from scripts.product import temporal_server

EVERYWHERE = {"0.0.0.0", "::", ""}


def web_host(settings: Settings) -> str:
    """Where a browser on this machine reaches the web."""
    return "127.0.0.1" if settings.host in EVERYWHERE else settings.host


def shared(settings: Settings, *, own_temporal: bool) -> dict[str, str]:
    """What every process is told, and, by `running.env`, a command in another shell too."""
    variables = {
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.effective_database_url,
        "HOST": settings.host,
        "PORT": str(settings.port),
        "TEMPORAL_ADDRESS": settings.temporal_address,
        "TEMPORAL_NAMESPACE": settings.temporal_namespace,
    }
    if own_temporal:
        host = temporal_server.HOST
        variables["TEMPORAL_ADDRESS"] = f"{host}:{settings.temporal_port}"
        ui = f"http://{host}:{settings.temporal_ui_port}"
        variables["TEMPORAL_UI_URL"] = settings.temporal_ui_url or ui
    elif settings.temporal_ui_url:
        variables["TEMPORAL_UI_URL"] = settings.temporal_ui_url
    return variables


def of_a_child(given: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Warnings only, unless LOG_LEVEL says otherwise: the terminal is for the person at it."""
    return {"LOG_LEVEL": "WARNING", "PYTHONUNBUFFERED": "1", **given, **variables}

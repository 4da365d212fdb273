"""What the sign-in form brings."""

from __future__ import annotations

from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

HOME = "/runs"
LONGEST_ADDRESS = 2000


def safe_next(given: str | None) -> str:
    """`given` where it is an address of this site, else the list of runs.

    Only a path: no scheme, no host, and nothing that a browser reads as one (`//`, `/\\`).
    """
    if not given or len(given) > LONGEST_ADDRESS or not given.startswith("/"):
        return HOME
    if given.startswith("//") or "\\" in given or any(ord(char) < 0x21 for char in given):
        return HOME
    try:
        parts = urlsplit(given)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else given


def credentials(form: MultiDict[str, str]) -> tuple[str, str]:
    return form.get("email", ""), form.get("password", "")

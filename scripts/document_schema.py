"""Writes docs/document.schema.json, the JSON Schema of the documents that authors write.

    python -m scripts.document_schema [--check]

It comes from the models alone. With --check nothing is written: exit code 1 when the file is stale.
Editors that know JSON Schema complete and check documents with it; publishing checks more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from engine.definitions.document import Document

PATH: Final = Path(__file__).parents[1] / "docs" / "document.schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def document_schema() -> dict[str, Any]:
    schema = Document.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, "title": "Run Studio workflow", **_untitled(schema)}


def _untitled(schema: Any) -> Any:
    """Without the titles and OpenAPI discriminators that pydantic adds to everything."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _named(part) if key in ("properties", "$defs") else _untitled(part)
        for key, part in schema.items()
        if key not in ("title", "discriminator")
    }


def _named(parts: dict[str, Any]) -> dict[str, Any]:
    """A map of schemas by name: the names are kept, whatever they are."""
    return {name: _untitled(part) for name, part in parts.items()}


def written(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    text = written(document_schema())
    if "--check" in arguments:
        fresh = PATH.exists() and PATH.read_text("utf-8") == text
        if not fresh:
            print(f"{PATH.name} is stale: python -m scripts.document_schema", file=sys.stderr)
        return 0 if fresh else 1
    PATH.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

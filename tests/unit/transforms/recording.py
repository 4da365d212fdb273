"""What a transform gives, in a form that fits into a file; `python -m` records it anew.

    .venv/bin/python -m tests.unit.transforms.recording

Read the difference before it is committed: each changed line is a change of the language.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.errors import StepFailed
from engine.interpreter.transforms import run_transform
from engine.runs.strict_json import canonical
from tests.unit.transforms.cases import CASES

FILE = Path(__file__).with_name("recorded.json")
_LARGEST_SHOWN = 600


def outcome(name: str, input: Any) -> Any:
    try:
        output = run_transform(f"transform.{name}", 1, input)
    except StepFailed as failed:
        return {"error": failed.category.value, "code": failed.own_code}
    text = json.dumps(output, ensure_ascii=False)
    if len(text) <= _LARGEST_SHOWN:
        return {"output": output}
    digest = hashlib.sha256(canonical(output).encode()).hexdigest()
    return {"output of": len(text), "sha256": digest}


def main() -> None:
    recorded = {
        name: {edge: outcome(name, given) for edge, given in edges.items()}
        for name, edges in CASES.items()
    }
    FILE.write_text(json.dumps(recorded, indent=1, ensure_ascii=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()

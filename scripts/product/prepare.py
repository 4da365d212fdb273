"""Before the first start, and harmless at each later one: schema, samples, first operator.

    python -m scripts.product.prepare [--without-samples]

Says what it did as one line of JSON: {"published": [KEY...], "operator": null | {"email",
"password"}}; the password only where it was generated here.
"""

from __future__ import annotations

import sys

from engine.settings import ROOT

SAMPLES = ROOT / "samples"


def main(options: list[str]) -> int:
    raise NotImplementedError


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Write the tables of a finished benchmark into `docs/benchmark.md`: `python docs/write_benchmark.py DIR`.

DIR is what `miqanet benchmark --out` wrote. Every figure of the page comes from its `results.json`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from miqanet.evaluation.tables import markdown

PAGE = Path(__file__).resolve().parent / "benchmark.md"


def with_tables(page: str, results: dict[str, Any]) -> str:
    """Return the page with the tables of these results, their headings a level down."""
    _title, _, tables = markdown(results).partition("\n")
    lower = re.sub(r"^#", "##", tables.strip(), flags=re.MULTILINE)
    return re.sub(
        r"(<!-- tables: [^>]*-->).*?(<!-- end of tables -->)",
        lambda match: f"{match[1]}\n\n{lower}\n\n{match[2]}",
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    written = json.loads((Path(sys.argv[1]) / "results.json").read_text(encoding="utf-8"))
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), written), encoding="utf-8")

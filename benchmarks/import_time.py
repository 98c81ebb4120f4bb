"""CPU time of imports in a fresh interpreter, and which heavy libraries came along.

python benchmarks/import_time.py [--runs 10]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from clock import print_table

HEAVY = (
    "numpy", "scipy", "scipy.stats", "pandas", "patsy", "pydantic", "ruamel", "matplotlib",
    "lifelines", "openpyxl", "jinja2", "pyreadstat", "pyarrow", "dask", "rich",
)  # fmt: skip
STATEMENTS = (
    "pass",
    "import trialmlm",
    "import trialmlm; trialmlm.mmrm",
    "import trialmlm; trialmlm.load_protocol",
)
CHILD = """
import json, sys, time
start = time.process_time()
{statement}
spent = time.process_time() - start
heavy = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps([1e3 * spent, len(sys.modules), heavy]))
"""


def once(statement: str) -> tuple[float, int, list[str]]:
    """Milliseconds, modules loaded, heavy ones among them."""
    child = CHILD.format(statement=statement, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", child], check=True, capture_output=True, text=True)
    return tuple(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    rows = []
    for statement in STATEMENTS:
        found = [once(statement) for _ in range(runs)]
        rows.append(
            {
                "statement": statement,
                "median_ms": statistics.median(ms for ms, _, _ in found),
                "modules": found[0][1],
                "heavy": ", ".join(found[0][2]) or "none",
            }
        )
    print_table(rows)


if __name__ == "__main__":
    main()

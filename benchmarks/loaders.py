"""Reading DrBenchmark's raw corpora: cold from their archives, and again from the cache.

    python benchmarks/loaders.py --data-dir raw [--protocol drbenchmark] [--json OUT]

Every task whose raw files are found is loaded with ``load_dataset`` in a process of its own, with
an empty cache, then once more. Peak memory is that process's resident set at the end. There is no
peer to compare with: the original loading scripts do not run on Datasets 4 and later.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from common import add_output_argument, finish

ONE = """
import json, resource, sys, time
start = time.perf_counter()
import doctobert_hf
from datasets import disable_progress_bars, load_dataset
disable_progress_bars()
ready = time.perf_counter()
name, data_dir, protocol = sys.argv[1:]
data = load_dataset("doctobert_hf/drbenchmark", name, data_dir=data_dir, protocol=protocol)
done = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({
    "rows": sum(data.num_rows.values()), "import_s": ready - start, "load_s": done - ready,
    "peak_mb": peak}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--protocol", default="drbenchmark")
    add_output_argument(parser)
    args = parser.parse_args()
    from doctobert_hf.drbenchmark import list_tasks
    from doctobert_hf.drbenchmark.check import data_found

    tasks = [
        t.name for t in list_tasks() if data_found(t, args.data_dir)[:4] not in ("down", "miss")
    ]
    results: dict[str, dict] = {}
    print(f"{'task':20} {'rows':>6} {'cold s':>7} {'again s':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "HF_DATASETS_CACHE": cache, "HF_HUB_OFFLINE": "1"}
        start = time.perf_counter()
        cold = {name: run(name, args, environment) for name in tasks}
        total = time.perf_counter() - start
        for name in tasks:
            again = run(name, args, environment)
            results[name] = {**cold[name], "again_s": again["load_s"]}
            print(
                f"{name:20} {cold[name]['rows']:6,} {cold[name]['load_s']:7.2f} "
                f"{again['load_s']:8.2f} {cold[name]['peak_mb']:8.0f}"
            )
    loading = sum(result["load_s"] for result in cold.values())
    peak = max(result["peak_mb"] for result in cold.values())
    print(
        f"\nall {len(tasks)} tasks cold: {loading:.1f} s of loading ({total:.1f} s with "
        f"{len(tasks)} starts of Python), at most {peak:.0f} MB"
    )
    finish(
        args, "loaders", {"tasks": results, "load_s": loading, "total_s": total, "peak_mb": peak}
    )


def run(name: str, args: argparse.Namespace, environment: dict[str, str]) -> dict:
    """Load one task in a fresh process."""
    command = [sys.executable, "-c", ONE, name, args.data_dir, args.protocol]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()

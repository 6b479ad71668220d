"""Keep a quickstart run as a benchmark's record, and draw the README's picture from the record.

python scripts/quickstart_record.py RUN     from a run folder: record and picture
python scripts/quickstart_record.py         the picture again, from the committed record
"""

import json
import sys
from pathlib import Path

from doctobert_hf.quickstart.report import draw_results, read_losses
from doctobert_hf.reporting.figures import save_figure

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "benchmarks" / "results" / "quickstart.json"
PICTURE = ROOT / "docs" / "quickstart.png"
KEPT = ("tokens", "loss", "phase")


def keep(run: Path) -> None:
    """Write the record of a run."""
    state = json.loads((run / "state.json").read_text())
    record = {
        "topic": "quickstart",
        "command": "doctobert-hf quickstart",
        "environment": json.loads((run / "environment.json").read_text()),
        "results": {stage: state[stage] for stage in state["stages"]},
        "losses": [{key: row[key] for key in KEPT} for row in read_losses(run)],
    }
    RECORD.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        keep(Path(sys.argv[1]))
    content = json.loads(RECORD.read_text(encoding="utf-8"))
    save_figure(draw_results(content["losses"], content["results"]), PICTURE)
    print(f"{RECORD} and {PICTURE}")

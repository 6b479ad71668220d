"""Energy and emissions of a run, measured by codecarbon where it is installed."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

FILE = "energy.json"


class EnergyCallback(TrainerCallback):
    """Appends what each training session used to ``energy.json``; works with any ``Trainer``.

    A run that was stopped and resumed has one entry a session; a session that was killed has none.
    Nothing leaves the machine.

    Args:
        country: Where the machine stands, ISO 3166-1 alpha-3; decides emissions per kilowatt-hour.

    Raises:
        ImportError: codecarbon is not installed (extra ``track``).
    """

    def __init__(self, country: str = "FRA") -> None:
        from codecarbon import OfflineEmissionsTracker

        # It logs its whole life at INFO, also while it reads its settings.
        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self._make = lambda: OfflineEmissionsTracker(
            country_iso_code=country,
            save_to_file=False,
            allow_multiple_runs=True,
            log_level="error",
        )
        self._tracker: Any = None

    @staticmethod
    def available() -> bool:
        """Whether codecarbon is installed."""
        return importlib.util.find_spec("codecarbon") is not None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start measuring, on one process of each machine."""
        if args.local_process_index == 0:
            self._tracker = self._make()
            self._tracker.start()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write this session's figures."""
        if self._tracker is None:
            return
        self._tracker.stop()
        data, self._tracker = self._tracker.final_emissions_data, None
        if data is None:
            return
        path = Path(str(args.output_dir)) / FILE
        sessions = json.loads(path.read_text()) if path.is_file() else []
        sessions.append(
            {
                "process": args.process_index,
                "seconds": data.duration,
                "energy_kwh": data.energy_consumed,
                "emissions_kg": data.emissions,
                "country": data.country_iso_code,
                "cpu": data.cpu_model,
                "gpu": data.gpu_model,
                "codecarbon": data.codecarbon_version,
            }
        )
        path.write_text(json.dumps(sessions, indent=1))

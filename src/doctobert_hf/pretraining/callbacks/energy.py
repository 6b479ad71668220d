"""Energy and emissions of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doctobert_hf.energy import EnergyMeter

FILE = "energy.json"


class EnergyCallback(TrainerCallback):
    """Appends what each training session used to ``energy.json``; works with any ``Trainer``.

    A run that was stopped and resumed has one entry a session; a session that was killed has none.
    One process of each machine measures. Needs codecarbon (extra ``track``).

    Args:
        country: Where the machine stands, ISO 3166-1 alpha-3; default: what
            ``CODECARBON_COUNTRY_ISO_CODE`` says, else emissions are left out.

    Example:
        >>> EnergyCallback(country="FRA").country
        'FRA'
    """

    def __init__(self, country: str | None = None) -> None:
        self.country = country
        self._meter: EnergyMeter | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start measuring."""
        if args.local_process_index == 0:
            self._meter = EnergyMeter(self.country)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Write this session's figures."""
        if self._meter is None:
            return
        figures, self._meter = self._meter.stop(), None
        if figures is None:
            return
        path = Path(str(args.output_dir)) / FILE
        sessions = json.loads(path.read_text()) if path.is_file() else []
        sessions.append({"process": args.process_index, **figures})
        path.write_text(json.dumps(sessions, indent=1))

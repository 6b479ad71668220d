"""Energy and emissions of a piece of work, measured by codecarbon where it is installed.

Nothing leaves the machine.
"""

from __future__ import annotations

import importlib.util
import itertools
import logging
import os
from functools import lru_cache
from typing import Any

logger = logging.getLogger(__name__)
VARIABLE = "CODECARBON_COUNTRY_ISO_CODE"
"""Environment variable that says where the machine stands, codecarbon's own."""
_ANY = "FRA"  # codecarbon wants a country; where none was told, its emissions are not recorded


def told_country() -> str | None:
    """Return where the machine stands, ISO 3166-1 alpha-3; None where nobody said."""
    return os.environ.get(VARIABLE) or None


class EnergyMeter:
    """Measures from its making to :meth:`stop`; one at a time.

    Args:
        country: Where the machine stands, ISO 3166-1 alpha-3; default: what the environment
            variable ``CODECARBON_COUNTRY_ISO_CODE`` says. It decides emissions, not energy: where
            nobody says it, emissions are left out.

    Raises:
        ImportError: codecarbon is not installed (extra ``track``).
    """

    def __init__(self, country: str | None = None) -> None:
        self._country = country or told_country()
        self._tracker = _tracker(self._country or _ANY)
        self._name = f"doctobert-hf {next(_NUMBERS)}"
        self._tracker.start_task(self._name)

    @staticmethod
    def available() -> bool:
        """Return whether codecarbon is installed."""
        return importlib.util.find_spec("codecarbon") is not None

    def stop(self) -> dict[str, Any] | None:
        """End the measurement.

        Returns:
            ``seconds, energy_kwh, emissions_kg, country, cpu, gpu, codecarbon``, emissions and
            country None where nobody said where the machine stands; None where codecarbon could
            read nothing.
        """
        try:
            data = self._tracker.stop_task(self._name)
        except Exception as error:  # what is measured beside the work must not end the work
            logger.warning("Energy was not measured (%s: %s)", type(error).__name__, error)
            return None
        return data and {
            "seconds": data.duration,
            "energy_kwh": data.energy_consumed,
            "emissions_kg": data.emissions if self._country else None,
            "country": self._country,
            "cpu": data.cpu_model,
            "gpu": data.gpu_model,
            "codecarbon": data.codecarbon_version,
        }


_NUMBERS = itertools.count(1)


@lru_cache(maxsize=1)
def _tracker(country: str) -> Any:
    """The process's tracker: looking for sensors takes it seconds, so it does so once."""
    from codecarbon import OfflineEmissionsTracker

    # It logs its whole life at INFO, also while it reads its settings.
    logging.getLogger("codecarbon").setLevel(logging.ERROR)
    return OfflineEmissionsTracker(
        country_iso_code=country, save_to_file=False, allow_multiple_runs=True, log_level="error"
    )

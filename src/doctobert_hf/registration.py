"""Makes the package's ids known to Datasets and Evaluate, in whichever order they are imported.

Registered are the dataset id ``doctobert_hf/drbenchmark`` with Datasets, the metric ids
``doctobert_hf/NAME`` with Evaluate, and with Transformers the attention ``doctobert_varlen``, the
reporting integration ``doctobert`` and the pipeline ``doctobert-entities``. A library that is
already imported is extended at once; one that comes later, when it is imported: importing this
package stays free of heavy imports.

Datasets and Evaluate find modules through one factory function, which is wrapped here. Datasets
also has a table of packaged modules, but an entry there makes it list the working directory (an
error in an empty folder, minutes in a huge one), and the ``/`` of the id breaks the cache's path.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from doctobert_hf.reporting import quiet

DATASET_ID = "doctobert_hf/drbenchmark"
METRIC_PREFIX = "doctobert_hf/"
PIPELINE = "doctobert-entities"


def register() -> None:
    """Register with the libraries that are there, and with the others once they are imported.

    Doing it again does nothing.

    Example:
        >>> import doctobert_hf
        >>> doctobert_hf.register()  # then load_dataset("doctobert_hf/drbenchmark", ...) is ours
    """
    for name, extend in _EXTENSIONS.items():
        module = sys.modules.get(name)
        if module is not None and not _is_initializing(module):
            extend(module)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _is_initializing(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _extend_datasets(module: ModuleType) -> None:
    """Wrap ``dataset_module_factory`` of ``datasets.load`` or of a module that imported it."""

    def answer(path: Any, data_dir: Any = None) -> Any:
        if path != DATASET_ID:
            return None
        from datasets.load import DatasetModule

        from doctobert_hf.drbenchmark.builder import data_directory, source_fingerprint

        kwargs = {"dataset_name": "drbenchmark", "data_dir": data_directory(data_dir)}
        return DatasetModule("doctobert_hf.drbenchmark.builder", source_fingerprint(), kwargs)

    _wrap(module, "dataset_module_factory", answer, ("data_dir",))


def _extend_evaluate(module: ModuleType) -> None:
    """Wrap ``evaluation_module_factory`` so that our ids lead to folders of this package."""
    original = getattr(module, "evaluation_module_factory", None)
    if original is None or hasattr(original, "_doctobert"):
        return

    @functools.wraps(original)
    def factory(path: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(path, str) and path.startswith(METRIC_PREFIX):
            from doctobert_hf.metrics import module_folder

            path = str(module_folder(path.removeprefix(METRIC_PREFIX)))
        return original(path, *args, **kwargs)

    factory._doctobert = True  # type: ignore[attr-defined]
    module.evaluation_module_factory = factory  # type: ignore[attr-defined]


def _wrap(module: ModuleType, name: str, answer: Callable[..., Any], used: Sequence[str]) -> None:
    original = getattr(module, name, None)
    if original is None or hasattr(original, "_doctobert"):
        return

    @functools.wraps(original)
    def factory(path: Any, *args: Any, **kwargs: Any) -> Any:
        ours = answer(path, **{key: kwargs[key] for key in used if key in kwargs})
        return original(path, *args, **kwargs) if ours is None else ours

    factory._doctobert = True  # type: ignore[attr-defined]
    setattr(module, name, factory)


def _extend_attention(module: ModuleType) -> None:
    from doctobert_hf.pretraining.attention import register_attention

    register_attention()


class _Delegating(type):
    """Asks the real pipeline for what a class is asked for."""

    def __getattr__(cls, name: str) -> Any:
        from doctobert_hf.drbenchmark.pipeline import EntitiesPipeline

        return getattr(EntitiesPipeline, name)


class _LazyPipeline(metaclass=_Delegating):
    """Stands for the pipeline until one is made: its module imports Transformers."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from doctobert_hf.drbenchmark.pipeline import EntitiesPipeline

        return EntitiesPipeline(*args, **kwargs)


def _extend_pipelines(module: ModuleType) -> None:
    from transformers import AutoModelForTokenClassification

    module.PIPELINE_REGISTRY.register_pipeline(
        PIPELINE, pipeline_class=_LazyPipeline, pt_model=AutoModelForTokenClassification
    )


class _Integration:
    """Stands for ``DoctobertCallback`` until Trainer makes one: its module imports Transformers."""

    def __new__(cls) -> Any:
        from doctobert_hf.pretraining.callbacks import DoctobertCallback

        return DoctobertCallback()


def _extend_integrations(module: ModuleType) -> None:
    module.INTEGRATION_TO_CALLBACK["doctobert"] = _Integration


def _quieten_bars(module: ModuleType) -> None:
    # Not disable_progress_bar(), which turns those of downloads off too.
    # Bars of loading and saving, which take no time.
    if quiet.ON and hasattr(module, "_tqdm_active"):
        module._tqdm_active = False  # type: ignore[attr-defined]


def _quieten_datasets(module: ModuleType) -> None:
    if quiet.ON:
        module.disable_progress_bars()


_EXTENSIONS: dict[str, Callable[[ModuleType], None]] = {
    "transformers.utils.logging": _quieten_bars,
    "datasets.utils.tqdm": _quieten_datasets,
    "datasets.load": _extend_datasets,
    "datasets.inspect": _extend_datasets,
    "transformers.masking_utils": _extend_attention,
    "transformers.integrations.integration_utils": _extend_integrations,
    "transformers.pipelines": _extend_pipelines,
    "evaluate.loading": _extend_evaluate,
    "evaluate.inspect": _extend_evaluate,
    "evaluate.evaluation_suite": _extend_evaluate,
}


class _Finder(importlib.abc.MetaPathFinder):
    """Lets the other finders find a module to extend, and extends it after it has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in _EXTENSIONS:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                _extend_after(spec.loader, _EXTENSIONS[name])
                return spec
        return None


def _extend_after(loader: Any, extend: Callable[[ModuleType], None]) -> None:
    original = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        original(module)
        extend(module)

    loader.exec_module = exec_module

"""French medical encoders on the Hugging Face ecosystem.

Tokenizers, hierarchical chunking, pretraining, evaluation and publication, as plain Transformers,
Datasets and Sentence Transformers objects. Importing this package loads no heavy library: every
public name is resolved on first use. It registers the dataset id ``doctobert_hf/drbenchmark`` and
the metric ids ``doctobert_hf/NAME``, the attention ``doctobert_varlen`` and the integration
``doctobert``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doctobert_hf.lazy import lazy_names
from doctobert_hf.registration import register
from doctobert_hf.version import __version__

if TYPE_CHECKING:
    from doctobert_hf import (
        chunking as chunking,
        config as config,
        drbenchmark as drbenchmark,
        errors as errors,
        finemed as finemed,
        hub as hub,
        metrics as metrics,
        models as models,
        pretraining as pretraining,
        recipes as recipes,
        registration as registration,
        retrieval as retrieval,
        statistics as statistics,
        tokenization as tokenization,
    )
    from doctobert_hf.chunking import (
        Chunk as Chunk,
        DataCollatorForHierarchicalChunking as DataCollatorForHierarchicalChunking,
        HierarchicalChunker as HierarchicalChunker,
        split_sentences as split_sentences,
    )
    from doctobert_hf.drbenchmark import (
        Predictor as Predictor,
        TaskSpec as TaskSpec,
        list_tasks as list_tasks,
        register_task as register_task,
    )
    from doctobert_hf.drbenchmark.leaderboard import (
        min_max as min_max,
        win_probability as win_probability,
    )
    from doctobert_hf.errors import DoctobertError as DoctobertError
    from doctobert_hf.finemed import (
        check_rewrite as check_rewrite,
        count_personal_data as count_personal_data,
        deidentify as deidentify,
        medical_term_density as medical_term_density,
    )
    from doctobert_hf.finemed.filters import parse as parse
    from doctobert_hf.hub import (
        push_dataset as push_dataset,
        push_model as push_model,
        push_tokenizer as push_tokenizer,
    )
    from doctobert_hf.metrics import (
        edrm as edrm,
        entity_f1 as entity_f1,
        exact_match_ratio as exact_match_ratio,
        hamming_score as hamming_score,
        load as load,
        multilabel_f1 as multilabel_f1,
        register_metric as register_metric,
        weighted_f1 as weighted_f1,
    )
    from doctobert_hf.models import list_presets as list_presets, preset_config as preset_config
    from doctobert_hf.pretraining import (
        FillMaskProbeCallback as FillMaskProbeCallback,
        LossSpikeCallback as LossSpikeCallback,
        MaskingScheduleCallback as MaskingScheduleCallback,
        MLMTrainer as MLMTrainer,
        MLMTrainingArguments as MLMTrainingArguments,
        PackedMLMDataset as PackedMLMDataset,
        PackingEfficiencyCallback as PackingEfficiencyCallback,
        ScheduledGCCallback as ScheduledGCCallback,
        StableAdamW as StableAdamW,
        ThroughputCallback as ThroughputCallback,
        TokenBudgetCallback as TokenBudgetCallback,
    )
    from doctobert_hf.tokenization import (
        evaluate_tokenizer as evaluate_tokenizer,
        train_tokenizer as train_tokenizer,
    )

_NAMES = {
    "Chunk": ".chunking",
    "HierarchicalChunker": ".chunking",
    "DataCollatorForHierarchicalChunking": ".chunking",
    "split_sentences": ".chunking",
    "train_tokenizer": ".tokenization",
    "evaluate_tokenizer": ".tokenization",
    "preset_config": ".models",
    "list_presets": ".models",
    "MLMTrainingArguments": ".pretraining",
    "MLMTrainer": ".pretraining",
    "PackedMLMDataset": ".pretraining",
    "StableAdamW": ".pretraining",
    "TokenBudgetCallback": ".pretraining",
    "ThroughputCallback": ".pretraining",
    "PackingEfficiencyCallback": ".pretraining",
    "MaskingScheduleCallback": ".pretraining",
    "LossSpikeCallback": ".pretraining",
    "ScheduledGCCallback": ".pretraining",
    "FillMaskProbeCallback": ".pretraining",
    "Predictor": ".drbenchmark",
    "TaskSpec": ".drbenchmark",
    "list_tasks": ".drbenchmark",
    "register_task": ".drbenchmark",
    "min_max": ".drbenchmark.leaderboard",
    "win_probability": ".drbenchmark.leaderboard",
    "entity_f1": ".metrics",
    "multilabel_f1": ".metrics",
    "weighted_f1": ".metrics",
    "edrm": ".metrics",
    "hamming_score": ".metrics",
    "exact_match_ratio": ".metrics",
    "load": ".metrics",
    "register_metric": ".metrics",
    "check_rewrite": ".finemed",
    "count_personal_data": ".finemed",
    "deidentify": ".finemed",
    "medical_term_density": ".finemed",
    "parse": ".finemed.filters",
    "push_model": ".hub",
    "push_tokenizer": ".hub",
    "push_dataset": ".hub",
    "DoctobertError": ".errors",
}
_MODULES = (
    "chunking",
    "tokenization",
    "models",
    "errors",
    "config",
    "recipes",
    "metrics",
    "drbenchmark",
    "pretraining",
    "registration",
    "finemed",
    "hub",
    "retrieval",
    "statistics",
)
__all__ = ["__version__", "register", *_NAMES]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_names(__name__, _NAMES, _MODULES)

register()

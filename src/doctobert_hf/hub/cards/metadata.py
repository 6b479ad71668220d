"""Front matter of cards: what it may hold, its check without the Hub, and licences by dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LICENSES = (
    *("apache-2.0", "mit", "openrail", "bigscience-openrail-m", "bigcode-openrail-m", "afl-3.0"),
    *("artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear"),
    *("c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0"),
    *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0"),
    *("cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0"),
    *("cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "wtfpl"),
    *("ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "agpl-3.0", "gfdl"),
    *("gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "mpl-2.0", "ms-pl"),
    *("odc-by", "odbl", "openmdw-1.0", "openrail++", "osl-3.0", "postgresql", "pddl", "ofl-1.1"),
    *(
        "ncsa",
        "unlicense",
        "zlib",
        "llama2",
        "llama3",
        "llama3.1",
        "llama3.2",
        "llama3.3",
        "llama4",
    ),
    *("gemma", "grok2-community", "creativeml-openrail-m", "bigscience-bloom-rail-1.0"),
    *("h-research", "intel-research", "lppl-1.3c", "lgpl-lr", "apple-ascl", "apple-amlr"),
    *("deepfloyd-if-license", "fair-noncommercial-research-license", "unknown", "other"),
)
PIPELINES = (
    *("fill-mask", "text-classification", "token-classification", "feature-extraction"),
    *("sentence-similarity", "text-ranking", "multiple-choice", "question-answering"),
)
SIZES = (
    *("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B"),
    *("1B<n<10B", "10B<n<100B", "100B<n<1T", "n>1T"),
)
UPSTREAM = {
    "doctolib-lab/finemed-fr": (
        "[FineWeb-2](https://huggingface.co/datasets/HuggingFaceFW/fineweb-2) (ODC-BY 1.0)",
        "[FinePDFs](https://huggingface.co/datasets/HuggingFaceFW/finepdfs) (ODC-BY 1.0)",
        "[FineWiki](https://huggingface.co/datasets/HuggingFaceFW/finewiki) (CC BY-SA 4.0)",
    ),
}
UPSTREAM["doctolib-lab/finemed-rephrased-fr"] = UPSTREAM["doctolib-lab/finemed-fr"]
SOURCE_LICENSES = {"fineweb-2": "odc-by", "finepdfs": "odc-by", "finewiki": "cc-by-sa-4.0"}


def upstream_of(datasets: tuple[str, ...]) -> list[str]:
    """Lines of attribution that known datasets ask for."""
    return list(dict.fromkeys(line for name in datasets for line in UPSTREAM.get(name, ())))


def license_ids(text: str) -> list[str]:
    """The Hub's identifiers of the licences that a text names, ``other`` for what it has none for.

    Creative Commons without a version is the Hub's ``cc``: which one is not said.

    Example:
        >>> license_ids("CC-BY-4.0, GPL-3.0 (GitHub)"), license_ids("CC BY-NC")
        (['cc-by-4.0', 'gpl-3.0'], ['cc'])
    """
    named = [re.sub(r"\(.*?\)", "", part).strip() for part in re.split(r"[,;]| and | or ", text)]
    found = []
    for part in named:
        word = re.sub(r"[\s_]+", "-", part.lower())
        word = _written_otherwise(word)
        if word and word not in ("per-record", "per-row"):
            unclear = "cc" if re.fullmatch(r"cc-by(-nc)?(-sa|-nd)?", word) else "other"
            found.append(word if word in LICENSES else unclear)
    return list(dict.fromkeys(found)) or ["other"]


_CREATIVE_COMMONS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/"
    r"(?P<kind>by(?:-nc)?(?:-sa|-nd)?|zero)/(?P<version>\d\.\d)\S*"
)
_OTHERWISE = {
    **{"gfdl-1.3": "gfdl", "mit-license": "mit", "cc0": "cc0-1.0", "apache-2": "apache-2.0"},
    "licence-ouverte-2.0": "etalab-2.0",
    **{"licence-ouverte-/-open-licence-2.0": "etalab-2.0", "open-licence-2.0": "etalab-2.0"},
}


def _written_otherwise(word: str) -> str:
    """Return an identifier for a licence that is written as an address, or in another way."""
    if address := _CREATIVE_COMMONS.fullmatch(word):
        zero = address["kind"] == "zero"
        return f"cc0-{address['version']}" if zero else f"cc-{address['kind']}-{address['version']}"
    word = re.sub(
        r"(?<=\d)-(?:fr|france|international|unported|generic|intl|universal)\Z", "", word
    )
    word = re.sub(r"\A(a?gpl|lgpl)-?v?(\d)(?:\.0)?\Z", r"\1-\2.0", word)
    word = re.sub(r"\Acreative-commons-", "cc-", word)
    return _OTHERWISE.get(word, word)


def size_category(rows: int) -> str:
    """The Hub's size class of a dataset."""
    for exponent, name in enumerate(SIZES[:-1]):
        if rows < 10 ** (exponent + 3):
            return name
    return SIZES[-1]


def metadata_errors(front: dict[str, Any], repo_type: str) -> Iterator[tuple[str, str]]:
    """Check front matter as the Hub would, without it.

    Yields:
        What is wrong, and how to mend it.
    """
    yield from _license_errors(front)
    for key in ("language", "tags", "datasets"):
        values = front.get(key, [])
        values = values if isinstance(values, list) else [values]
        if not all(isinstance(value, str) for value in values):
            yield f"'{key}' is {front[key]!r}", f"Make '{key}' a list of words"
        elif key == "language":
            for code in values:
                if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?|code|multilingual", code):
                    yield f"language '{code}'", "Use a code of ISO 639: fr"
        elif key == "datasets":
            for name in values:
                yield from _id_errors("dataset", name)
    base = front.get("base_model")
    for name in [base] if isinstance(base, str) else base or []:
        yield from _id_errors("base_model", name)
    if front.get("pipeline_tag") not in (None, *PIPELINES):
        yield f"pipeline_tag '{front['pipeline_tag']}'", f"Use one of {', '.join(PIPELINES)}"
    sizes = front.get("size_categories", [])
    for size in sizes if isinstance(sizes, list) else [sizes]:
        if size not in SIZES:
            yield f"size_categories '{size}'", f"Use one of {', '.join(SIZES)}"
    yield from _index_errors(front, repo_type)
    if repo_type == "dataset":
        yield from _dataset_errors(front)


def _license_errors(front: dict[str, Any]) -> Iterator[tuple[str, str]]:
    licences = front.get("license")
    if not licences:
        yield "no licence", "Pass --license, e.g. --license apache-2.0, or set it in card.yaml"
        return
    for licence in licences if isinstance(licences, list) else [licences]:
        if licence not in LICENSES:
            from doctobert_hf.errors import nearest

            yield f"licence '{licence}'", nearest(str(licence), list(LICENSES))
        if licence == "other" and not front.get("license_name"):
            yield "licence 'other' without its name", "Pass --license-name and --license-link"


def _id_errors(what: str, name: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]{1,96}(/[\w.-]{1,96})?", name):
        yield f"{what} {name!r}", "Give an id of the Hub: OWNER/NAME"


def _index_errors(front: dict[str, Any], repo_type: str) -> Iterator[tuple[str, str]]:
    from huggingface_hub.repocard_data import model_index_to_eval_results

    index = front.get("model-index")
    if index is None:
        return
    try:
        model_index_to_eval_results(index)
    except (KeyError, TypeError, IndexError) as error:
        yield f"model-index cannot be read ({error})", "Render the card again"


def _dataset_errors(front: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    try:
        DatasetInfosDict.from_dataset_card_data(DatasetCardData(**front))
    except Exception as error:
        # Whatever a hand-edited dataset_info makes Datasets raise, load_dataset would raise too.
        yield f"dataset_info cannot be read ({error})", "Render the card again"
    configs = front.get("configs")
    if not isinstance(configs, list) or not all(
        isinstance(item, dict) and {"config_name", "data_files"} <= item.keys() for item in configs
    ):
        yield "configs lacks config_name and data_files", "Render the card again"

"""A mix's card: where its text is from, what was left out, and how it was drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doctobert_hf.files import write_text_atomic
from doctobert_hf.reporting.tables import markdown_table
from doctobert_hf.runs.commands import command_line

if TYPE_CHECKING:
    from doctobert_hf.finemed.config import MixConfig


def write_card(folder: Path, manifest: dict[str, Any], config: MixConfig) -> None:
    """Write ``README.md`` into the mix's folder, from its manifest only."""
    table = manifest["tables"][0]
    excluded = [[reason, f"{count:,}"] for reason, count in manifest["excluded"].items()]
    filters = [
        [item["name"], item["where"] or "all", "as much as it has" if item["share"] is None
         else f"{item['share']:g}"]
        for item in manifest["sources"]
    ]  # fmt: skip
    context = ""
    if config.long_tokens is not None:
        context = (
            f"\nFor context extension, {config.context_share:.0%} of the chunks were kept; at most "
            f"{config.long_share:.0%} of these have {config.long_tokens:,} tokens or more.\n"
        )
    lines = [
        "# Training mix",
        "",
        f"{manifest['documents']:,} chunks of at most {config.max_length:,} tokens, "
        f"{manifest['tokens']:,} tokens by `{Path(manifest['tokenizer']).name}`, drawn with "
        f"seed {config.seed}. Each row fits the context: documents were cut along their structure, "
        "not truncated.",
        "",
        markdown_table(table["header"], table["rows"]),
        "",
        "## Filters and shares",
        "",
        markdown_table(["source", "filter", "share"], filters),
        context,
        "## Left out",
        "",
        markdown_table(["reason", "documents or chunks"], excluded) if excluded else "Nothing.",
        "",
        "The licences of the sources hold for their texts. `manifest.json` has the settings and "
        "the versions, `excluded/` each document left out with its reason.",
        "",
        "## Train on it",
        "",
        *_training(folder, config),
        "",
    ]
    write_text_atomic(folder / "README.md", "\n".join(lines))


def _training(folder: Path, config: MixConfig) -> list[str]:
    if not config.ids:
        lines = [f"corpus: {folder.name}/data", f"max_length: {config.max_length}"]
        return ["```yaml", "# in a copy of a pretraining recipe", *lines, "```"]
    line = command_line(
        *("pretrain", "store", f"{folder.name}/data"),
        **{"ids_column": "input_ids", "tokenizer": Path(config.tokenizer).name},
        **{"max_length": config.max_length, "output": "store"},
    )
    return ["The chunks are tokenised already:", "", "```bash", line, "```"]

"""A section's heading is repeated before its chunks, for search; offsets stay those of the text."""

import pytest

from doctobert_hf.chunking import HierarchicalChunker
from doctobert_hf.chunking.headings import Headings

SENTENCE = "Prenez un comprimé le matin avec un verre d'eau pendant le repas. "
NOTICE = (
    "# Notice du médicament\n"
    + SENTENCE * 2
    + "\n\n4.2. Posologie et mode d'administration\n"
    + SENTENCE * 12
    + "\n\n## Effets\n"
    + SENTENCE * 12
)


def check(tokenizer, max_length, text):
    chunker = HierarchicalChunker(tokenizer, max_length, heading_prefix=True)
    chunks = chunker.encode([text])[0]
    assert "".join(text[chunk.start : chunk.end] for chunk in chunks) == text
    for chunk in chunks:
        whole = chunk.prefix + text[chunk.start : chunk.end]
        assert tokenizer(whole, add_special_tokens=False)["input_ids"] == chunk.ids
        assert len(chunk.ids) <= chunker.capacity
    return chunks


@pytest.mark.parametrize("max_length", [64, 96, 128])
def test_every_chunk_says_its_section(tokenizer, max_length):
    chunks = check(tokenizer, max_length, NOTICE)
    below = Headings(NOTICE)
    assert [chunk.prefix for chunk in chunks if chunk.prefix]
    for chunk in chunks:
        heading = below.above(chunk.start)
        assert chunk.prefix in (f"{heading}\n" if heading else "", "")
    third = NOTICE.index("## Effets")
    last = chunks[-1]
    assert last.start > third and last.prefix == "## Effets\n"


def test_every_kind_of_tokenizer(other_tokenizers):
    for tokenizer in other_tokenizers.values():
        check(tokenizer, 64, NOTICE)


def test_documents_of_the_sample(tokenizer, sample_texts):
    for text in sample_texts[:30]:
        check(tokenizer, 64, text)


def test_rows_carry_the_heading_and_true_offsets(tokenizer):
    from datasets import Dataset

    chunker = HierarchicalChunker(tokenizer, 64, heading_prefix=True)
    rows = Dataset.from_dict({"id": ["n"], "text": [NOTICE]}).map(
        chunker, batched=True, remove_columns=["id", "text"]
    )
    for row in rows:
        own = NOTICE[row["char_start"] : row["char_end"]]
        assert row["text"].endswith(own)
        assert len(tokenizer(row["text"])["input_ids"]) == row["num_tokens"] <= 64
    assert rows[-1]["text"].startswith("## Effets\n")
    assert "".join(chunker.split(NOTICE)) == NOTICE  # the text itself has no repetition


def test_a_heading_too_long_is_not_repeated(tokenizer):
    text = "# " + "Contre-indications et précautions " * 3 + "\n" + SENTENCE * 8
    assert all(not chunk.prefix for chunk in check(tokenizer, 24, text))


def test_without_it_nothing_changes(tokenizer, sample_texts):
    plain = HierarchicalChunker(tokenizer, 64)
    assert all(not c.prefix for chunks in plain.encode(sample_texts[:5]) for c in chunks)


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("## Posologie", True),
        ("4.2. Posologie", True),
        ("IV. Discussion", True),
        ("CONTRE-INDICATIONS ABSOLUES", True),
        ("Prenez un comprimé.", False),
        ("3,9 mmol/l", False),
        ("HTA, BPCO.", False),
        ("- asthme", False),
        ("1 g le matin et le soir", False),
        ("20 mg le soir", False),
        ("38 ans, fumeur", False),
        ("15 mars 2024", False),
        ("12 rue de Rivoli", False),
        ("M. DUPONT JEAN", False),
        ("DOLIPRANE 1000 MG", False),
        ("2. EFFETS INDÉSIRABLES", True),
    ],
)
def test_lines_that_are_headings(line, heading):
    text = f"Le patient va bien.\n{line}\nIl sort demain avec son traitement."
    assert (Headings(text).above(len(text) - 3) == line) is heading


def test_a_heading_is_not_repeated_before_itself():
    text = "Fin.\n\n   ## Effets\n" + SENTENCE
    headings = Headings(text)
    for place in range(text.index("\n"), text.index("##") + 1):
        assert headings.above(place) == "", place
    assert headings.above(text.index("Prenez")) == "## Effets"


@pytest.mark.timeout(60)
def test_one_heading_above_a_huge_section_stays_linear():
    """Copies of the text between would be terabytes here."""
    headings = Headings("## Effets\n" + "mot " * 2_500_000)
    assert all(headings.above(place) == "## Effets" for place in range(100, 10_000_000, 50))


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("EXAMEN CLINIQUE\nNormal.\n\nCONCLUSION\n", "CONCLUSION"),
        ("# Bilan\nNormal.\n\nAntécédents\n-----------\n", "Antécédents"),
        ("# Bilan\nNormal.\n\nMode de vie\n", "Mode de vie"),
        ("# Bilan\nNormal.\n\nANTECEDENTS\n- HTA\n- tabac\n", "ANTECEDENTS"),
        # what is none
        ("# Bilan\nNormal.\n```\n# commentaire\n```\n", "# Bilan"),
        ("# Bilan\n1. Aspirine\n2. Paracétamol\n3. Repos\n", "# Bilan"),
        ("1. Histoire\nNormal.\n2. Examen\n", "2. Examen"),
    ],
)
def test_the_heading_is_that_of_the_section(text, heading):
    whole = text + SENTENCE * 4
    assert Headings(whole).above(len(whole) - 20) == heading

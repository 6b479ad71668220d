"""Declared columns of FineMed and of its rephrased sibling: type and meaning.

Types are regular expressions over Arrow's names of types. Text may be stored as ``large_string``.
"""

from __future__ import annotations

from collections.abc import Mapping

_ENTITIES = r"struct<.*list.*string.*>"
_SCORES = r"list<.*(float|double).*>"
_FLOAT = r"float|double"
_INT = r"int\d+"
FINEMED = {
    "text": ("string", "the document"),
    "id": ("string", "identifier of the document"),
    "dump": ("string", "crawl the page is from"),
    "url": ("string", "address of the page"),
    "date": ("string", "date of the crawl"),
    "file_path": ("string", "file of the crawl"),
    "language": ("string", "language code"),
    "language_score": (_FLOAT, "confidence of the language identifier"),
    "language_script": ("string", "script code"),
    "minhash_cluster_size": (_INT, "near-duplicates of the source's deduplication"),
    "top_langs": ("string", "languages with their scores, JSON"),
    "domain_classification_scores": (_SCORES, "scores of 26 domains"),
    "domain_classification_best_class": ("string", "best of them"),
    "domain_classification_best_score": (_FLOAT, "its score"),
    "num_words": (_INT, "words, split at white space"),
    "health_domain_classification_scores": (_SCORES, "scores of 15 subdomains of health"),
    "health_domain_classification_best_class": ("string", "best of them"),
    "health_domain_classification_best_score": (_FLOAT, "its score"),
    "edu_quality_score": (_FLOAT, "educational quality, as predicted"),
    "edu_quality_normalized_score": (_INT, "the same from 0 to 5, clipped and rounded"),
    "medical_entities": (_ENTITIES, "distinct medical terms by eight classes"),
    "medical_entity_density": (_FLOAT, "share of characters in medical terms"),
}
REPHRASED = FINEMED | {
    "text": ("string", "the rewritten text, generated"),
    "original_text": ("string", "the text it was rewritten from"),
    "original_num_words": (_INT, "words of the original"),
    "rewriting_config": (r"struct<.*>", "model, genre, audience, abbreviation, register"),
    "original_medical_entities": (_ENTITIES, "medical terms of the original"),
    "original_medical_entity_density": (_FLOAT, "density of the original"),
    "original_edu_quality_score": (_FLOAT, "quality of the original"),
    "original_edu_quality_normalized_score": (_INT, "the same from 0 to 5"),
}
OTHERS = {
    "personal_data": "what was found of personal data, by kind, JSON",
    "personal_data_count": "how many pieces of personal data were found",
    "near_duplicates": "near-duplicates that were dropped for this document",
    "cluster_id": "document that stands for this one and its near-duplicates",
    "cluster_size": "documents of that cluster",
    "cluster_rank": "place in the cluster, 0 for the document that stands for it",
    "source": "where the text is from",
    "licence": "licence of the row",
    "license": "licence of the row",
    "document_id": "document it is from",
    "chunk_id": "identifier of the chunk",
    "parent_id": "identifier of the document it is from",
    "annotators": "what annotated each axis",
    "chunk_index": "number of the chunk in its document",
    "char_start": "first character of the chunk in its document",
    "char_end": "character behind its last",
    "num_tokens": "tokens, special tokens counted",
    "tokens": "words",
    "ner_tags": "entity tag of each word (BIO)",
    "pos_tags": "part of speech of each word",
    "label": "class, or score",
    "labels": "classes",
    "text_1": "first text",
    "text_2": "second text",
    "score": "similarity",
    "question": "question",
    **{f"answer_{letter}": f"answer {letter.upper()}" for letter in "abcde"},
    "medical": "whether it is in the medical subset",
    "correct_answers": "correct answers",
    "domain": "domain of the document",
}


def meaning(column: str, declared: Mapping[str, tuple[str, str]]) -> str:
    """What a column holds, as far as its kind of dataset or FineMed declares it.

    Example:
        >>> meaning("url", {})
        'address of the page'
    """
    if column in declared:
        return declared[column][1]
    return OTHERS.get(column, FINEMED[column][1] if column in FINEMED else "")

"""The sentences that a pretraining asks its model about, where none are given."""

SENTENCES = (
    "Le patient est traité par [MASK].",
    "Une fracture du [MASK] est visible à la radiographie.",
    "La patiente présente une douleur [MASK].",
)
"""Made up; cards show these alone: what somebody else asks may be of a patient."""

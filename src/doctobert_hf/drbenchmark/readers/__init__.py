"""Readers of the raw formats: BRAT standoff, UIMA XMI and other XML, CoNLL-like tables."""

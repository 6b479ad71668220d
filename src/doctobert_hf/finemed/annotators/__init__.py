"""Annotators: what fills the three axes and the domain prefilter."""

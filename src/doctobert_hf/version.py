"""The version, alone so that any part may read it."""

__version__ = "0.2.0"

"""Text as training reads it: token stores, their building, packed rows, masked datasets."""

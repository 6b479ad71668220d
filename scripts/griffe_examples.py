"""The site shows ``Example:`` of a docstring as code: griffe knows ``Examples:`` alone."""

import re
from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Renames the section while a docstring is read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename it in the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"^([ ]*)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE
            )

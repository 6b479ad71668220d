"""What a release says of itself: with its public address, absolute links and `[project.urls]`.

The package index shows the README away from the files that it links. Where
``DOCTOBERT_HF_REPOSITORY`` names the address of the repository as a release is built
(``https://host/owner/name``), links lead to the files of the release's tag there; without it, as in
a checkout, they stay as they are and no address is made up.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "DOCTOBERT_HF_REPOSITORY"
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?![a-z]+:|#)(?P<path>[^)\s]+)\)")


class PublicLinks(MetadataHookInterface):
    """Set the fields ``readme`` and ``urls``."""

    def update(self, metadata: dict) -> None:
        """Set them in the metadata of pyproject.toml.

        Raises:
            ValueError: The variable holds something else than an address.
        """
        root = Path(self.root)
        text = (root / "README.md").read_text(encoding="utf-8")
        metadata["urls"] = {}
        if address := os.environ.get(VARIABLE, "").rstrip("/"):
            if not re.fullmatch(r"https://[^/\s]+(?:/[^/\s]+){2,}", address):
                raise ValueError(f"{VARIABLE}: '{address}' is not https://host/owner/name")
            version = (root / "src/doctobert_hf/version.py").read_text(encoding="utf-8")
            tag = "v" + version.rsplit('"', 2)[1]
            text = absolute(text, address, tag)
            metadata["urls"] = {
                "Documentation": f"{address}/blob/{tag}/README.md#pages",
                "Repository": address,
                "Changelog": f"{address}/blob/{tag}/CHANGELOG.md",
                "Issues": f"{address}/issues",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(text: str, address: str, tag: str) -> str:
    """Return Markdown whose links to files of the repository lead to them at a tag."""

    def link(match: re.Match[str]) -> str:
        kind = "raw" if match["picture"] else "blob"
        place = f"{address}/{kind}/{tag}/{match['path']}"
        return f"{match['picture']}[{match['text']}]({place})"

    return _LINK.sub(link, text)

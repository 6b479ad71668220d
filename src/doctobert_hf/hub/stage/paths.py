"""Paths of a machine in what is published: of each, only the last part says something to others."""

from __future__ import annotations

import re
from typing import Any

PATHS = re.compile(
    r"(?:(?<![\w.:/\\-])|(?<=\w::))(?:/(?:home\w*|users?|root|linkhome|pasteur|shared|archive|"
    r"tmp|private|mnt|media|volumes|net|nfs\d*|scratch[\w-]*|lustre\w*|"
    r"gpfs\w*|beegfs\w*|ceph\w*|cluster\w*|projects?|proj|export|efs|fsx|dbfs|storage\w*|ssd\w*|raid\w*|nvme\w*|"
    r"data\d*|work\w*|srv|opt|var|content|kaggle|app|applis?|"
    r"pfs|ccc|sps|pbs|p/(?:project|scratch|home)|vol\w*|nas|zfs|isilon|datalake|"
    r"\w{2,12}_(?:work|scratch)|etc|dev/shm|run/user|autofs|workspaces?|usr/local)"
    # Folders may have blanks: a user's, and any where a file with an ending follows, which
    # "/tmp/x and/or" has not.
    r"(?:(?:(?<=/home)|(?<=/users))/[\w~@+-]+[ ][\w~@+-]+(?=/))?"
    r"(?:(?:/(?:[\w.~@+-]+|[\w~@+-]+(?:[ ][\w~@+-]+){1,3})(?=/)){1,30}"
    r"/[\w~@+-]+\.\w{1,8}(?!\w|\.\w|/)|(?:/[\w.~@+-]+)+)|"
    r"[A-Za-z]:\\{1,2}[\w. -]+\\[\w\\. -]+|[A-Za-z]:/\w[\w.-]*/[\w./ -]+|"
    r"\\\\{1,2}[\w.$-]+\\{1,2}[\w$.-]+\\[\w\\$.-]*|~/[\w.-]+(?:/[\w.-]+)*|"
    r"\$\{?(?:(?-i:[A-Z][A-Z_]{2,})|scratch\w*|work\w*|home|store|tmpdir|projects?)\}?/[\w.-]+(?:/[\w.-]+)*|%[A-Z]{4,}%\\{1,2}[\w\\.-]+)|"
    r"(?<!\w)file:///?[\w./~-]+",
    re.IGNORECASE,
)
"""Paths of a machine, as configurations record them."""
BUCKETS = re.compile(
    r"(?<!\w)(?:s3[an]?|gs|gcs|az|abfss?|wasbs?|adl|hdfs|webhdfs|viewfs|r2|oss|cos|obs|swift|minio|"
    r"dbfs|smb|cifs|nfs|sftp|scp|ssh|rsync)://[\w./@:$-]+|(?<![\w/])(?:dbfs:|hf://buckets)/[\w./-]+|"
    r"(?<!\w)\w{2,12}:///[\w./~-]+|"
    # The same stores, as browsers address them.
    r"https?://(?=[\w.-]{4,253}/)(?:[\w.-]+\.(?:blob|dfs|file)\.core\.windows\.net|"
    r"(?:[\w.-]+\.)?s3[\w.-]*\.amazonaws\.com|storage\.(?:googleapis|cloud\.google)\.com|"
    r"[\w.-]+\.r2\.cloudflarestorage\.com)/[\w./%-]+"
)
"""Addresses of buckets: those a run recorded are the owner's, a card may name public ones."""
_DEEP = re.compile(
    r"(?<![\w.:/\\~@-])/?/[A-Za-z][\w.-]*(?:/[\w.~@+-]+){2,}|(?<![\w./])(?:\.\./)+[\w.-]+(?:/[\w.~@+-]+)+|"
    r"(?<![\w:\\])[A-Za-z]:\\[\w$.~-]+|"
    r"(?<![\w/.@-])(?!git@(?:github\.com|gitlab\.com|bitbucket\.org|hf\.co):)"
    r"[\w.-]+@[\w.-]+:~?/?[\w.~-]+(?:/[\w.~-]+)+|"
    r"(?<![\w/.@-])[a-z][\w.-]+:/(?:[\w.-]+/)+[\w.-]+|(?<![\w/])~[a-z][\w.-]*(?:/[\w.-]+){2,}"
)
"""In what a machine recorded, also: of three parts and more under whatever root, or of a host."""
_QUOTED = re.compile(
    r"(?<=[\"'`“«])\s?(?:/[^\"'`”»\n/]+(?:/[^\"'`”»\n/]+){2,}|[A-Za-z]:\\[^\"'`”»\n]+)(?=\s?[\"'`”»])"
)
"""Between quotes, with blanks wherever they are."""
_ABSOLUTE = re.compile(
    r"/[\w.~@+=,:()%-]+(?:/[\w.~@+=,:()% -]+)+/?|[A-Za-z]:[\\/].*|\\\\.*|//[\w.-]+/[^/].*|"
    r"(?:\./)*\.\./.+"
)
"""A value that is nothing but a path, absolute under whatever root or out of its folder."""
_LABELS = ("id2label", "label2id")  # "mg/kg" and "/jour" are names of classes


def without_paths(value: Any, reduced: list[str] | None = None) -> Any:
    """Reduce every path in a configuration to its last part.

    Args:
        value: What JSON or YAML holds.
        reduced: Takes the last parts of what was reduced, to tell of them.

    Returns:
        The same with names instead of paths; keys stay as they are.

    Example:
        >>> without_paths({"data": "/lustre/fsn1/projects/abc/notes.parquet", "id": "almanach/x"})
        {'data': 'notes.parquet', 'id': 'almanach/x'}
    """
    told = [] if reduced is None else reduced
    if isinstance(value, dict):
        return {
            key: item if key in _LABELS else without_paths(item, told)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_paths(item, told) for item in value]
    if not isinstance(value, str):
        return value
    if _ABSOLUTE.fullmatch(value):
        told.append(_last(value))
        return told[-1]

    def shorter(match: re.Match[str]) -> str:
        told.append(_last(match[0]))
        return told[-1]

    for pattern in (_QUOTED, PATHS, BUCKETS, _DEEP):
        value = pattern.sub(shorter, value)
    return value


_PERSON = re.compile(r"(?:\A|[\\/])(?:home\w*|users)[\\/]+[^\\/]+[\\/]*\Z", re.IGNORECASE)
"""A person's folder: its last part is a login."""


def _last(path: str) -> str:
    if _PERSON.search(path.strip()):
        return "home"
    return re.split(r"[/\\]+", path.rstrip("/\\ "))[-1]

"""Requests that end: no call of ``huggingface_hub`` waits longer for a sign of the server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

SILENCE = 30.0
"""Seconds without a sign of the server after which a request has failed, where
``DOCTOBERT_HUB_TIMEOUT`` does not say otherwise."""
_XET = {
    "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
    "HF_XET_CLIENT_MAX_XORB_GRANT_ATTEMPTS": "1",
    "HF_XET_CLIENT_RETRY_MAX_DURATION": "30s",
    "HF_XET_CLIENT_CONNECT_TIMEOUT": "10s",
    "HF_XET_CLIENT_READ_TIMEOUT": "10s",
}
"""Bounds of the Hub's storage for large files; its own are minutes. The user's stand above them."""


@contextlib.contextmanager
def bounded_requests(seconds: float | None = None) -> Iterator[None]:
    """Let no request wait longer for a sign of the server; ``huggingface_hub`` waits for ever."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    before = getattr(_http, "_GLOBAL_CLIENT_FACTORY", None)
    plain = before or _http.default_client_factory

    for name, value in _XET.items():
        os.environ.setdefault(name, value)
    given = os.environ.get("DOCTOBERT_HUB_TIMEOUT", "")
    longest = seconds or (float(given) if given.replace(".", "", 1).isdigit() else SILENCE)

    def bounded() -> Any:
        client: Any = plain()
        # Many calls pass timeout=None on, which stands above the client's own.
        hooks = client.event_hooks
        client.event_hooks = {**hooks, "request": [*hooks.get("request", []), limit]}
        return client

    def limit(request: Any) -> None:
        given = request.extensions.get("timeout") or {}
        commit = "/commit/" in request.url.path  # the Hub works on it before it answers
        seconds = longest * 10 if commit else longest
        request.extensions["timeout"] = {
            kind: given.get(kind) or seconds for kind in ("connect", "read", "write", "pool")
        }

    set_client_factory(bounded)
    try:
        yield
    finally:
        set_client_factory(plain)

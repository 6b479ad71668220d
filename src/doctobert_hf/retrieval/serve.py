"""A small HTTP service over an index: JSON for programs, one page for people.

It listens on this machine only unless another host is named: an index of a hospital's notes has no
password of its own.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doctobert_hf.errors import DoctobertError, UsageError
from doctobert_hf.retrieval.index import METHODS, Index
from doctobert_hf.retrieval.index_folder import ABOUT

MOST = 100
"""Documents of an answer at most."""


def require_fastapi() -> None:
    """Raise where the service's libraries are not installed.

    Raises:
        UsageError: With the command that installs them.
    """
    names = {"fastapi": "fastapi", "uvicorn": "uvicorn", "fastapi_offline": "fastapi-offline"}
    missing = [name for module, name in names.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(
            f"The service needs {' and '.join(missing)}",
            "them installed",
            "Install them: pip install 'doctobert-hf[serve]'",
        )


class Current:
    """An index in a folder as it is now: opened again where ``add`` or ``delete`` changed it.

    Args:
        folder: The index.
        model: Where its model is now; default: where it was.
        engine_place: Where its engine's server is now; default: where it was.
    """

    def __init__(
        self, folder: Path, model: str | None = None, engine_place: str | None = None
    ) -> None:
        self._folder, self._model, self._engine_place = folder, model, engine_place
        self._lock = threading.Lock()
        self._seen = self._state()
        self._index = Index.load(folder, model, engine_place)

    def _state(self) -> tuple[int, int] | None:
        try:
            found = (self._folder / ABOUT).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def __call__(self) -> Index:
        """Return it.

        Raises:
            DoctobertError: What stands there now cannot be opened.
        """
        state = self._state()
        if state != self._seen:
            with self._lock:
                if state != self._seen:
                    model = self._index.opened_model or self._model
                    self._index = Index.load(self._folder, model, self._engine_place)
                    self._seen = state
        return self._index


_HERE = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""


def make_app(index: Index | Current, name: str, hosts: Sequence[str] = ()) -> Any:
    """Return the service as an ASGI application.

    ``GET /search?q=...&top=10&method=hybrid&filter=...`` gives hits as ``retrieval search --json``;
    ``GET /`` is the page, ``/docs`` the description by OpenAPI, ``/health`` says that it is up. No
    page asks another host for anything: hospitals have no Internet.

    Args:
        index: The index, or one that may change while it is served.
        name: What the page calls it.
        hosts: Names that it may be asked by; empty: any. Else a page of the web could have its own
            name lead here, and read what is found.

    Raises:
        UsageError: FastAPI is not installed.
    """
    require_fastapi()
    from fastapi import HTTPException, Query
    from fastapi.responses import HTMLResponse
    from fastapi_offline import FastAPIOffline

    from doctobert_hf.version import __version__

    app = FastAPIOffline(
        redoc_url=None,
        title=f"doctobert-hf: {name}",
        version=__version__,
        swagger_ui_parameters={"validatorUrl": None},  # else it shows the description to a service
    )

    if hosts:
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    def now() -> Index:
        """Return the index; 503 where it cannot be opened."""
        try:
            return index() if isinstance(index, Current) else index
        except DoctobertError as error:
            raise HTTPException(503, str(error)) from error

    def methods() -> list[str]:
        index = now()
        return ["lexical"] if index.kind == "bm25" else [index.default_method, "lexical", "hybrid"]

    @app.get("/health")
    def health() -> dict[str, Any]:
        """Say what is served."""
        index = now()
        found = {"documents": len(index), "kind": index.kind, "methods": methods()}
        return {"status": "ok"} | found

    @app.get("/search", responses={503: {"description": "the index cannot be searched now"}})
    def search(
        q: str = Query(min_length=1, max_length=2000, description="the question"),
        top: int = Query(10, ge=1, le=MOST, description="most documents"),
        method: str | None = Query(None, description=" | ".join(METHODS)),
        filter: str | None = Query(None, max_length=2000, description="over documents' columns"),
    ) -> dict[str, Any]:
        """Answer a question."""
        index = now()
        try:
            hits = index.search(q, top, method, filter)  # type: ignore[arg-type]
            words = index.bm25.words(q)[1]
        except DoctobertError as error:
            raise HTTPException(_status(index, filter, error), str(error)) from error
        return {"hits": [asdict(hit) for hit in hits], "unknown_words": words}

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page() -> str:
        """The page for people."""
        import html

        options = "".join(f"<option>{method}</option>" for method in methods())
        page = (Path(__file__).parent / "search.html").read_text(encoding="utf-8")
        return (
            page.replace("{{name}}", html.escape(name))
            .replace("{{methods}}", options)
            .replace("{{documents}}", f"{len(now()):,}".replace(",", "\u202f"))
        )

    return app


def _status(index: Index, condition: str | None, error: DoctobertError) -> int:
    """Return 422 for a wrong question, 503 where what is searched fails: a server, a file."""
    if isinstance(error, UsageError):
        return 422
    try:
        index.allowed(condition)
    except DoctobertError:
        return 422
    return 503


def serve(
    folder: Path, host: str, port: int, model: str | None = None, engine_place: str | None = None
) -> None:
    """Serve an index until it is stopped.

    Args:
        folder: The index.
        host: Address to listen on.
        port: Port; 0: any free one.
        model: Where the index's model is now; default: where it was.
        engine_place: Where its engine's server is now; default: where it was.

    Raises:
        UsageError: No index, a port that is taken, or FastAPI is missing.
    """
    require_fastapi()
    import socket

    import uvicorn

    current = Current(folder, model, engine_place)
    index = current()
    if index.vectors is not None:
        index.model  # noqa: B018 - a model that is missing is told now, not at the first question
    # the check of some versions leaves "[" of "[::1]:8000"
    own = (*_HERE, "[::1]", "[") if host in _HERE else ()
    app = make_app(current, folder.resolve().name, own)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)  # whoever reads the address may ask at once
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(
            f"Cannot listen on {host}, port {port} ({error})",
            "a free port",
            "Choose another --port",
        ) from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    if host not in _HERE:
        print(f"warning: {host} can be reached by others; the service asks for no password",
              file=sys.stderr)  # fmt: skip
    print(f"{len(index):,} documents at {address} (page), {address}/docs (for programs)",
          file=sys.stderr)  # fmt: skip
    print(address, flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    server.run(sockets=[listener])

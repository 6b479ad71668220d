"""A staged folder becomes one commit, or one pull request, or nothing.

``huggingface_hub`` sends the files and repeats what fails on the way; large files that arrived are
not sent twice. Here is what it leaves open: the commit itself is repeated only when the Hub's own
state says that it did not happen, and never over another person's commit to the same files.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace as replaced
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import DoctobertError, OutputError, UsageError
from doctobert_hf.hub.merging import Changes, Remote
from doctobert_hf.hub.package import MANIFEST, Package
from doctobert_hf.hub.preflight import check_folder, redact, refuse, tokens_in_use

if TYPE_CHECKING:
    from huggingface_hub import HfApi

logger = logging.getLogger(__name__)
TRANSIENT = (408, 429, 500, 502, 503, 504)
ATTEMPTS = 5
WAIT = 1.0
SILENCE = 30.0
"""Seconds without a sign of the server after which a request has failed, where
``DOCTOBERT_HUB_TIMEOUT`` does not say otherwise."""


@dataclass(frozen=True)
class Published:
    """What a push came to.

    Attributes:
        url: Address of the repository, or of the pull request.
        commit: Commit that holds it.
        changed: False if everything was there already.
        changes: What it did to the repository.
    """

    url: str
    commit: str
    changed: bool
    changes: Changes = field(default_factory=Changes)


def publish(
    package: Package,
    private: bool = False,
    create_pr: bool = False,
    revision: str | None = None,
    message: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    allow: tuple[str, ...] = (),
    replace: tuple[str, ...] = (),
    relicense: bool = True,
) -> Published:
    """Publish a package atomically.

    Args:
        package: What to publish; its card is rendered anew over the one on the Hub.
        private: Whether a repository that is created is private.
        create_pr: Propose a pull request instead of committing.
        revision: Branch; created if it is not there.
        message: First line of the commit.
        token: Token of the Hub; default: the one that is logged in.
        endpoint: Address of the Hub; default: ``$HF_ENDPOINT``.
        allow: Fingerprints of what looks like a secret and is none.
        replace: Configurations, or ``README.md``, of the Hub that may be replaced.
        relicense: Whether the licence was said for this push.

    Raises:
        UsageError: The token, the rights, or the repository's kind are wrong.
        OutputError: The Hub or the way to it failed for good; nothing was published.
        PreflightError: Something must not be published.
    """
    from huggingface_hub import HfApi

    tokens = tokens_in_use(token)
    api = HfApi(endpoint=endpoint, token=token)
    hub = _Hub(api, package, revision, create_pr, tokens)
    with_errors = _Explained(package.repo_id, tokens)
    with with_errors, bounded_requests():
        hub.open(private)
        for _ in range(ATTEMPTS):
            remote = hub.read()
            _check_kind(package, remote)
            _, changes = package.write_card(remote, replace, relicense)
            found = check_folder(
                *(package.folder, package.repo_type, package.allowed, tokens, package.elsewhere)
            )
            refuse(found, allow)
            done = hub.commit(remote, changes, message or f"Publish {package.kind}")
            if done is not None:
                return replaced(done, changes=changes)
    raise OutputError(
        f"Others kept committing to {package.repo_id} while this was sent",
        fix="Nothing of this was published; run the same command again, or use --create-pr",
    )


def _manifest(text: str) -> dict[str, Any]:
    """Read what an earlier push of ours wrote.

    Raises:
        UsageError: The file of that name is somebody else's.
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("files", {}), dict):
        raise UsageError(
            f"{MANIFEST} on the Hub is not one that this tool wrote",
            "a repository without a file of that name",
            "Rename it there, or choose another repository",
        )
    return found


def present_state(package: Package, target: Any) -> Remote | None:
    """Read what stands on the Hub, for a dry run; None where there is nothing, or no way to it.

    Asked once, with a short wait: a dry run works without a connection too.
    """
    from huggingface_hub import HfApi, constants

    if constants.is_offline_mode():
        return None
    api = HfApi(endpoint=target.endpoint, token=target.token)
    hub = _Hub(api, package, target.revision, False, [])
    try:
        with bounded_requests(5.0), at_most(1):
            return hub.read()
    except Exception as error:
        if _status(error) not in (401, 404):
            logger.warning("The Hub's present state could not be read: nothing is compared")
        return None


def _check_kind(package: Package, remote: Remote) -> None:
    kind = remote.manifest.get("kind")
    if kind is not None and kind != package.kind:
        raise UsageError(
            f"{package.repo_id} holds a publication of kind '{kind}', this one is "
            f"'{package.kind}': it would replace it",
            "a repository of the same kind",
            "Choose another name, or another --revision",
        )


class _Hub:
    """One repository and branch."""

    def __init__(
        self,
        api: HfApi,
        package: Package,
        revision: str | None,
        create_pr: bool,
        tokens: list[str],
    ) -> None:
        self.api = api
        self.package = package
        self.revision = revision
        self.create_pr = create_pr
        self.tokens = tokens
        self.where: dict[str, Any] = {
            "repo_id": package.repo_id,
            "repo_type": package.repo_type,
        }

    def open(self, private: bool) -> None:
        """Create the repository and the branch where they are not there."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = _patiently(lambda: self.api.repo_info(**self.where))
            if private and not info.private:
                raise UsageError(
                    f"{self.package.repo_id} exists and is public",
                    "a private repository, as --private asks",
                    "Make it private in its settings, choose another name, or leave --private out",
                )
        except RepositoryNotFoundError:
            # A 401 looks the same; creating tells them apart.
            # Not asked for, an organisation's own default holds.
            wanted = True if private else None
            _patiently(lambda: self.api.create_repo(**self.where, private=wanted, exist_ok=True))
        if self.revision is not None:
            branch: str = self.revision
            _patiently(lambda: self.api.create_branch(**self.where, branch=branch, exist_ok=True))

    def read(self) -> Remote:
        """Read head, card and the list of what an earlier push wrote."""
        from huggingface_hub.hf_api import RepoFile

        head = str(_patiently(lambda: self.api.repo_info(**self.where, revision=self.revision)).sha)
        tree = _patiently(
            lambda: list(self.api.list_repo_tree(**self.where, revision=head, recursive=True))
        )
        files = {item.path: item.blob_id for item in tree if isinstance(item, RepoFile)}
        card = self._text("README.md", head) if "README.md" in files else None
        manifest = _manifest(self._text(MANIFEST, head)) if MANIFEST in files else {}
        return Remote(head, card, manifest, files)

    def _text(self, name: str, revision: str) -> str:
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            path = _patiently(
                lambda: self.api.hf_hub_download(
                    **self.where, filename=name, revision=revision, cache_dir=folder
                )
            )
            return Path(path).read_text(encoding="utf-8")

    def commit(self, remote: Remote, changes: Changes, message: str) -> Published | None:
        """Make the commit; None if others committed meanwhile and it must be planned anew."""
        operations = self._operations(changes)
        before = self._pull_requests() if self.create_pr else set()
        # Large files first: those that arrived are not sent again with the commit.
        _patiently(
            lambda: self.api.preupload_lfs_files(
                **self.where,
                additions=[op for op in operations if hasattr(op, "upload_info")],
                revision=self.revision,
                create_pr=self.create_pr,
                free_memory=False,
            )
        )
        for attempt in range(ATTEMPTS):
            try:
                info = self.api.create_commit(
                    **self.where,
                    operations=operations,
                    commit_message=message,
                    revision=self.revision,
                    create_pr=self.create_pr,
                    parent_commit=remote.head,
                )
                return Published(info.pr_url or self._url(), info.oid, info.oid != remote.head)
            except Exception as error:
                status = _status(error)
                if status in (409, 412):
                    landed = _patiently(lambda: self._landed(remote, before))
                    if landed is not None:  # ours, sent again because its answer took too long
                        return landed
                    self._check_untouched(remote)
                    logger.warning("Someone else committed meanwhile; planning again")
                    return None
                if not (status in TRANSIENT or _is_network(error)):
                    raise
                landed = _patiently(lambda: self._landed(remote, before))
                if landed is not None:
                    return landed
                if attempt + 1 == ATTEMPTS:
                    raise
                wait = _retry_after(error) or WAIT * 2**attempt
                reason = status or type(error).__name__
                logger.warning("The commit was not taken (%s); again in %.0f s", reason, wait)
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _operations(self, changes: Changes) -> list[Any]:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        root = self.package.folder
        names = {path.relative_to(root).as_posix(): path for path in self.package.files()}
        # What an earlier push wrote and this one does not would be read as part of the dataset.
        return [
            *(CommitOperationAdd(path_in_repo=n, path_or_fileobj=str(p)) for n, p in names.items()),
            *(CommitOperationDelete(path_in_repo=name) for name in changes.removed),
        ]

    def _url(self) -> str:
        prefix = "datasets/" if self.package.repo_type == "dataset" else ""
        return f"{self.api.endpoint}/{prefix}{self.package.repo_id}"

    def _pull_requests(self) -> set[str]:
        refs = _patiently(lambda: self.api.list_repo_refs(**self.where, include_pull_requests=True))
        return {ref.ref for ref in refs.pull_requests or []}

    def _landed(self, remote: Remote, before: set[str]) -> Published | None:
        """Tell whether a commit whose answer was lost is there: then it is not made twice."""
        ours = (self.package.folder / MANIFEST).read_text(encoding="utf-8")
        if self.create_pr:
            places = sorted(self._pull_requests() - before)
        else:
            head = str(self.api.repo_info(**self.where, revision=self.revision).sha)
            places = [head] if head != remote.head else []
        for place in places:
            try:
                if self._text(MANIFEST, place) == ours:
                    number = place.rsplit("/", 1)[-1]
                    url = f"{self._url()}/discussions/{number}" if self.create_pr else self._url()
                    commit = str(self.api.repo_info(**self.where, revision=place).sha)
                    return Published(url, commit, True)
            except Exception as error:
                if _status(error) != 404:
                    raise
        return None

    def _check_untouched(self, remote: Remote) -> None:
        """Raise if the other commit changed a file that this one writes, the card excepted.

        The card is rendered anew over the other's, so that edits between markers stay.
        """
        now = self.read()
        ours = {path.relative_to(self.package.folder).as_posix() for path in self.package.files()}
        touched = sorted(
            name
            for name in (remote.files.keys() | now.files.keys()) & ours
            if name != "README.md" and remote.files.get(name) != now.files.get(name)
        )
        if touched:
            raise OutputError(
                f"Someone else changed {', '.join(touched[:5])} of {self.package.repo_id} "
                "while this was sent",
                "no other writer",
                "Nothing of this was published: look at their commit, then run the command again "
                "to replace it, or use --create-pr",
            )


_attempts = ATTEMPTS


@contextlib.contextmanager
def at_most(attempts: int) -> Iterator[None]:
    """Repeat requests at most so often within the block."""
    global _attempts
    before, _attempts = _attempts, attempts
    try:
        yield
    finally:
        _attempts = before


@contextlib.contextmanager
def bounded_requests(seconds: float | None = None) -> Iterator[None]:
    """Let no request wait longer for a sign of the server; ``huggingface_hub`` waits for ever."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    before = getattr(_http, "_GLOBAL_CLIENT_FACTORY", None)
    plain = before or _http.default_client_factory

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


def _patiently(call: Callable[[], Any]) -> Any:
    """Repeat a request that may be repeated, where the Hub or the way to it stumbles."""
    for attempt in range(_attempts):
        try:
            return call()
        except Exception as error:
            last = attempt + 1 == _attempts
            if last or not (_status(error) in TRANSIENT or _is_network(error)):
                raise
            time.sleep(_retry_after(error) or WAIT * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def _status(error: BaseException | None) -> int | None:
    """The HTTP status behind an error, also where it is wrapped."""
    for cause in _causes(error):
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            return int(status)
    return None


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return min(float(headers["Retry-After"]), 600.0)
    except (KeyError, ValueError):
        return None


def _is_network(error: BaseException) -> bool:
    """Whether the connection failed: httpx, or httpx2 since huggingface_hub 2."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    cause: BaseException | None = error
    while cause is not None:  # huggingface_hub 1 wraps what an upload of a large file raises
        names = {cls.__name__ for cls in type(cause).__mro__}
        if isinstance(cause, OfflineModeIsEnabled):
            return False
        if names & {"TransportError", "NetworkError"} or isinstance(cause, ConnectionError):
            return True
        cause = cause.__cause__
    return False


class _Explained:
    """Turns errors of the Hub into ours, without the token."""

    def __init__(self, repo_id: str, tokens: list[str]) -> None:
        self.repo_id, self.tokens = repo_id, tokens

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, DoctobertError) or not isinstance(error, Exception):
            return
        known = explain(error, self.repo_id, self.tokens)
        if known is not None:
            # The original's text may quote what was sent.
            raise known from None


def explain(error: Exception, repo_id: str, tokens: list[str]) -> DoctobertError | None:
    """Say what an error of the Hub means and what to do; None for an error of another kind."""
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    nothing = "Nothing was published"
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in _causes(error)):
        return UsageError("HF_HUB_OFFLINE is set", "a connection", "Unset it, or use --dry-run")
    status = _status(error)
    if isinstance(error, LocalTokenNotFoundError) or status == 401:
        return UsageError(
            f"The Hub does not accept the token for {repo_id} (401: none, wrong or expired)",
            "a token with write access",
            f"Log in with 'hf auth login', or set HF_TOKEN. {nothing}",
        )
    if status == 403:
        return UsageError(
            f"The token has no right to write to {repo_id} (403)",
            "a token with write access",
            f"Ask its owner, or use --create-pr. {nothing}",
        )
    text = redact(" ".join(str(error).split()), tokens)[:300]
    if status is not None and status < 500 and status not in TRANSIENT:
        return UsageError(f"The Hub refused {repo_id} ({status}): {text}", fix=nothing)
    if status is not None or any(map(_is_network, _causes(error))):
        cause = f"{status}" if status is not None else type(error.__cause__ or error).__name__
        return OutputError(
            f"The Hub could not be reached or failed ({cause}) while sending {repo_id}: {text}",
            fix=f"{nothing}; run the same command again: files that arrived are not sent twice",
        )
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__

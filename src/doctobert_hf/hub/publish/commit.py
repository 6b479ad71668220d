"""A staged folder becomes one commit, or one pull request, or nothing.

``huggingface_hub`` sends the files and repeats what fails on the way; large files that arrived are
not sent twice. Here is what it leaves open: the commit itself is repeated only when the Hub's own
state says that it did not happen, and never over another person's commit to the same files.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field, replace as replaced
from typing import TYPE_CHECKING, Any

from doctobert_hf.errors import OutputError, UsageError
from doctobert_hf.hub.publish.connection import (
    ATTEMPTS,
    TRANSIENT,
    WAIT,
    Explained,
    at_most,
    is_network,
    patiently,
    retry_after,
    status_of,
)
from doctobert_hf.hub.stage.merging import Changes, Remote
from doctobert_hf.hub.stage.package import MANIFEST, Package
from doctobert_hf.hub.stage.preflight import check_folder, refuse, tokens_in_use
from doctobert_hf.requests import bounded_requests

if TYPE_CHECKING:
    from huggingface_hub import HfApi

logger = logging.getLogger(__name__)


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
    with_errors = Explained(package.repo_id, tokens)
    with with_errors, bounded_requests():
        hub.open(private)
        try:
            for _ in range(ATTEMPTS):
                remote = hub.read()
                _check_kind(package, remote)
                _, changes = package.write_card(remote, replace, relicense)
                found = check_folder(
                    *(package.folder, package.repo_type, package.allowed, tokens),
                    package.elsewhere,
                )
                refuse(found, allow)
                done = hub.commit(remote, changes, message or f"Publish {package.kind}")
                if done is not None:
                    return replaced(done, changes=changes)
        except BaseException:
            hub.remove_if_empty()
            raise
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
            if target.private:
                hub.check_private(api.repo_info(**hub.where))
            return hub.read()
    except UsageError:
        raise  # what the push itself would say
    except Exception as error:
        if status_of(error) not in (401, 404):
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
        self.made_here = False
        self.where: dict[str, Any] = {
            "repo_id": package.repo_id,
            "repo_type": package.repo_type,
        }

    def check_private(self, info: Any) -> None:
        """Refuse a repository that is public where ``--private`` was asked for.

        Raises:
            UsageError: It is.
        """
        if not info.private:
            raise UsageError(
                f"{self.package.repo_id} exists and is public",
                "a private repository, as --private asks",
                "Make it private in its settings, choose another name, or leave --private out",
            )

    def open(self, private: bool) -> None:
        """Create the repository and the branch where they are not there."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = patiently(lambda: self.api.repo_info(**self.where))
            if private:
                self.check_private(info)
        except RepositoryNotFoundError:
            # A 401 looks the same; creating tells them apart.
            # Not asked for, an organisation's own default holds.
            wanted = True if private else None
            patiently(lambda: self.api.create_repo(**self.where, private=wanted, exist_ok=True))
            self.made_here = True
        if self.revision is not None:
            branch: str = self.revision
            patiently(lambda: self.api.create_branch(**self.where, branch=branch, exist_ok=True))

    def remove_if_empty(self) -> None:
        """Take back a repository that this push created and could not fill."""
        if not self.made_here:
            return
        try:
            with at_most(1):
                tree = patiently(lambda: list(self.api.list_repo_tree(**self.where)))
                if {item.path for item in tree} <= {".gitattributes"}:
                    patiently(lambda: self.api.delete_repo(**self.where))
        except Exception as error:
            logger.warning(
                "%s was created and is empty; it could not be taken back (%s): delete it in its "
                "settings, or run the same command again",
                *(self.package.repo_id, status_of(error) or type(error).__name__),
            )

    def read(self) -> Remote:
        """Read head, card and the list of what an earlier push wrote."""
        from huggingface_hub.hf_api import RepoFile

        head = str(patiently(lambda: self.api.repo_info(**self.where, revision=self.revision)).sha)
        tree = patiently(
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
            path = patiently(
                lambda: self.api.hf_hub_download(
                    **self.where, filename=name, revision=revision, cache_dir=folder
                )
            )
            return Path(path).read_text(encoding="utf-8")

    def commit(self, remote: Remote, changes: Changes, message: str) -> Published | None:
        """Make the commit; None if others committed meanwhile and it must be planned anew."""
        operations = self._operations(changes)
        before = self._pull_requests() if self.create_pr else set()
        if before and (proposed := self._proposed(before)) is not None:
            return proposed
        # Large files first: those that arrived are not sent again with the commit.
        patiently(
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
                status = status_of(error)
                if status in (409, 412):
                    landed = patiently(lambda: self._landed(remote, before))
                    if landed is not None:  # ours, sent again because its answer took too long
                        return landed
                    self._check_untouched(remote)
                    logger.warning("Someone else committed meanwhile; planning again")
                    return None
                if not (status in TRANSIENT or is_network(error)):
                    raise
                landed = patiently(lambda: self._landed(remote, before))
                if landed is not None:
                    return landed
                if attempt + 1 == ATTEMPTS:
                    raise
                wait = retry_after(error) or WAIT * 2**attempt
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
        refs = patiently(lambda: self.api.list_repo_refs(**self.where, include_pull_requests=True))
        return {ref.ref for ref in refs.pull_requests or []}

    def _proposed(self, requests: set[str]) -> Published | None:
        """Return the open pull request that already proposes exactly this."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            found = patiently(
                lambda: list(
                    self.api.get_repo_discussions(
                        **self.where, discussion_type="pull_request", discussion_status="open"
                    )
                )
            )
            still = {f"refs/pr/{item.num}" for item in found}
        except HfHubHTTPError as error:
            if status_of(error) != 404:  # discussions are switched off: their state is not known
                raise
            still = requests
        done = self._same(sorted(requests & still))
        return None if done is None else replaced(done, changed=False)

    def _landed(self, remote: Remote, before: set[str]) -> Published | None:
        """Return whether a commit whose answer was lost is there: then it is not made twice."""
        if self.create_pr:
            return self._same(sorted(self._pull_requests() - before))
        head = str(self.api.repo_info(**self.where, revision=self.revision).sha)
        return self._same([head] if head != remote.head else [])

    def _same(self, places: list[str]) -> Published | None:
        """Return the first of some commits or pull requests that holds exactly this package."""
        ours = (self.package.folder / MANIFEST).read_text(encoding="utf-8")
        for place in places:
            try:
                if self._text(MANIFEST, place) == ours:
                    number = place.rsplit("/", 1)[-1]
                    url = f"{self._url()}/discussions/{number}" if self.create_pr else self._url()
                    commit = str(self.api.repo_info(**self.where, revision=place).sha)
                    return Published(url, commit, True)
            except Exception as error:
                if status_of(error) != 404:
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

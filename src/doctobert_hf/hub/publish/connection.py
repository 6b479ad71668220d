"""The way to the Hub: requests that end, are repeated where that is right, and errors that say why.

``huggingface_hub`` raises what the network raised; here what may be repeated is, and an error says
what it means and what to do.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from doctobert_hf.errors import DoctobertError, OutputError, UsageError
from doctobert_hf.hub.stage.preflight import redact

logger = logging.getLogger(__name__)
TRANSIENT = (408, 429, 500, 502, 503, 504)
ATTEMPTS = 5
WAIT = 1.0
LONGEST = 45.0
"""Seconds of waiting for a silent server after which a request is not repeated."""


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


def patiently(call: Callable[[], Any]) -> Any:
    """Repeat a request that may be repeated, where the Hub or the way to it stumbles; tell it."""
    waited = 0.0
    for attempt in range(_attempts):
        begun = time.monotonic()
        try:
            return call()
        except Exception as error:
            waited += time.monotonic() - begun
            last = attempt + 1 == _attempts or is_xet(error)  # it has repeated by itself
            if last or not (status_of(error) in TRANSIENT or is_network(error)):
                raise
            if waited > LONGEST:
                raise
            wait = retry_after(error) or WAIT * 2**attempt
            why = status_of(error) or type(error).__name__
            logger.warning("The Hub does not answer (%s); asked again in %.0f s", why, wait)
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status behind an error, also where it is wrapped."""
    for cause in causes(error):
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            return int(status)
    return None


def retry_after(error: BaseException) -> float | None:
    """Seconds that the Hub asks to wait; None where it does not."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return min(float(headers["Retry-After"]), 600.0)
    except (KeyError, ValueError):
        return None


def is_network(error: BaseException) -> bool:
    """Return whether the connection failed: httpx, or httpx2 since huggingface_hub 2."""
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


def is_xet(error: BaseException) -> bool:
    """Return whether the Hub's storage for large files (Xet) raised: it has its own addresses."""
    for cause in causes(error):
        trace = cause.__traceback__
        while trace is not None:
            if "xet" in trace.tb_frame.f_code.co_name.lower():
                return True
            trace = trace.tb_next
    return False


class Explained:
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
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in causes(error)):
        return UsageError(
            "HF_HUB_OFFLINE is set",
            "a connection",
            "Unset it; a --dry-run, or a folder on this machine, needs none",
        )
    status = status_of(error)
    if isinstance(error, LocalTokenNotFoundError) or status == 401:
        return UsageError(
            f"The Hub does not accept the token for {repo_id} (401: none, wrong or expired)",
            "a token with write access",
            f"Log in with 'hf auth login', or set HF_TOKEN. {nothing}",
        )
    said = redact(" ".join(_words(error).split()), tokens)[:300]
    if status == 403 and not is_xet(error) and _QUOTA.search(said):
        return UsageError(
            f"The Hub takes no more for {repo_id} (403); it says: {said}",
            "room or a plan for it",
            f"The token's rights are not the reason: free storage, or ask its owner. {nothing}",
        )
    if status == 403 and not is_xet(error):
        return UsageError(
            f"The token has no right to write to {repo_id} (403)"
            + (f"; the Hub says: {said}" if said else ""),
            "a token with write access",
            f"Ask its owner, or use --create-pr. {nothing}",
        )
    text = redact(" ".join(str(error).split()), tokens)[:300]
    if is_xet(error):
        return OutputError(
            f"The Hub's storage for large files (Xet) could not be reached or refused: {text}",
            fix="Send them the older way: HF_HUB_DISABLE_XET=1 before the same command. Or let "
            f"your network reach the address above. {nothing}",
        )
    if status is not None and status < 500 and status not in TRANSIENT:
        return UsageError(f"The Hub refused {repo_id} ({status}): {text}", fix=nothing)
    if status is not None or any(map(is_network, causes(error))):
        cause = f"{status}" if status is not None else type(error.__cause__ or error).__name__
        return OutputError(
            f"The Hub could not be reached or failed ({cause}) while sending {repo_id}: {text}",
            fix=f"{nothing}; run the same command again: what arrived is not sent twice",
        )
    return None


_QUOTA = re.compile(r"quota|storage|billing|payment|subscription|upgrade|exceed", re.IGNORECASE)
"""What the Hub's words of a 403 have where it is no matter of rights."""


def _words(error: Exception) -> str:
    """The Hub's own words, where an error holds some."""
    for cause in causes(error):
        if said := getattr(cause, "server_message", None):
            return str(said)
    return ""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__

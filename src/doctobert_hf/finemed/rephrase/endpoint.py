"""An OpenAI-compatible endpoint as datatrove's inference runner takes one.

datatrove's own client gives up on 429 and waits five seconds before it tries a broken connection
again; this one obeys ``Retry-After``, keeps to a rate, counts failures in a row, and tells a
request that failed from an endpoint that is down.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
import time
from typing import TYPE_CHECKING, Any

from datatrove.pipeline.inference.servers import InferenceServer
from datatrove.pipeline.inference.types import InferenceError, ServerError

if TYPE_CHECKING:
    from datatrove.pipeline.inference.run_inference import InferenceConfig

    from doctobert_hf.finemed.config import RephraseConfig

PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 529}
"""Statuses that may pass: too early, too many, overloaded, broken for the moment."""
_REFUSED = {401, 403, 404}
"""Statuses that no further request will change: key, right or address are wrong."""
_DISLIKED = {400, 422}
"""Statuses of a request that the server does not take as it is: too long, or a field it lacks."""
_UNKNOWN = (
    r"unrecogni[sz]ed|unknown|unexpected|extra|unsupported|not (?:permitted|supported|allowed)"
    r"|does not support"
)
_LENGTH, _NEW_LENGTH = "max_tokens", "max_completion_tokens"
_NEEDED = {"model", "messages", _LENGTH, _NEW_LENGTH}
logger = logging.getLogger(__name__)


class Endpoint(InferenceServer):
    """The client.

    Args:
        config: datatrove's settings.
        rank: Part.
        settings: The stage's settings.
        again: Whether it is asked for what failed before: failures in a row say little then.
    """

    def __init__(
        self, config: InferenceConfig, rank: int, settings: RephraseConfig, again: bool = False
    ) -> None:
        super().__init__(config, rank)
        self.settings, self.again = settings, again
        self._failed_in_a_row = 0
        self._disliked_in_a_row = 0
        self._left_out: set[str] = set()
        self._renamed: dict[str, str] = {}
        self._next_slot = 0.0
        self._client: Any = None

    async def start_server(self) -> None:
        """Open the client; the server is somebody else's."""
        import httpx

        key = os.environ.get(self.settings.endpoint_key_variable, "")
        self._client = httpx.AsyncClient(
            timeout=self.settings.timeout,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=self.settings.requests_at_once),
        )

    async def monitor_health(self) -> None:
        """Nothing to watch: requests tell."""
        await asyncio.Future()

    async def is_ready(self) -> bool:
        """Requests tell; an endpoint without a list of models may still answer them."""
        return True

    async def server_cleanup(self) -> None:
        """Close the client."""
        await super().server_cleanup()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def get_base_url(self) -> str:
        """The address, without the path of the chat interface."""
        return self.settings.endpoint.rstrip("/").removesuffix("/v1")

    async def _make_request(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a request until it is answered, refused, or the tries are used up.

        Raises:
            InferenceError: This request failed.
            ServerError: The endpoint is down or refuses us: the run ends and can go on later.
        """
        problem = ""
        for attempt in range(self.settings.retries + 1):
            await self._take_slot()
            status, body, wait = await self._post_known(payload)
            if status == 200 and (answer := _answer(body)) is not None:
                self._failed_in_a_row = self._disliked_in_a_row = 0
                return answer
            problem = _problem(status, body)
            if status in _REFUSED:
                raise ServerError(f"{self.get_base_url()} refuses us: {problem}")
            if status not in PASSING and status not in (0, 200):
                self._failed_in_a_row = 0  # it is there, and dislikes this one
                self._disliked_in_a_row += 1
                if self._disliked_in_a_row >= self.settings.give_up_after:
                    await self._stop(
                        f"{self._disliked_in_a_row} requests in a row were refused, none answered "
                        f"between, the last with: {problem}"
                    )
                raise InferenceError(None, problem)
            if attempt < self.settings.retries:
                await asyncio.sleep(wait if wait is not None else _pause(attempt))
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= self.settings.give_up_after:
            await self._stop(
                f"{self._failed_in_a_row} requests in a row failed, the last with: {problem}"
            )
        raise InferenceError(None, problem)

    async def _stop(self, said: str) -> None:
        """End the run, but not where the server answers a greeting and only these requests fail.

        Raises:
            ServerError: With what is said.
        """
        if self.again:
            greeting = {"messages": [{"role": "user", "content": "Bonjour"}], _LENGTH: 16}
            await self._take_slot()
            status, body, _ = await self._post_known({"model": self.settings.model, **greeting})
            if status == 200 and _answer(body) is not None:
                self._failed_in_a_row = self._disliked_in_a_row = 0
                return
        raise ServerError(said)

    async def _post_known(self, payload: dict[str, Any]) -> tuple[int, bytes, float | None]:
        """Post without the optional fields that the server said it does not know."""
        while True:
            known = {
                self._renamed.get(key, key): value
                for key, value in payload.items()
                if key not in self._left_out
            }
            status, body, wait = await self._post(known)
            if status not in _DISLIKED:
                return status, body, wait
            said = body.decode("utf-8", "replace")
            unknown = {key for key in known if key not in _NEEDED and _is_unknown(key, said)}
            if _LENGTH in known and _NEW_LENGTH in said and _is_unknown(_LENGTH, said):
                self._renamed[_LENGTH] = _NEW_LENGTH  # OpenAI's newer models
            elif not unknown:
                return status, body, wait
            if told := ", ".join(sorted(unknown - self._left_out)):
                logger.warning("the server does not take %s: left out", told)
            self._left_out |= unknown

    async def _take_slot(self) -> None:
        """Wait for this request's turn under ``requests_per_minute``, over all workers."""
        if not self.settings.requests_per_minute:
            return
        now = time.monotonic()
        slot = max(now, self._next_slot)
        # Workers do not know of each other: each keeps to its share of the endpoint's limit.
        side_by_side = min(self.settings.workers, self.settings.parts)
        self._next_slot = slot + 60 * side_by_side / self.settings.requests_per_minute
        await asyncio.sleep(slot - now)

    async def _post(self, payload: dict[str, Any]) -> tuple[int, bytes, float | None]:
        """Status (0: no answer), body, and how long the server asks us to wait."""
        import httpx

        try:
            response = await self._client.post(
                f"{self.get_base_url()}/v1/chat/completions", json=payload
            )
        except httpx.HTTPError as error:
            return 0, f"{type(error).__name__} {error}".encode(), None
        asked = response.headers.get("retry-after", "")
        wait = min(float(asked), 300.0) if asked.replace(".", "", 1).isdigit() else None
        return response.status_code, response.content, wait


def _is_unknown(key: str, said: str) -> bool:
    """Return whether a server says that it does not take a field.

    The name alone does not say it: some servers send the whole request back with their refusal.
    """
    near = rf"(?:{_UNKNOWN})[^{{}}]{{0,60}}\b{key}\b|\b{key}\b[^{{}}]{{0,60}}(?:{_UNKNOWN})"
    return re.search(near, said, re.IGNORECASE) is not None


def _answer(body: bytes) -> dict[str, Any] | None:
    """The answer, if it is of the protocol."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        message = choice["message"]
        if isinstance(message["content"], str):
            # Half a character, which JSON can hold and no file: the gates see what is left of it.
            halves = message["content"].encode("utf-16", "surrogatepass")
            message["content"] = halves.decode("utf-16", "replace")
            choice["finish_reason"] = choice.get("finish_reason") or "stop"
            answer["usage"] = _usage(answer.get("usage"))
            return answer
    except (ValueError, KeyError, IndexError, TypeError):
        pass
    return None


def _usage(told: Any) -> dict[str, int]:
    """Tokens as numbers; what a server does not tell is none."""
    used = told if isinstance(told, dict) else {}
    found = {name: used.get(name) for name in ("prompt_tokens", "completion_tokens")}
    return {k: int(v) if isinstance(v, int | float) else 0 for k, v in found.items()}


def _problem(status: int, body: bytes) -> str:
    said = " ".join(body[:200].decode("utf-8", "replace").split())
    if status == 0:
        return f"no answer: {said}"
    return f"status {status}: {said}" if status != 200 else f"not of the protocol: {said}"


def _pause(attempt: int) -> float:
    """Seconds before another try: 0.5, 1, 2 ... 30, spread so that requests do not come at once."""
    return min(30.0, 0.5 * 2**attempt) * random.uniform(0.75, 1.25)

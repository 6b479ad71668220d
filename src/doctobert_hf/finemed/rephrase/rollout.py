"""Two requests a chunk: a plan of genres and audiences, then the rewrite in one of them.

With ``judge`` a third: whether the rewrite is faithful.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceRunner
from datatrove.pipeline.inference.types import (
    GenerateFunction,
    InferenceError,
    InferenceResult,
    ServerError,
)

from doctobert_hf.finemed.config import RephraseConfig
from doctobert_hf.finemed.rephrase.endpoint import Endpoint
from doctobert_hf.finemed.rephrase.prompts import (
    PLAN_SCHEMA,
    VERDICT_SCHEMA,
    Prompts,
    choose,
    proposals_of,
    seed_of,
    verdict_of,
)
from doctobert_hf.finemed.rephrase.served import inference_config, started_server

logger = logging.getLogger(__name__)
_PLANS = 3
"""Tries for a plan of the schema: servers without structured output miss it now and then."""
_VERDICT_TOKENS = 256
KEY = "rollout"
REQUEST = "request: "
"""How the reason begins where a request failed."""
TOKENS = ("prompt", "completion")


class Rewrite:
    """What is done with a document: datatrove's rollout function.

    Args:
        config: The stage's configuration.
        prompts: The prompts.
        again: Whether it is asked for documents that failed before.
    """

    def __init__(self, config: RephraseConfig, prompts: Prompts, again: bool = False) -> None:
        self.config, self.prompts, self.again = config, prompts, again
        self._asked = self._failed = 0

    async def __call__(self, document: Document, generate: GenerateFunction) -> dict[str, Any]:
        """Rewrite a document.

        Returns:
            ``text`` and the style, or ``failed`` with the reason: the document is not lost, it
            goes to the exclusion file. With both ``tokens``, what was used for it.

        Raises:
            ServerError: The requests of too large a share of the documents failed.
        """
        used: Counter[str] = Counter()

        async def counted(payload: dict[str, Any]) -> InferenceResult:
            result = await generate(payload)
            for name in TOKENS:
                used[name] += result.usage.get(f"{name}_tokens") or 0
            return result

        answer = await self._answer(document, counted)
        self._stop_by_share(answer.get("failed", ""))
        return {**answer, "tokens": {name: used[name] for name in TOKENS}}

    def _stop_by_share(self, reason: str) -> None:
        """End a part most of whose documents fail: each costs requests, and none is written."""
        if self.config.batch is not None:
            return  # its answers are not there yet
        if self.again:
            return  # of those that failed before most may fail: the share is of all, at the end
        failed = reason.startswith(REQUEST)
        self._asked, self._failed = self._asked + 1, self._failed + failed
        enough = self._asked >= self.config.give_up_after
        if failed and enough and self._failed > self.config.give_up_share * self._asked:
            raise ServerError(
                f"the requests of {self._failed} of {self._asked} documents failed, the last with: "
                f"{reason.removeprefix(REQUEST)}"
            )

    async def _answer(self, document: Document, generate: GenerateFunction) -> dict[str, Any]:
        try:
            proposals = await self._plan(document, generate)
            if isinstance(proposals, str):
                return {"failed": proposals}
            style = choose(proposals, document.id, self.config.seed)
            prompt = self.prompts.for_rewrite(document.text, style)
            asked = self._request(prompt, self.config.rewrite_tokens, document.id, "rewrite")
            result = await generate(asked)
        except InferenceError as error:
            return {"failed": f"{REQUEST}{str(error.error)[:120]}"}
        if result.finish_reason == "length":
            return {"failed": "rewrite: cut off"}
        answer = {"text": result.text.strip(), **vars(style)}
        if self.config.judge:
            try:
                answer["judge"] = await self._verdict(document, answer["text"], generate)
            except InferenceError as error:
                return {"failed": f"{REQUEST}{str(error.error)[:120]}"}
        return answer

    async def _verdict(self, document: Document, rewrite: str, generate: GenerateFunction) -> str:
        """What the judge finds wrong; a verdict that cannot be read is none in its favour."""
        prompt = self.prompts.for_judge(document.text, rewrite)
        for attempt in range(_PLANS):
            asked = self._request(prompt, _VERDICT_TOKENS, document.id, f"judge{attempt}")
            asked["temperature"] = 0.0
            asked["response_format"] = _schema("verdict", VERDICT_SCHEMA)
            result = await generate(asked)
            try:
                return verdict_of(_json(result.text))
            except ValueError:
                continue
        return "no verdict of the schema"

    async def _plan(
        self, document: Document, generate: GenerateFunction
    ) -> list[dict[str, str]] | str:
        """The proposals, or why there are none."""
        prompt = self.prompts.for_plan(document.text)
        for attempt in range(_PLANS):
            asked = self._request(prompt, self.config.plan_tokens, document.id, f"plan{attempt}")
            asked["response_format"] = _schema("plan", PLAN_SCHEMA)
            result = await generate(asked)
            try:
                medical, proposals = proposals_of(_json(result.text))
            except ValueError:
                continue
            if not medical:
                return "plan: no medical content"
            return proposals or "plan: no usable proposal"
        return "plan: not of the schema"

    def _request(self, prompt: str, tokens: int, chunk_id: str, step: str) -> dict[str, Any]:
        config = self.config
        return {
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": tokens,
            "temperature": config.temperature,
            "top_p": config.top_p,
            "top_k": config.top_k,
            "seed": seed_of(chunk_id, config.seed, step),
            "chat_template_kwargs": {"enable_thinking": False},
        }


def _schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }


def _json(text: str) -> Any:
    """JSON in an answer, also where words or a code fence stand around it."""
    start, end = text.find("{"), text.rfind("}")
    return json.loads(text[start : end + 1])


def _tell_others(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell what asyncio tells of tasks that nobody awaits; given up once, a run is told once."""
    if isinstance(context.get("exception"), ServerError):
        logger.debug("%s", context["exception"])
    else:
        loop.default_exception_handler(context)


class Rewriter(InferenceRunner):
    """datatrove's inference runner on our endpoint, with its checkpoints and request cache.

    Args:
        config: The stage's configuration.
        prompts: The prompts.
        writer: Where answers go, one file for so many chunks.
        checkpoints: Folder of checkpoints and cache.
        stopped: File that is made where the server ends the run.
        again: Whether it asks for documents that failed before.
    """

    def __init__(
        self,
        config: RephraseConfig,
        prompts: Prompts,
        writer: Any,
        checkpoints: str,
        stopped: Path,
        again: bool = False,
    ) -> None:
        self.settings, self.stopped, self.again = config, stopped, again
        super().__init__(
            Rewrite(config, prompts, again),  # type: ignore[arg-type]
            inference_config(config),
            writer,
            checkpoints_local_dir=checkpoints,
            records_per_chunk=500,
            metadata_key=KEY,
        )

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Ask for a part's documents."""
        try:
            super().run(data, rank, world_size)
        except ServerError:
            self.stopped.touch()
            raise

    async def run_async(self, data_gen: Any, rank: int = 0) -> None:
        """Ask for documents; what other requests end with, once the run is given up, is no news."""
        asyncio.get_running_loop().set_exception_handler(_tell_others)
        await super().run_async(data_gen, rank)

    def _init_server(self, rank: int) -> Endpoint:
        if self.settings.server != "none":
            return started_server(self.config, rank, self.settings, self.again)
        if self.settings.batch is None:
            return Endpoint(self.config, rank, self.settings, self.again)
        from doctobert_hf.finemed.rephrase.batch import BatchFiles

        return BatchFiles(self.config, rank, self.settings)

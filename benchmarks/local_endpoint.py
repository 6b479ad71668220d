"""A local server that speaks the chat protocol of OpenAI's interface and rewrites by rule.

For trying `doctobert-hf finemed rephrase` without a model: its rewrites keep every word of the
source and put connecting words between them. On demand it misbehaves, each fault on a share of the
requests that depends on the request alone:

    python benchmarks/local_endpoint.py --port 8000 --faults 429 500 broken_json --share 0.1

Faults that pass after a try: ``429``, ``500``, ``timeout``, ``cut``. Lasting ones: ``broken_json``
(plans), ``wrong_language``, ``invented_numbers``, ``lost_numbers``, ``lost_negations``,
``placeholder``, ``half_character``, ``copy``, ``repetition``, ``length``, ``not_medical``,
``bad_request``, ``unfaithful`` and ``no_verdict`` (of the judge); ``down`` answers every request
with 503, ``nonsense`` with a page, ``old`` refuses the field ``top_k``, ``new`` the field
``max_tokens``, ``no_rewrites`` every rewrite but no plan, ``no_usage`` tells no tokens.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PASSING = ("429", "500", "timeout", "cut")
_LINKS = ("ainsi", "alors", "également", "ensuite", "en outre", "de fait", "par ailleurs", "aussi")
_BEFORE = re.compile(
    r" (?=(?:et|dans|avec|pour|par(?! (?:jour|heure|semaine|mois|kilo))|chez|sur|après|avant|est"
    r"|sont|a été|peut) )"
)
_ENGLISH = "The patient was seen in the clinic and was given a treatment for the disease. " * 12


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of the five that wait by default, some of 32 at once are cut off


class LocalEndpoint:
    """The server, in a thread of its own; a context manager.

    Args:
        faults: Names from the module's docstring.
        share: Share of the requests that each fault falls on.
        port: 0: any free one.
        seconds: What an answer takes.
    """

    def __init__(
        self,
        faults: tuple[str, ...] = (),
        share: float = 0.2,
        port: int = 0,
        seconds: float = 0.0,
    ) -> None:
        self.faults, self.share, self.seconds = faults, share, seconds
        self.seen: Counter[str] = Counter()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self._handler())

    @property
    def url(self) -> str:
        """Address for `--endpoint`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LocalEndpoint:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self._send(200, json.dumps({"data": [{"id": "local"}]}))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer._answer(self, json.loads(body))

            def _send(self, status: int, text: str, more: dict[str, str] | None = None) -> None:
                content = text.encode()
                self.send_response(status)
                for key, value in {"Content-Type": "application/json", **(more or {})}.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler

    def _fault(self, key: str) -> str | None:
        """The fault of a request, the same at every run."""
        number = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 16**8
        place = int(number / self.share) if self.share else len(self.faults)
        return self.faults[place] if place < len(self.faults) else None

    def _answer(self, handler: Any, request: dict[str, Any]) -> None:
        prompt = request["messages"][0]["content"]
        planning = "response_format" in request
        # The document decides on lasting faults, so that plan and rewrite agree.
        document = prompt.split("<document>", 1)[-1]
        fault = self._fault(document)
        key = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        with self._lock:
            self.seen[key] += 1
            tries = self.seen[key]
            self.requests.append(request)
            self.headers.append(dict(handler.headers))
        if self.seconds:
            time.sleep(self.seconds)
        if "down" in self.faults:
            return handler._send(503, '{"error": "overloaded"}')
        if "old" in self.faults and "top_k" in request:
            return handler._send(400, '{"error": "Unrecognized request argument: top_k"}')
        if "new" in self.faults and "max_tokens" in request:
            said = "Unsupported parameter: 'max_tokens' is not supported with this model. "
            said += "Use 'max_completion_tokens' instead."
            return handler._send(400, json.dumps({"error": {"message": said}}))
        if "no_rewrites" in self.faults and not planning:
            return handler._send(400, '{"error": "too many tokens asked for"}')
        if "nonsense" in self.faults:
            return handler._send(200, "<html>Hello</html>")
        if fault in PASSING and tries == 1:
            return self._passing(handler, fault)
        if fault == "bad_request":
            return handler._send(400, '{"error": "too long"}')
        judging = planning and request["response_format"]["json_schema"]["name"] == "verdict"
        if judging:
            text = _verdict(document, fault)
        else:
            text = _plan(fault) if planning else _rewrite(document, fault)
        reason = "length" if fault == "length" and not planning else "stop"
        answer = {
            "choices": [{"message": {"content": text}, "finish_reason": reason}],
            "usage": {
                "prompt_tokens": len(prompt.split()),
                "completion_tokens": len(text.split()),
            },
        }
        if "no_usage" in self.faults:
            answer["usage"] = None
            answer["choices"][0]["finish_reason"] = None
        return handler._send(200, json.dumps(answer))

    def _passing(self, handler: Any, fault: str) -> None:
        if fault == "429":
            handler._send(429, '{"error": "too many"}', {"Retry-After": "0.05"})
        elif fault == "500":
            handler._send(500, '{"error": "oops"}')
        elif fault == "timeout":
            time.sleep(3)
        handler.close_connection = True


def _plan(fault: str | None) -> str:
    if fault == "broken_json":
        return '{"reasoning": "le document'
    pairs = (("discharge_summary", "physician"), ("lecture_notes", "medical_student"))
    plan = {
        "reasoning": "Le document parle de soins.",
        "has_medical_content": fault != "not_medical",
        "proposals": [{"genre": genre, "audience": audience} for genre, audience in pairs],
    }
    return json.dumps(plan)


def _verdict(document: str, fault: str | None) -> str:
    if fault == "no_verdict":
        return "Je ne sais pas."
    problem = "dose changée" if fault == "unfaithful" else ""
    return json.dumps({"faithful": not problem, "problem": problem})


def rewrite_by_rule(source: str) -> str:
    """Return a text that keeps every word of the source, with linking words between them."""
    text = re.sub(r"\s+", " ", source)
    count = 0

    def link(_: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f" {_LINKS[count % len(_LINKS)]} "

    text = _BEFORE.sub(link, text)
    text = re.sub(
        r"(?<=[.!?]) (?=[A-ZÀ-Ý])", lambda m: f" {_LINKS[m.start() % 8].capitalize()}, ", text
    )
    return text


def _rewrite(document: str, fault: str | None) -> str:
    source = document.rsplit("</document>", 1)[0].strip()
    if fault == "copy":
        return source
    if fault == "wrong_language":
        return _ENGLISH
    if fault == "repetition":
        return (re.sub(r"\s+", " ", source)[:400] + " ") * 6
    text = rewrite_by_rule(source)
    if fault == "invented_numbers":
        text += " ".join(f" Dose de {n},75 mg/kg." for n in range(1001, 1401))
    if fault == "lost_numbers":
        text = re.sub(r"\d", "9", text)
    if fault == "lost_negations":
        text = re.sub(
            r"(?i)\b(?:pas d[e'’]|absence d[e'’]|sans|aucune?|ni|non|jamais)\b ?", "", text
        )
    if fault == "half_character":
        text += " \ud83d"
    if fault == "placeholder":
        text += " Adressé par [NOM DU MEDECIN]."
    return text


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--faults", nargs="*", default=[])
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=0.0)
    args = parser.parse_args()
    with LocalEndpoint(tuple(args.faults), args.share, args.port, args.seconds) as server:
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()

"""Qdrant: an index's vectors in a server that several programs search, or embedded, for a trial.

The same client does both. Embedded, ``qdrant-client`` compares with all vectors in plain Python:
it is slower than exact search here, and is filled from the index's own vectors whenever an index is
opened. A server keeps its graph (HNSW), for late interaction over MaxSim. It is sent vectors and
the names of the index's parts: no text, no id, no column.

Points are numbered by part and passage. A part never changes once it is written, so that a change
of an index sends new parts only. A program that opened the index before the change is told so at
its next question: the parts it knows are no longer all there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doctobert_hf.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from doctobert_hf.retrieval.vectors import Vectors

logger = logging.getLogger(__name__)
EMBEDDED = 20_000
"""Passages above which qdrant-client itself advises against its embedded mode."""
KEY = "QDRANT_API_KEY"
"""Environment variable with the server's key; it is in no file."""
_REQUEST = 1_000_000  # numbers of a request: 21 MB of JSON; servers take 32 MB
_SECONDS = 120  # until a request is given up
_PART_BITS = 32  # a point's number: the part's above these bits, the passage's below


def require_qdrant() -> None:
    """Raise where qdrant-client is not installed.

    Raises:
        UsageError: With the command that installs it.
    """
    if importlib.util.find_spec("qdrant_client") is None:
        raise UsageError(
            "The engine 'qdrant' needs qdrant-client",
            "it installed",
            "Install it: pip install 'doctobert-hf[qdrant]', or search exactly (the default)",
        )


def check_url(place: str | None) -> None:
    """Check a server's address.

    Raises:
        UsageError: It is none, or has a password in it, which ``index.json`` would keep.
    """
    from urllib.parse import urlsplit

    if place is None:
        return
    try:
        parts = urlsplit(place)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, half a pair of brackets
        known = None
    if not known:
        raise UsageError("This is no address of a server", "such as http://localhost:6333")
    if parts.username or parts.password or parts.query:
        raise UsageError(
            "An address with a name, a password or a query in it",
            "the address alone: it is written into index.json",
            f"Put the server's key into the environment variable {KEY}",
        )


class Qdrant:
    """A collection with the vectors of an index.

    Args:
        place: Address of the server; None: embedded.
        collection: Its name.

    Raises:
        UsageError: ``qdrant-client`` is not installed, or the address is none.
    """

    def __init__(self, place: str | None, collection: str) -> None:
        require_qdrant()
        check_url(place)
        self.place, self.collection = place, collection
        self._parts: dict[str, Vectors] = {}
        self._opened: Any = None
        self._ready = False
        self._filling = threading.Lock()  # a service asks in several threads

    def attach(self, parts: Mapping[str, Vectors]) -> None:
        """Say what is searched.

        Args:
            parts: Vectors by the part's key, see :func:`part_key`, in order.
        """
        self._parts = dict(parts)
        self._ready = False

    def reach(self) -> None:
        """See that the server answers, before hours of encoding.

        Raises:
            DataError: It does not, or refuses.
        """
        if self.place is not None:
            with self._told():
                self._client.collection_exists(self.collection)

    def store(self) -> None:
        """Send the parts that the server has not whole; embedded there is nothing to keep.

        Raises:
            DataError: The server does not answer, or refuses.
        """
        count = sum(map(len, self._parts.values()))
        if self.place is None:
            if count > EMBEDDED:
                logger.warning(
                    "embedded Qdrant compares with all %s passages one by one, and is filled anew "
                    "whenever the index is opened: exact search is faster. For its graph start a "
                    "server, and name it with --engine-url",
                    f"{count:,}",
                )
            return
        with self._told():
            self._make()
            for key, vectors in self._parts.items():
                if self._count([key]) != len(vectors):
                    self._send(key, vectors)

    def prune(self) -> None:
        """Delete what is of no part any longer from the server.

        Raises:
            DataError: The server does not answer, or refuses.
        """
        if self.place is None:
            return
        from qdrant_client import models

        gone = models.Filter(must_not=[self._of(list(self._parts))])
        with self._told():
            if self._client.collection_exists(self.collection):
                self._client.delete(self.collection, models.FilterSelector(filter=gone), wait=True)

    def nearest(self, query: NDArray[np.floating], top: int) -> NDArray[np.int64]:
        """Return the numbers of passages near a question, ``top`` at most.

        Raises:
            DataError: The server does not answer, or has not what the index has.
        """
        from qdrant_client import models

        with self._told():
            self._prepare()
            # Embedded the collection has nothing else, and a filter takes most of a second there.
            mine = None if self.place is None else models.Filter(must=[self._of(list(self._parts))])
            found = self._client.query_points(
                self.collection,
                query=np.asarray(query, np.float32).tolist(),
                query_filter=mine,
                limit=top,
                with_payload=False,
            ).points
        counts = [len(vectors) for vectors in self._parts.values()]
        bases = np.cumsum([0, *counts])[:-1]
        first = {_number(key): base for key, base in zip(self._parts, bases, strict=True)}
        low = (1 << _PART_BITS) - 1
        numbers = [first[int(p.id) >> _PART_BITS] + (int(p.id) & low) for p in found]
        return np.sort(np.array(numbers, np.int64))

    def _prepare(self) -> None:
        """Fill the embedded collection once; see each time that the server has all parts."""
        if self.place is None:
            with self._filling:
                if not self._ready:
                    self._make()
                    for key, vectors in self._parts.items():
                        self._send(key, vectors)
                self._ready = True
        else:
            wanted = sum(map(len, self._parts.values()))
            there = self._client.collection_exists(self.collection)
            has = self._count(list(self._parts)) if there else 0
            if has != wanted:
                raise DataError(
                    f"The collection '{self.collection}' of the Qdrant server '{self.place}' has "
                    f"{has:,} of the index's {wanted:,} passages",
                    "all of them",
                    "If the index was changed since this program opened it, open it again; else "
                    "send them anew: doctobert-hf retrieval index update INDEX DOCUMENTS "
                    f"--engine-url {self.place}",
                )

    @property
    def _client(self) -> Any:
        if self._opened is None:
            import warnings

            from qdrant_client import QdrantClient

            if self.place is None:
                with warnings.catch_warnings():  # told in our words where the index is made
                    warnings.simplefilter("ignore")
                    self._opened = QdrantClient(":memory:")
            else:
                self._opened = QdrantClient(
                    url=self.place,
                    port=None if _has_port(self.place) else 6333,
                    api_key=os.environ.get(KEY) or None,
                    timeout=_SECONDS,
                    check_compatibility=False,  # it would only warn, and we ask for little
                )
        return self._opened

    def _make(self) -> None:
        from qdrant_client import models

        client, [some, *_] = self._client, self._parts.values()
        if client.collection_exists(self.collection):
            return
        several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        # Vectors of models that compare by cosine have length one already.
        settings = models.VectorParams(
            size=some.blocks[0].shape[1],
            distance=models.Distance.DOT,
            multivector_config=several if some.is_late else None,
        )
        client.create_collection(self.collection, vectors_config=settings)
        if self.place is not None:
            client.create_payload_index(
                self.collection, "part", field_schema=models.PayloadSchemaType.KEYWORD
            )

    def _send(self, key: str, vectors: Vectors) -> None:
        import warnings

        from qdrant_client import models

        above = _number(key) << _PART_BITS
        payload = {"part": key}
        for first, last in _requests(vectors):
            points = [
                models.PointStruct(
                    id=above + n,
                    payload=payload,
                    vector=np.asarray(vectors.passage(n), np.float32).tolist(),
                )
                for n in range(first, last)
            ]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._client.upsert(self.collection, points, wait=True)

    def _of(self, keys: Sequence[str]) -> Any:
        from qdrant_client import models

        return models.FieldCondition(key="part", match=models.MatchAny(any=list(keys)))

    def _count(self, keys: Sequence[str]) -> int:
        from qdrant_client import models

        wanted = models.Filter(must=[self._of(keys)])
        return self._client.count(self.collection, count_filter=wanted, exact=True).count

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say of a server's failure what and where it is."""
        from qdrant_client.common.client_exceptions import QdrantException
        from qdrant_client.http.exceptions import ApiException

        try:
            yield
        except (ApiException, QdrantException, json.JSONDecodeError) as error:
            # Another program's page is no JSON; a server that has too much to do says nothing.
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            if isinstance(error, json.JSONDecodeError):
                reason = "its answer is no JSON: it is another program"
            raise DataError(
                f"The Qdrant server '{self.place}' failed ({reason})",
                "a server that answers",
                f"Start it, name its address with --engine-url, or its key in {KEY}",
            ) from error


def part_key(name: str, fingerprint: str) -> str:
    """Return what a part's points are marked with: its number, and what it holds.

    Copies of an index that are changed apart give one number to different parts.

    Args:
        name: The part's name, a number.
        fingerprint: Of its vectors.

    Example:
        >>> part_key("00003", "ab" * 32)
        '00003-abababababababab'
    """
    return f"{name}-{fingerprint[:16]}"


def _number(key: str) -> int:
    return int(key.split("-")[0])


def _has_port(place: str) -> bool:
    from urllib.parse import urlsplit

    return urlsplit(place).port is not None


def _requests(vectors: Vectors) -> Iterator[tuple[int, int]]:
    """Yield passages' numbers from and to, for requests of a bounded size."""
    width = vectors.blocks[0].shape[1]
    if vectors.is_late:
        sizes = np.diff(np.append(vectors.offsets[0], len(vectors.blocks[0]))) * width
    else:
        sizes = np.full(len(vectors), width)
    first = size = 0
    for number, more in enumerate(sizes.tolist()):
        if size and size + more > _REQUEST:
            yield first, number
            first, size = number, 0
        size += more
    yield first, len(vectors)

"""A Hub on this machine: the endpoints ``huggingface_hub`` uses, over HTTP, misbehaving on demand.

Repositories are trees of blobs under commits, as with git; large files go through LFS. ``fail``
makes the next requests of a kind go wrong: a status, a connection cut while a body is read, an
answer that never arrives although the work was done, or another person's commit in between.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_" + "LocalTestToken" * 3
LARGE = 50_000


@dataclass
class Blob:
    content: bytes
    lfs: bool = False

    @property
    def oid(self) -> str:
        header = b"blob %d\0" % len(self.content)
        return hashlib.sha1(header + self.content).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid


@dataclass
class Repo:
    private: bool
    trees: dict[str, dict[str, Blob]] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, ref: str, tree: dict[str, Blob], message: str) -> str:
        sha = hashlib.sha1(f"{len(self.trees)}{message}".encode()).hexdigest()
        self.trees[sha] = tree
        self.messages[sha] = message
        self.refs[ref] = sha
        return sha

    def find(self, revision: str) -> str | None:
        return self.refs.get(revision) or (revision if revision in self.trees else None)


@dataclass
class Fault:
    method: str
    path: str
    status: int = 0
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "made to fail"
    cut: str = ""
    before: Callable[[], None] | None = None


class Hub:
    """The server and everything on it."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.large: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, int]] = []
        self.created: list[dict] = []
        self.discussions = False  # whether they are switched on
        self.closed: set[str] = set()  # pull requests that are
        self.xet = "http://127.0.0.1:9"  # where nobody listens
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reset(self) -> None:
        """Forget everything but the address."""
        for store in (self.repos, self.large, self.faults, self.requests, self.created):
            store.clear()
        self.discussions = False
        self.closed.clear()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fail(self, method: str, path: str, status: int = 0, **options) -> None:
        """Make requests whose path matches go wrong, ``times`` times."""
        self.faults.append(Fault(method, path, status, **options))

    def create(self, kind: str, repo_id: str, private: bool = False) -> Repo:
        repo = Repo(private)
        repo.commit("main", {".gitattributes": Blob(b"*.safetensors lfs\n")}, "initial commit")
        self.repos[kind, repo_id] = repo
        return repo

    def files(self, kind: str, repo_id: str, revision: str = "main") -> dict[str, bytes]:
        """Content of every file of a revision, ``.gitattributes`` apart."""
        repo = self.repos[kind, repo_id]
        tree = repo.trees[repo.refs.get(revision, revision)]
        return {p: b.content for p, b in tree.items() if p != ".gitattributes"}

    def write(self, kind: str, repo_id: str, path: str, content: bytes) -> None:
        """Another person's commit."""
        repo = self.repos[kind, repo_id]
        tree = dict(repo.trees[repo.refs["main"]])
        tree[path] = Blob(content)
        repo.commit("main", tree, f"Edit {path}")

    def count(self, method: str, path: str) -> int:
        return sum(m == method and re.search(path, p) is not None for m, p, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def _serve(self) -> None:
        split = urllib.parse.urlsplit(self.path)
        self.route = urllib.parse.unquote(split.path)
        self.query = urllib.parse.parse_qs(split.query)
        fault = self._fault()
        if fault is not None and fault.cut == "request":
            # A part of the body, then nobody is there.
            self.rfile.read(int(self.headers.get("Content-Length") or 2000) // 2)
            self.hub.requests.append((self.command, self.route, 0))
            self._hang_up()
            return
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self._chunked() if self._is_chunked() else self.rfile.read(length)
        if fault is not None and fault.before is not None:
            fault.before()
        if fault is not None and fault.status:
            self._answer(fault.status, fault.body.encode(), fault.headers)
            return
        self.mute = fault is not None and fault.cut == "answer"
        with self.hub.lock:
            self._dispatch()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve

    def _is_chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").lower() == "chunked"

    def _chunked(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _fault(self) -> Fault | None:
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.method == self.command and re.search(fault.path, self.route):
                    fault.times -= 1
                    if fault.times == 0:
                        self.hub.faults.remove(fault)
                    return fault
        return None

    def _answer(self, status: int, body: bytes = b"", headers: dict | None = None) -> None:
        self.hub.requests.append((self.command, self.route, status))
        if getattr(self, "mute", False):
            self._hang_up()
            return
        self.send_response(status)
        fields = {"Content-Type": "text/plain", **(headers or {})}
        if "Content-Length" not in fields:
            fields["Content-Length"] = str(len(body))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, content, status: int = 200, headers: dict | None = None) -> None:
        body = json.dumps(content).encode()
        self._answer(status, body, {"Content-Type": "application/json", **(headers or {})})

    def _missing(self, code: str) -> None:
        self._answer(404, code.encode(), {"X-Error-Code": code, "X-Error-Message": code})

    def _dispatch(self) -> None:
        authorised = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if "Authorization" in self.headers and not authorised:
            message = "Invalid credentials in Authorization header"
            self._answer(401, message.encode(), {"X-Error-Message": message})
            return
        if self.route == "/api/whoami-v2":
            self._json({"name": "me", "type": "user", "orgs": []}, 200 if authorised else 401)
        elif self.route == "/api/repos/create":
            self._create(authorised)
        elif self.route == "/api/repos/delete":
            asked = json.loads(self.body)
            owner = asked.get("organization") or "me"
            kind = asked.get("type") or "model"
            self.hub.repos.pop((kind, f"{owner}/{asked['name']}"), None)
            self._json({})
        elif self.route == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif found := re.fullmatch(r"/large/([0-9a-f]{64})", self.route):
            self._receive(found[1])
        elif found := re.fullmatch(r"/(datasets/)?(.+)\.git/info/lfs/objects/batch", self.route):
            self._batch()
        elif found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(/.*)?", self.route):
            self._repository(found[1][:-1], found[2], found[3] or "", authorised)
        elif found := re.fullmatch(
            r"/(datasets/)?([^/]+/[^/]+)/resolve/(refs/pr/\d+|[^/]+)/(.+)", self.route
        ):
            kind = "dataset" if found[1] else "model"
            self._resolve(kind, found[2], found[3], found[4])
        else:
            self._missing("EntryNotFound")

    def _create(self, authorised: bool) -> None:
        if not authorised:
            self._answer(401, b"log in")
            return
        asked = json.loads(self.body)
        owner = asked.get("organization") or "me"
        kind, repo_id = asked.get("type", "model"), f"{owner}/{asked['name']}"
        url = {"url": f"{self.hub.endpoint}/{repo_id}"}
        if (kind, repo_id) in self.hub.repos:
            self._json({"error": "You already created this repo", **url}, 409)
            return
        self.hub.created.append(asked)
        private = asked.get("private", False) or asked.get("visibility") == "private"
        self.hub.create(kind, repo_id, private)
        self._json(url)

    def _repository(self, kind: str, repo_id: str, rest: str, authorised: bool) -> None:
        repo = self.hub.repos.get((kind, repo_id))
        if repo is None or (repo.private and not authorised):
            self._missing("RepoNotFound")
            return
        action, _, tail = rest.lstrip("/").partition("/")
        if action in ("", "revision"):
            self._info(repo, repo_id, tail or "main")
        elif action == "refs":
            self._refs(repo)
        elif action == "discussions" and self.hub.discussions:
            self._discussions(repo, repo_id)
        elif action == "xet-write-token":
            self._json(
                {"accessToken": "x", "exp": 4102444800, "casUrl": self.hub.xet},
                headers={
                    "X-Xet-Cas-Url": self.hub.xet,
                    "X-Xet-Access-Token": "x",
                    "X-Xet-Token-Expiration": "4102444800",
                },
            )
        elif action == "tree":
            self._tree(repo, tail)
        elif action == "paths-info":
            self._paths(repo, tail)
        elif not authorised:
            self._answer(403, b"no right")
        elif action == "branch":
            if tail in repo.refs:
                self._json({"error": "Reference already exists"}, 409)
                return
            repo.refs[tail] = repo.refs["main"]
            self._json({})
        elif action == "preupload":
            self._preupload(repo, tail)
        elif action == "commit":
            self._commit(repo, repo_id, tail)
        else:
            self._missing("EntryNotFound")

    def _info(self, repo: Repo, repo_id: str, revision: str) -> None:
        sha = repo.find(revision)
        if sha is None:
            self._missing("RevisionNotFound")
            return
        siblings = [{"rfilename": path} for path in repo.trees[sha]]
        self._json(
            {
                **{"_id": repo_id, "id": repo_id, "modelId": repo_id, "sha": sha, "tags": []},
                **{"private": repo.private, "siblings": siblings, "downloads": 0, "likes": 0},
                **{"lastModified": "2026-01-01T00:00:00.000Z", "gated": False, "disabled": False},
            }
        )

    def _discussions(self, repo: Repo, repo_id: str) -> None:
        pulls = [name for name in repo.refs if name.startswith("refs/pr/")]
        self._json(
            {
                "discussions": [
                    {
                        "num": int(name.rsplit("/", 1)[-1]),
                        "title": repo.messages[repo.refs[name]],
                        "status": "closed" if name in self.hub.closed else "open",
                        "author": {"name": "me"},
                        "isPullRequest": True,
                        "createdAt": "2026-01-01T00:00:00.000Z",
                        "repo": {"name": repo_id, "type": "dataset"},
                    }
                    for name in pulls
                    if name not in self.hub.closed
                ],
                "count": sum(name not in self.hub.closed for name in pulls),
                "start": 0,
            }
        )

    def _refs(self, repo: Repo) -> None:
        def listed(names: list[str], prefix: str) -> list[dict]:
            return [{"name": n, "ref": prefix + n, "targetCommit": repo.refs[n]} for n in names]

        pulls = [name for name in repo.refs if name.startswith("refs/pr/")]
        branches = [name for name in repo.refs if name not in pulls]
        self._json(
            {
                "branches": listed(branches, "refs/heads/"),
                "pullRequests": listed(pulls, ""),
                "converts": [],
                "tags": [],
            }
        )

    @staticmethod
    def _entry(path: str, blob: Blob) -> dict:
        entry = {"type": "file", "path": path, "oid": blob.oid, "size": len(blob.content)}
        if blob.lfs:
            entry["lfs"] = {"oid": blob.sha256, "size": len(blob.content), "pointerSize": 130}
        return entry

    def _tree(self, repo: Repo, tail: str) -> None:
        sha, folder = self._split_revision(repo, tail)
        if sha is None:
            self._missing("RevisionNotFound")
            return
        inside = {
            path: blob
            for path, blob in repo.trees[sha].items()
            if not folder or path.startswith(f"{folder}/")
        }
        if folder and not inside:
            self._missing("EntryNotFound")
            return
        recursive = self.query.get("recursive", ["false"])[0].lower() == "true"
        entries, folders = [], set()
        for path, blob in inside.items():
            rest = path[len(folder) + 1 if folder else 0 :]
            parents = rest.split("/")[:-1]
            for depth in range(1, len(parents) + 1):
                folders.add("/".join([*([folder] if folder else []), *parents[:depth]]))
            if recursive or not parents:
                entries.append(self._entry(path, blob))
        depth = folder.count("/") + 1 if folder else 0
        entries += [
            {"type": "directory", "path": name, "oid": "0" * 40, "size": 0}
            for name in sorted(folders)
            if recursive or name.count("/") == depth
        ]
        self._json(entries)

    def _split_revision(self, repo: Repo, tail: str) -> tuple[str | None, str]:
        for name in sorted(repo.refs, key=len, reverse=True):
            if tail == name or tail.startswith(f"{name}/"):
                return repo.refs[name], tail[len(name) + 1 :]
        revision, _, folder = tail.partition("/")
        return repo.find(revision), folder

    def _paths(self, repo: Repo, revision: str) -> None:
        sha = repo.find(revision)
        if sha is None:
            self._missing("RevisionNotFound")
            return
        if "json" in self.headers.get("Content-Type", ""):
            paths = json.loads(self.body)["paths"]
        else:
            paths = urllib.parse.parse_qs(self.body.decode()).get("paths", [])
        tree = repo.trees[sha]
        found = [self._entry(path, tree[path]) for path in paths if path in tree]
        found += [
            {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}
            for path in paths
            if any(name.startswith(f"{path}/") for name in tree)
        ]
        self._json(found)

    def _preupload(self, repo: Repo, revision: str) -> None:
        tree = repo.trees.get(repo.find(revision) or "", {})
        self._json(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if _is_large(file["path"], file["size"]) else "regular",
                        "shouldIgnore": False,
                        "oid": tree[file["path"]].etag if file["path"] in tree else None,
                    }
                    for file in json.loads(self.body)["files"]
                ]
            }
        )

    def _batch(self) -> None:
        objects = []
        for item in json.loads(self.body)["objects"]:
            entry = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.hub.large:
                url = f"{self.hub.endpoint}/large/{item['oid']}"
                entry["actions"] = {"upload": {"href": url, "header": {}}}
            objects.append(entry)
        self._json({"transfer": "basic", "objects": objects})

    def _receive(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            self._answer(400, b"checksum differs")
            return
        self.hub.large[oid] = self.body
        self._answer(200)

    def _commit(self, repo: Repo, repo_id: str, revision: str) -> None:
        sha = repo.find(revision)
        if sha is None:
            self._missing("RevisionNotFound")
            return
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, sha):
            message = "A commit has happened since. Please refresh and try again."
            self._answer(412, message.encode(), {"X-Error-Message": message})
            return
        tree = dict(repo.trees[sha])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                tree[value["path"]] = Blob(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.hub.large:
                    self._answer(400, b"the LFS object is not there")
                    return
                tree[value["path"]] = Blob(self.hub.large[value["oid"]], lfs=True)
            elif line["key"] == "deletedFile":
                del tree[value["path"]]
        answer = {"commitUrl": f"{self.hub.endpoint}/{repo_id}", "success": True}
        ref = revision
        if self.query.get("create_pr"):
            number = 1 + sum(name.startswith("refs/pr/") for name in repo.refs)
            ref = f"refs/pr/{number}"
            answer["pullRequestUrl"] = f"{self.hub.endpoint}/{repo_id}/discussions/{number}"
        made = repo.commit(ref, tree, header["summary"])
        answer["commitOid"] = made
        answer["commitUrl"] += f"/commit/{made}"
        self._json(answer)

    def _resolve(self, kind: str, repo_id: str, revision: str, path: str) -> None:
        repo = self.hub.repos.get((kind, repo_id))
        if repo is None:
            self._missing("RepoNotFound")
            return
        sha = repo.find(revision)
        if sha is None:
            self._missing("RevisionNotFound")
            return
        blob = repo.trees[sha].get(path)
        if blob is None:
            code = "EntryNotFound"
            self._answer(404, b"", {"X-Error-Code": code, "X-Repo-Commit": sha})
            return
        headers = {"ETag": f'"{blob.etag}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
        content, status = blob.content, 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            first = int(asked[1])
            last = min(int(asked[2] or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        headers["Content-Length"] = str(len(content))
        self._answer(status, content, headers)


def _is_large(path: str, size: int) -> bool:
    return size > 0 and (path.endswith((".safetensors", ".parquet")) or size > LARGE)

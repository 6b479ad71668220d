"""Commands that are started many times: one process imports the libraries, once.

Each command is a fork of that process, with the folder, the environment, the standard streams and
the arguments of the caller: what it does is what a process of its own does, ten seconds of imports
later. :class:`Popen` and :func:`run` are for tests that start, kill and start again;
:func:`warm_commands` is for pages and scripts, whose programs are found in ``PATH``:
``doctobert-hf``, and ``warm-python SCRIPT``. What libraries read when they are imported (the
address of the Hub, numbers of threads) is that of the first process: tests that set it start
processes of their own.
"""

from __future__ import annotations

import array
import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

SCRIPTS = "warm-python"
_ENVIRONMENT = dict(os.environ)  # as it is before tests change it
PROGRAM = """#!{python} -IS
import array, json, os, socket, sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    server.sendmsg([b"x"], streams)
    order = dict(arguments=sys.argv, folder=os.getcwd(), environment=dict(os.environ), group=0)
    server.sendall(json.dumps(order).encode() + b"\\n")
    code = int(([None, *server.makefile()])[-1] or 70)
sys.exit(code if code >= 0 else 128 - code)
"""


class Popen:
    """A process of this interpreter, with what the tests use of ``subprocess.Popen``.

    Signals reach the process itself; killed, it is gone when :meth:`wait` returns.

    Args:
        words: The interpreter, and ``-m doctobert_hf ...`` or a script with its arguments.
        stdin: A file's number; nothing to read without it.
    """

    def __init__(
        self, words, *, cwd=None, env=None, stdin=None, stdout=None, stderr=None, text=False,
        start_new_session=False,
    ):  # fmt: skip
        program, *rest = map(str, words)
        assert program == sys.executable and (rest[0] != "-m" or rest[1] == "doctobert_hf")
        rest = ["doctobert-hf", *rest[2:]] if rest[0] == "-m" else [SCRIPTS, *rest]
        self.returncode: int | None = None
        self.stdout, out = self._stream(stdout, 1, text)
        self.stderr, err = self._stream(stderr, 2, text)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(_server())
        nothing = os.open(os.devnull, os.O_RDWR)
        numbers = [nothing if one is None else one for one in (stdin, out, err)]
        streams = array.array("i", numbers)
        self._socket.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        order = {
            "arguments": rest,
            "folder": str(cwd or Path.cwd()),
            "environment": dict(os.environ if env is None else env),
            "group": start_new_session,
        }
        self._socket.sendall(json.dumps(order).encode() + b"\n")
        os.close(nothing)
        for end, wanted in ((out, stdout), (err, stderr)):
            if wanted == subprocess.PIPE:
                os.close(end)
        self._told = self._socket.makefile()
        self.pid = int(self._told.readline())

    @staticmethod
    def _stream(wanted, own, text):
        """Return the end that is read here, and the number of the end that the process writes."""
        if wanted == subprocess.DEVNULL:
            return None, None
        if wanted is None:
            return None, own
        if wanted == subprocess.PIPE:
            ours, theirs = os.pipe()
            return os.fdopen(ours, "r" if text else "rb"), theirs
        return None, wanted.fileno()

    def poll(self):
        if self.returncode is None and select.select([self._socket], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout=None):
        if self.returncode is None:
            if not select.select([self._socket], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a warm process", timeout)
            self.returncode = int(self._told.readline())
            self._socket.close()
        return self.returncode

    def communicate(self, timeout=None):
        with ThreadPoolExecutor(2) as readers:
            read = [one and readers.submit(one.read) for one in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return tuple(one and one.result() for one in read)

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run(words, *, input="", capture_output=False, check=False, timeout=None, **more):
    """Run a process to its end, as ``subprocess.run``; ``input`` is short."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} if capture_output else {}
    theirs, ours = os.pipe()
    os.write(ours, input.encode())
    os.close(ours)
    process = Popen(words, stdin=theirs, **streams, **more)
    os.close(theirs)
    out, err = process.communicate(timeout)
    done = subprocess.CompletedProcess(words, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


@lru_cache(maxsize=1)
def _server() -> str:
    """Start the process that has the imports, once for these tests; return its address."""
    kept = ExitStack()
    atexit.register(kept.close)
    folder = Path(kept.enter_context(TemporaryDirectory()))
    kept.enter_context(_listening(folder, _ENVIRONMENT))
    return str(folder / "socket")


@contextmanager
def warm_commands(environment: dict[str, str]):
    """Give ``environment`` with programs that need no imports first in its ``PATH``."""
    with TemporaryDirectory() as name, _listening(Path(name), environment):
        yield {**environment, "PATH": f"{name}:{environment['PATH']}"}


@contextmanager
def _listening(folder: Path, environment: dict[str, str]):
    address = folder / "socket"
    for name in ("doctobert-hf", SCRIPTS):
        program = folder / name
        program.write_text(PROGRAM.format(python=sys.executable, address=str(address)))
        program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        process = subprocess.Popen(
            [sys.executable, __file__, str(listening.fileno())],
            env=environment,
            pass_fds=[listening.fileno()],
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _received(connection: socket.socket) -> tuple[list[int], dict]:
    """Return the caller's streams and its order."""
    numbers = array.array("i")
    _, ancillary, _, _ = connection.recvmsg(1, socket.CMSG_LEN(3 * numbers.itemsize))
    for _, _, data in ancillary:
        numbers.frombytes(data)
    return list(numbers), json.loads(connection.makefile().readline())


def _run(streams: list[int], order: dict) -> NoReturn:
    """Run one command or script in this process, which is the caller's from here on."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    if order["group"]:
        os.setsid()
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    program, *sys.argv = order["arguments"]
    code = _script() if Path(program).name == SCRIPTS else _command()
    atexit._run_exitfuncs()  # what a process does when it ends, but for taking modules apart
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _command() -> int:
    from doctobert_hf.cli import main

    sys.argv.insert(0, "doctobert-hf")
    return main()


def _script() -> int:
    import runpy
    import traceback

    sys.path[0] = str(Path(sys.argv[0]).parent)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def listen(listening: socket.socket) -> None:
    """Answer callers, each in a process of its own, until killed or left alone."""
    import datasets  # noqa: F401
    import torch  # noqa: F401
    from transformers import Trainer  # noqa: F401

    with suppress(ImportError):
        import sentence_transformers  # noqa: F401

    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    parent = os.getppid()
    listening.settimeout(30)
    while os.getppid() == parent:
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        if os.fork():
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listening.close()
        streams, order = _received(connection)
        command = os.fork()
        if not command:
            connection.close()
            _run(streams, order)
        for stream in streams:
            os.close(stream)
        connection.sendall(f"{command}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        connection.sendall(f"{code}\n".encode())
        os._exit(0)


if __name__ == "__main__":
    listen(socket.socket(fileno=int(sys.argv[1])))

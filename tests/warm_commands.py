"""``doctobert-hf`` for pages that call it many times: one process imports the libraries, once.

Each command is a fork of that process, with the folder, the environment, the standard streams and
the arguments of the caller: what it does is what a process of its own does, ten seconds of imports
later. A fresh process for a command is what the other tests of commands take. ``warm-python
SCRIPT`` runs a script in the same way.
"""

from __future__ import annotations

import array
import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

SCRIPTS = "warm-python"
PROGRAM = """#!{python} -IS
import array, json, os, socket, sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
    server.sendmsg([b"x"], streams)
    order = dict(arguments=sys.argv, folder=os.getcwd(), environment=dict(os.environ))
    server.sendall(json.dumps(order).encode() + b"\\n")
    code = server.makefile().read()
sys.exit(int(code or 70))
"""


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


def listen(listening: socket.socket) -> NoReturn:
    """Answer callers, each in a process of its own, until killed."""
    import datasets  # noqa: F401
    import torch  # noqa: F401
    from transformers import Trainer  # noqa: F401

    with suppress(ImportError):
        import sentence_transformers  # noqa: F401

    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    while True:
        connection, _ = listening.accept()
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
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        connection.sendall(str(code if code >= 0 else 128 - code).encode())
        os._exit(0)


if __name__ == "__main__":
    listen(socket.socket(fileno=int(sys.argv[1])))

"""Decoding compressed pixels in worker processes, guarded by time and memory limits.

See `decoding_worker` for why. A worker that dies or hangs costs the frame it was at; the next frame gets a
new one.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from miqanet.reading import decoding_worker
from miqanet.reading.checks import UnreadableError

_START_SECONDS = 120.0


class DecoderDiedError(UnreadableError):
    """The worker crashed or was killed at its time limit."""


class _Worker:
    """One worker process and the pipes to it; used by one thread at a time."""

    def __init__(self, memory_bytes: int) -> None:
        # -P: what lies beside the worker's file are no top-level modules.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-W", "ignore", decoding_worker.__file__, str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                # One frame is decoded by one thread; thread pools would count against the memory limit.
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )
        self._ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def decode(self, request: dict[str, Any], frame: bytes, seconds: float, largest: int) -> NDArray[Any]:
        """Return the decoded frame; raise `DecoderDiedError` when this worker is of no more use."""
        try:
            if not self._ready:
                self._exchange(None, b"", _START_SECONDS, 0)
                self._ready = True
            header, block = self._exchange(request, frame, seconds, largest)
            if "error" not in header:
                return np.frombuffer(block, np.dtype(header["dtype"])).reshape(header["shape"])
        except TimeoutError:
            raise DecoderDiedError(f"pixels cannot be decoded within {seconds:g} s") from None
        except (EOFError, OSError, ValueError):
            raise DecoderDiedError("pixels are damaged: the decoder crashed on them") from None
        raise UnreadableError(f"pixels cannot be decoded ({header['error']})")

    def _exchange(
        self, request: dict[str, Any] | None, frame: bytes, seconds: float, largest: int
    ) -> tuple[dict[str, Any], bytearray]:
        assert self._process.stdin is not None  # noqa: S101 -- they are pipes
        assert self._process.stdout is not None  # noqa: S101
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._process.kill()

        # A timer that kills rather than a read with a time limit, which Windows has not for pipes.
        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            if request is not None:
                decoding_worker.send(self._process.stdin, request, frame)
            answer = decoding_worker.receive(self._process.stdout, largest)
        except Exception:
            if expired.is_set():
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()
        if expired.is_set():
            raise TimeoutError
        return answer

    def close(self) -> None:
        """End the process and leave no zombie."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # What a dead worker has not read cannot be flushed.
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def disown(self) -> None:
        """Keep the destructor from looking for a child process that is not this process's."""
        self._process.returncode = 0


class Decoder:
    """Workers for any number of threads: as many as decode at the same time, kept for the next frame.

    `seconds` is the time limit of one frame; `memory_bytes` the address space of one worker, Python included.
    """

    def __init__(self, seconds: float = 60.0, memory_bytes: int = 2**31) -> None:
        self.seconds = seconds
        self.memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()

    def decode(self, frame: bytes, transfer_syntax: str, options: dict[str, Any]) -> NDArray[Any]:
        """Return one decoded frame, (rows, columns) or (rows, columns, samples).

        `options` are those of pydicom's decoders: the attributes of the image pixel module. Raises
        `UnreadableError` for what cannot be decoded, `DecoderDiedError` where that took the worker's life.
        """
        request = {
            "transfer_syntax": transfer_syntax,
            "options": options,
            "seconds": math.ceil(self.seconds) + 1,
        }
        largest = options["rows"] * options["columns"] * options["samples_per_pixel"] * 8
        worker = self._take()
        usable = False
        try:
            pixels = worker.decode(request, frame, self.seconds, largest)
            usable = True
        except UnreadableError as error:
            usable = not isinstance(error, DecoderDiedError)
            raise
        finally:
            # Anything else, Ctrl-C say, leaves half a message in the pipe: not usable either.
            self._give_back(worker, usable)
        return pixels

    def _take(self) -> _Worker:
        with self._lock:
            # A worker may also have died while it waited: the system ends processes when memory is short.
            while self._idle and not self._idle[-1].alive:
                self._idle.pop().close()
            worker = self._idle.pop() if self._idle else _Worker(self.memory_bytes)
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: _Worker, usable: bool) -> None:
        with self._lock:
            self._busy.discard(worker)
            if usable:
                self._idle.append(worker)
        if not usable:
            worker.close()

    def worker_pids(self) -> list[int]:
        """Return the process ids of the workers that wait for the next frame."""
        with self._lock:
            return [worker.pid for worker in self._idle]

    def close(self) -> None:
        """End all workers. The next frame starts a new one."""
        with self._lock:
            workers = [*self._idle, *self._busy]
            self._idle, self._busy = [], set()
        for worker in workers:
            worker.close()

    def forget(self) -> None:
        """Let go of the workers without ending them: after a fork they belong to the parent process."""
        self._lock = threading.Lock()
        for worker in (*self._idle, *self._busy):
            worker.disown()
        self._idle, self._busy = [], set()


decoder = Decoder()
"""The workers of this process, started when the first compressed frame is met and ended with it."""

atexit.register(decoder.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=decoder.forget)

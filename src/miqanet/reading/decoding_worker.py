"""The process in which compressed pixels are decoded.

Codecs are C and C++ code that a corrupt codestream can abort, hang or make ask for any amount of memory, none
of which Python can catch. So they run here, where nothing is lost with them. This file is run by itself and
needs nothing of the package.

A message is a length-prefixed JSON object and a length-prefixed block of bytes, both ways.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
from typing import IO, Any

_LENGTHS = struct.Struct("<IQ")

_PLUGINS = {
    "1.2.840.10008.1.2.4.50": ("gdcm", "pillow"),
    "1.2.840.10008.1.2.4.51": ("gdcm", "pillow"),
    "1.2.840.10008.1.2.4.57": ("gdcm",),
    "1.2.840.10008.1.2.4.70": ("gdcm",),
    "1.2.840.10008.1.2.4.80": ("gdcm",),
    "1.2.840.10008.1.2.4.81": ("gdcm",),
    "1.2.840.10008.1.2.4.90": ("gdcm", "pillow"),
    "1.2.840.10008.1.2.4.91": ("gdcm", "pillow"),
    "1.2.840.10008.1.2.5": ("pydicom",),
}
"""pydicom's decoding plugins that are tried in turn, by transfer syntax: JPEG, JPEG-LS, JPEG 2000, RLE."""

DECODABLE = frozenset(_PLUGINS)
"""UIDs of the transfer syntaxes that the worker decodes."""


def send(stream: IO[bytes], header: dict[str, Any], block: bytes | memoryview = b"") -> None:
    """Write one message."""
    encoded = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(encoded), len(block)) + encoded)
    stream.write(block)
    stream.flush()


def receive(stream: IO[bytes], largest_block: int) -> tuple[dict[str, Any], bytearray]:
    """Read one message; EOFError where the other side is gone, ValueError where the block is too large."""
    header_size, block_size = _LENGTHS.unpack(_read(stream, _LENGTHS.size))
    header = json.loads(_read(stream, header_size))
    if block_size > largest_block:
        raise ValueError(f"block of {block_size} bytes, at most {largest_block} are expected")
    return header, _read(stream, block_size)


def _read(stream: IO[bytes], size: int) -> bytearray:
    block = bytearray(size)
    view = memoryview(block)
    filled = 0
    while filled < size:
        count = stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        filled += count
    return block


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = size if hard == resource.RLIM_INFINITY else min(size, hard)
    # macOS knows the limit and refuses to set it; the time limit remains.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _decode(frame: bytearray, transfer_syntax: str, options: dict[str, Any]) -> Any:
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    errors = []
    for plugin in _PLUGINS[transfer_syntax]:
        try:
            pixels, _ = get_decoder(transfer_syntax).as_array(
                encapsulate([bytes(frame)]), index=0, decoding_plugin=plugin, **options
            )
        except Exception as error:
            # The text of an exception may quote the file; its type does not.
            errors.append(f"{plugin}: {type(error).__name__}")
        else:
            return pixels
    raise ValueError(", ".join(errors))


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until the other side closes the pipe."""
    while True:
        try:
            request, frame = receive(requests, sys.maxsize)
        except EOFError:
            return
        _set_alarm(request["seconds"])
        try:
            pixels = _decode(frame, request["transfer_syntax"], request["options"])
        except ValueError as error:
            header, block = {"error": str(error)}, memoryview(b"")
        else:
            header, block = (
                {"dtype": pixels.dtype.str, "shape": pixels.shape},
                pixels.reshape(-1).data.cast("B"),
            )
        _set_alarm(0)
        send(answers, header, block)


def _set_alarm(seconds: int) -> None:
    # The parent keeps the time; should it be killed while a codec hangs, the alarm ends this process.
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def main() -> None:
    """Serve the parent over standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Codecs print: keep the pipe for messages alone.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    import pydicom.pixels  # noqa: F401 -- before the clock of the first frame runs

    _limit_memory(int(sys.argv[1]))
    send(answers, {"ready": True})
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()

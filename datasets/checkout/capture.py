"""An OTLP/HTTP receiver that keeps what it receives, and the form in which it is kept.

A recording of one signal is a sequence of frames, `4-byte big-endian length ‖ body`, where the body is one
Export{Trace,Metrics,Logs}ServiceRequest exactly as the exporter sent it (after undoing a content encoding);
the whole is compressed as one zstd frame.
"""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNALS = ("traces", "metrics", "logs")
ZSTD_LEVEL = 19


class Capture:
    """Raw frames in a folder, one file a signal, written as requests arrive."""

    def __init__(self, folder: Path) -> None:
        self._paths = {signal: folder / f"{signal}.frames" for signal in SIGNALS}
        self._files: dict[str, BinaryIO] = {signal: path.open("wb") for signal, path in self._paths.items()}
        self._lock = threading.Lock()
        self.address = ""

    def keep(self, signal: str, body: bytes) -> None:
        """Append one message."""
        with self._lock:
            self._files[signal].write(len(body).to_bytes(4, "big") + body)

    def close(self) -> None:
        """Write everything out; nothing is kept after this."""
        with self._lock:
            for file in self._files.values():
                file.close()

    def frames(self, signal: str) -> bytes:
        """Return the frames of a closed capture."""
        return self._paths[signal].read_bytes()


@contextmanager
def receiving(folder: Path) -> Iterator[Capture]:
    """Receive OTLP on a free loopback port until the block ends."""
    capture = Capture(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(capture))
    server.daemon_threads = True
    capture.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="capture", daemon=True)
    thread.start()
    try:
        yield capture
    finally:
        server.shutdown()
        server.server_close()
        capture.close()


def messages(frames: bytes) -> Iterator[bytes]:
    """Iterate over the bodies of a sequence of frames."""
    position = 0
    while position < len(frames):
        start = position + 4
        position = start + int.from_bytes(frames[position:start], "big")
        yield frames[start:position]


def compress(frames: bytes) -> bytes:
    """Return the frames as one zstd frame."""
    return pa.Codec("zstd", compression_level=ZSTD_LEVEL).compress(frames, asbytes=True)


def _handler(capture: Capture) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # exporters keep their connection

        def do_POST(self) -> None:
            """Keep the body, and answer with an empty protobuf message: all was accepted."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            capture.keep(self.path.removeprefix("/v1/"), body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    return Receiver

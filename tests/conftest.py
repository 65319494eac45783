"""Fixtures of several tests: where the public data sets are, if they are; a small server that speaks chat completions."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of public recordings: ``$ECGLM_DATA``, else ``../shared/data`` beside the repository."""
    folder = Path(os.environ.get("ECGLM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"public data sets are not at {folder}; set ECGLM_DATA to test on them")
    return folder


@pytest.fixture
def server():
    """Replies from a list, in order: text of the message, an HTTP status, or bytes of a body."""
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers.get("Authorization"), body))
            reply = replies.pop(0)
            status = reply if isinstance(reply, int) else 200
            content = reply if isinstance(reply, bytes) else json.dumps({"choices": [{"message": {"content": reply}}]}).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    seen: list = []
    replies: list = []
    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/v1", replies, seen
    http.shutdown()
    http.server_close()

"""The Lambda Runtime API for one function process, on a loopback port."""

import queue
import re
import socket
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/2018-06-01/runtime"
REPLY = re.compile(PREFIX + r"/invocation/([^/]+)/(response|error)")


class RuntimeApi(ThreadingHTTPServer):
    """Serves one invocation at a time and keeps a future for each response."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ready = threading.Event()
        self.waiting: queue.Queue[dict] = queue.Queue()
        self.promises: dict[str, Future] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def invoke(self, payload: dict) -> Future:
        """Enqueues an invocation; the future resolves to `(is_error, body)`."""
        promise = self.promises[payload["invoke-id"]] = Future()
        self.waiting.put(payload)
        return promise

    def close(self) -> None:
        for promise in list(self.promises.values()):
            promise.cancel()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without this, a header and a body in two writes are delayed by 40 ms.
    disable_nagle_algorithm = True
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            return self.respond(404)
        self.server.ready.set()
        invocation = self.next_invocation()
        if invocation is None:
            self.close_connection = True
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation["invoke-id"],
            "Lambda-Runtime-Invoked-Function-Arn": invocation["invoked-function-arn"],
            "Lambda-Runtime-Trace-Id": invocation["trace-id"],
            "Lambda-Runtime-Deadline-Ms": str(invocation["deadline-ms"]),
            "Content-Type": "application/json",
        }
        return self.respond(200, invocation["payload"].encode(), headers)

    def do_POST(self) -> None:
        body = self.body()
        found = REPLY.fullmatch(self.path)
        if found:
            promise = self.server.promises.pop(found[1], None)
            if promise and not promise.done():
                promise.set_result((found[2] == "error", body))
        self.respond(202, b"{}")

    def next_invocation(self) -> dict | None:
        """Waits for an invocation, unless the process has disconnected: it would lose the invocation."""
        while True:
            try:
                return self.server.waiting.get(timeout=0.5)
            except queue.Empty:
                try:
                    if self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                        return None
                except BlockingIOError:
                    continue

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def respond(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        # A single write: the headers are still in the buffer of the base class.
        self._headers_buffer.append(b"\r\n" + body)
        self.flush_headers()

    def log_message(self, *_: object) -> None:
        """Suppressed: a line per request would flood LocalStack's log."""

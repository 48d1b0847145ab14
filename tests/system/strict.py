# SPDX-License-Identifier: Apache-2.0
"""A receiver that is strict about requests and free to answer anything: no answer, half of one,
bytes that are no HTTP. What is wrong with a request is kept in `faults`."""
import json
import socket
import threading
import time

HANG = object()   # takes the request and says nothing
RESET = object()  # ends the connection with a reset


def reply(status, body="", headers=(), keep=True):
    """The bytes of an answer. keep=False closes the connection without having said so."""
    lines = [f"HTTP/1.1 {status} Because", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode(), keep


class Request:
    def __init__(self, line, headers, body):
        self.method, self.path, _ = line.split(" ")
        self.headers = headers
        self.body = body
        self.at = time.monotonic()

    def json(self):
        return json.loads(self.body)


class StrictReceiver:
    """answer(request) returns bytes, (bytes, keep the connection), a generator of bytes, HANG or
    RESET. needs: headers that every request must have."""

    def __init__(self, answer=None, needs=("webhook-id",)):
        self.answer = answer or (lambda request: reply(200))
        self.needs = needs
        self.requests, self.faults, self.connections = [], [], 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open = []
        self.url = "http://127.0.0.1:%d/hook" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stream = connection.makefile("rb")
        try:
            while self._serve_one(connection, stream):
                pass
        except (OSError, ValueError):
            pass

    def _serve_one(self, connection, stream):
        request = self._read(stream)
        if request is None:
            return False
        self.requests.append(request)
        said = self.answer(request)
        if said is HANG:
            stream.read(1)  # until the other side has had enough
            return False
        if said is RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.close()
            connection.close()
            return False
        data, keep = said if isinstance(said, tuple) else (said, False)
        for part in [data] if isinstance(data, bytes) else data:
            connection.sendall(part)
        if not keep:
            connection.shutdown(socket.SHUT_RDWR)
        return keep

    def _read(self, stream):
        line = stream.readline().decode("latin-1")
        if not line:
            return None
        headers = {}
        while True:
            header = stream.readline().decode("latin-1")
            if not header.endswith("\r\n"):
                self.faults.append(f"a head that breaks off: {header!r}")
                return None
            if header == "\r\n":
                break
            name, colon, value = header.rstrip("\r\n").partition(":")
            if not colon or name != name.strip() or name.lower() in headers:
                self.faults.append(f"a bad header: {header!r}")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", "-1"))
        request = Request(line.rstrip("\r\n"), headers, stream.read(max(size, 0)))
        self._judge(line, request, size)
        return request

    def _judge(self, line, request, size):
        wrong = [f"no {name}" for name in ("host", "content-type", *self.needs)
                 if not request.headers.get(name)]
        if request.method != "POST" or not line.endswith(" HTTP/1.1\r\n"):
            wrong.append(line)
        if size != len(request.body) or "transfer-encoding" in request.headers:
            wrong.append(f"{size} bytes said, {len(request.body)} sent")
        if "expect" in request.headers:
            wrong.append("expects an answer before the body")
        try:
            request.json()
        except ValueError as err:
            wrong.append(f"no JSON: {err}")
        self.faults += wrong

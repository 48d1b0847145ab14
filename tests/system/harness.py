# SPDX-License-Identifier: Apache-2.0
"""What system tests stand on: real servers (tools/server), doubles for those that have none here,
the program itself, and waiting for a condition with a deadline instead of for a time.

Everything lives in one folder a test, which is kept when the test fails. Whatever a test has
started ends with it, even when the test itself is killed: see Guard.
"""
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("TIDEWATCH_BUILD", os.path.join(ROOT, "build", "release"))
SERVER = os.path.join(ROOT, "tools", "server")


def wait_for(what, condition, seconds=30):
    """Polls until condition() is true and returns its value. An exception counts as not yet."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, ValueError, LookupError, subprocess.SubprocessError) as err:
            last = err
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still not: {what} (last seen: {repr(last)[:500]})")
        time.sleep(0.05)


def run(*command, text=None, seconds=60):
    """Output of a command that must succeed. Bytes that are no UTF-8 come as U+FFFD."""
    result = subprocess.run(command, input=text, capture_output=True, encoding="utf-8",
                            errors="replace", timeout=seconds)
    if result.returncode:
        raise AssertionError(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr}")
    return result.stdout


def free_port():
    """A port nobody listens on. It may be taken before it is used; good enough for a test that
    binds it at once."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fetch(url, method="GET", body=None, headers=None, seconds=10):
    """(status, text) of a request; an error status is an answer, no exception."""
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        return err.code, err.read().decode()


# --- real servers -----------------------------------------------------------


class Server:
    """A server of tools/server in a folder of its own."""
    kind = None

    def __init__(self, folder, *settings):
        self.folder = folder
        self.settings = settings
        self.address = None

    def start(self):
        """The first time with its settings, later with its old port and data."""
        Guard.watch(f"server {self.kind} {self.folder}")
        settings = self.settings if self.address is None else ()
        self.address = run(SERVER, self.kind, "start", self.folder, *settings,
                           seconds=180).strip()
        return self

    def stop(self):
        run(SERVER, self.kind, "stop", self.folder)

    def kill(self):
        """As a crash would: SIGKILL."""
        run(SERVER, self.kind, "kill", self.folder)

    def url(self, path):
        return f"http://{self.address}{path}"

    def log(self):
        return os.path.join(self.folder, "log")


class Kafka(Server):
    kind = "kafka"

    def topic(self, name, partitions=4):
        run(SERVER, "kafka", "topic", self.folder, name, str(partitions))

    def produce(self, topic, lines, key=None):
        """Each line one message; with key="\\t" the part before the tab is its key. Returns when
        the broker has all of them."""
        run(*self._producer(topic, key), text="".join(f"{line}\n" for line in lines), seconds=300)

    def pour(self, topic, lines, per_second, key=None):
        """The same in the background, at a rate; join() the result to wait for it."""
        return Pour(self._producer(topic, key), lines, per_second)

    def _producer(self, topic, key):
        # Idempotent, so that a broker killed on the way neither loses nor doubles what it has.
        command = ["kcat", "-P", "-E", "-b", self.address, "-t", topic,
                   "-X", "enable.idempotence=true", "-X", "linger.ms=5"]
        return command + (["-K", key] if key else [])

    def consume(self, topic):
        """All messages of a topic so far: dicts with topic, partition, offset, key, payload,
        headers (kcat's JSON form)."""
        out = run("kcat", "-C", "-e", "-q", "-J", "-o", "beginning", "-b", self.address,
                  "-t", topic, seconds=300)
        return [json.loads(line) for line in out.splitlines()]


class Pour(threading.Thread):
    """Lines into a command at so many a second; the burst of a tick is a fiftieth of it."""

    def __init__(self, command, lines, per_second):
        super().__init__(daemon=True)
        self.command, self.lines, self.per_second = command, list(lines), per_second
        self.error = None
        self.start()

    def run(self):
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        began, sent = time.monotonic(), 0
        try:
            while sent < len(self.lines):
                due = min(len(self.lines), int((time.monotonic() - began) * self.per_second) + 1)
                process.stdin.write("".join(f"{l}\n" for l in self.lines[sent:due]).encode())
                process.stdin.flush()
                sent = due
                time.sleep(0.02)
            _, stderr = process.communicate(timeout=300)
            if process.returncode:
                self.error = stderr.decode()
        except (OSError, subprocess.SubprocessError) as err:
            self.error = repr(err)
            process.kill()

    def done(self, seconds=300):
        """Waits until the last line is delivered."""
        self.join(seconds)
        if self.is_alive() or self.error:
            raise AssertionError(f"producer: {self.error or 'does not end'}")


class Prometheus(Server):
    kind = "prometheus"

    def query(self, expression):
        """The result of an instant query."""
        status, text = fetch(self.url("/api/v1/query?query=" + urllib.request.quote(expression)))
        if status != 200:
            raise ValueError(f"{status}: {text}")
        return json.loads(text)["data"]["result"]


class Alertmanager(Server):
    kind = "alertmanager"

    def alerts(self):
        """What amtool lists, as a person would see it."""
        return json.loads(run("amtool", f"--alertmanager.url=http://{self.address}",
                              "alert", "query", "-o", "json"))


class OpenSearch(Server):
    kind = "opensearch"


# --- doubles ----------------------------------------------------------------


class HttpDouble:
    """An HTTP server in this process that remembers what it was asked. answer(request) may be
    replaced: it returns (status, body) or (status, body, headers), or None to cut the connection.
    A request is a dict: method, path, headers (names in lower case), body (bytes), at."""

    def __init__(self, answer=None, port=0):
        self.answer = answer or (lambda request: (200, ""))
        self._requests = []
        self._lock = threading.Lock()
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                size = int(self.headers.get("content-length") or 0)
                request = {"method": self.command, "path": self.path, "at": time.time(),
                           "headers": {k.lower(): v for k, v in self.headers.items()},
                           "body": self.rfile.read(size)}
                double.keep(request)
                result = double.answer(request)
                if result is None:
                    self.close_connection = True
                    return
                body = result[1].encode() if isinstance(result[1], str) else result[1]
                self.send_response(result[0])
                for name, value in (result[2] if len(result) > 2 else {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self._server.server_port
        self.url = f"http://{self.address}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def keep(self, request):
        with self._lock:
            self._requests.append(request)

    def requests(self):
        with self._lock:
            return list(self._requests)

    def json(self):
        """The bodies of all requests, parsed."""
        return [json.loads(request["body"]) for request in self.requests()]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class MetricsPage(HttpDouble):
    """A scrape target: set() what the page says."""

    def __init__(self):
        self._values = {}
        super().__init__(lambda request: (200, self.text(), {"content-type": "text/plain"}))

    def set(self, series, value):
        self._values[series] = value

    def text(self):
        return "".join(f"{series} {value}\n" for series, value in list(self._values.items()))


# --- the program ------------------------------------------------------------


class Tidewatch:
    """One engine: `tidewatch run` on a configuration, given as a dict. Its control address is a
    free port, chosen once, and its state lies in its folder, unless the configuration says."""
    program = os.environ.get("TIDEWATCH", os.path.join(BUILD, "tidewatch"))

    def __init__(self, folder, config):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.process = None
        self.config = dict(config)
        control = self.config.setdefault("control", {})
        self.address = control.setdefault("listen", f"127.0.0.1:{free_port()}")
        self.config.setdefault("state_dir", os.path.join(folder, "state"))
        self.file = os.path.join(folder, "tidewatch.json")
        with open(self.file, "w", encoding="utf-8") as f:
            json.dump(self.config, f, indent=2)

    def log(self):
        return os.path.join(self.folder, "log")

    def logged(self):
        with open(self.log(), encoding="utf-8", errors="replace") as f:
            return f.read()

    def start(self, ready=True):
        with open(self.log(), "ab") as log:
            self.process = subprocess.Popen([self.program, "run", "-c", self.file],
                                            cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        Guard.watch(f"process {self.process.pid} {started_at(self.process.pid)}")
        if ready:
            wait_for("the engine is ready", self.is_ready)
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"tidewatch ended with {self.process.returncode}")
        return self.get("/-/ready")[0] == 200

    def stop(self, seconds=30):
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self):
        return self._end(signal.SIGKILL, 10)

    def _end(self, number, seconds):
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def get(self, path):
        return fetch(f"http://{self.address}{path}")

    def reload(self):
        """(status, report) of POST /-/reload."""
        status, text = fetch(f"http://{self.address}/-/reload", "POST", b"")
        return status, json.loads(text)

    def command(self, *arguments):
        """A finished run of the program: returncode, stdout, stderr."""
        return subprocess.run([self.program, *arguments], capture_output=True, text=True,
                              timeout=60)

    def metric(self, name, **labels):
        """Sum of a metric over all series that have these labels; 0 when there are none."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] == name and all(w in series for w in wanted):
                total += float(value)
        return total


# --- one test ---------------------------------------------------------------


class SystemTest(unittest.TestCase):
    """A test with a folder; use kafka(), prometheus(), alertmanager(), receiver() and engine()."""

    def run(self, result=None):
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        self.folder = tempfile.mkdtemp(prefix="tidewatch-test-")
        self.logs = []
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            self._show_logs()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        return result

    def _show_logs(self):
        for log in self.logs:
            if os.path.exists(log):
                with open(log, encoding="utf-8", errors="replace") as f:
                    lines = f.readlines()[-40:]
                sys.stderr.write(f"--- last lines of {log}\n{''.join(lines)}")
        sys.stderr.write(f"--- kept: {self.folder}\n")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        """A file in the test's folder; replaced at once, as an editor or a mount does it."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(path + ".new", path)
        return path

    def _started(self, kind, name, settings):
        server = kind(self.path(name), *settings)
        self.logs.append(server.log())
        self.addCleanup(server.stop)
        return server.start()

    def kafka(self, *settings, name="kafka"):
        return self._started(Kafka, name, settings)

    def prometheus(self, *settings, name="prometheus"):
        return self._started(Prometheus, name, settings)

    def alertmanager(self, *settings, name="alertmanager"):
        return self._started(Alertmanager, name, settings)

    def opensearch(self, name="opensearch"):
        return self._started(OpenSearch, name, ())

    def receiver(self, answer=None):
        double = HttpDouble(answer)
        self.addCleanup(double.close)
        return double

    def metrics_page(self):
        page = MetricsPage()
        self.addCleanup(page.close)
        return page

    def engine(self, config, name="engine", start=True):
        """An engine that ends with the test; with start=False for the test to start."""
        engine = Tidewatch(self.path(name), config)
        self.logs.append(engine.log())
        self.addCleanup(lambda: engine.process and engine.process.poll() is None and
                        engine.kill())
        return engine.start() if start else engine


# --- what ends whatever was started -----------------------------------------


def started_at(pid):
    """The kernel's start time of a process, so that a reused process id is not taken for it."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            return f.read().rpartition(")")[2].split()[19]
    return None


class Guard:
    """A process of its own that reads what was started and ends it when this one is gone."""
    process = None

    @classmethod
    def watch(cls, line):
        if cls.process is None:
            cls.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "guard"],
                                           stdin=subprocess.PIPE, start_new_session=True,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.process.stdin.write(f"{line}\n".encode())
        cls.process.stdin.flush()

    @staticmethod
    def main():
        started = dict.fromkeys(line.strip() for line in sys.stdin)
        for line in started:
            what, name, rest = line.split(" ", 2)
            if what == "server" and os.path.isdir(rest):
                subprocess.run([SERVER, name, "stop", rest], check=False)
            elif what == "process" and started_at(name) == rest:
                os.kill(int(name), signal.SIGKILL)


if __name__ == "__main__":
    Guard.main()

"""For the tests of the webhook handler: receivers, and sections of a config for it."""
import contextlib
import email.utils
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

import pm

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
OLD_SECRET = "whsec_" + "b2xk" * 8


class Request:
    """One that was received. headers: lower-case names."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        self.at = time.monotonic()

    @property
    def json(self):
        """Strict: a name twice in an object, NaN or invalid UTF-8 is an error."""
        def no_doubles(pairs):
            assert len({key for key, _ in pairs}) == len(pairs), pairs
            return dict(pairs)

        def no_constant(text):
            raise ValueError(text)
        return json.loads(self.body.decode("utf-8", "strict"), object_pairs_hook=no_doubles,
                          parse_constant=no_constant)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """A client that goes away, or that refuses our certificate, is no error of the test."""


class Receiver:
    """An HTTP server in a thread. Answers the first request with the first of `answers` and so on, and
    all others with the last. An answer is a status, (status, headers, body), or a function that gets the
    handler of http.server. context: an ssl.SSLContext."""

    def __init__(self, *answers, context=None, family=socket.AF_INET, address=("127.0.0.1", 0)):
        receiver = self
        self.requests = []
        self._answers = list(answers) or [200]
        self._lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = family == socket.AF_INET

            def do_POST(self):  # noqa: N802
                receiver.take(self)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "client"

        class Server(_Server):
            address_family = family

            def server_bind(self):
                socket.socket.bind(self.socket, self.server_address)
                self.server_address = self.socket.getsockname()

            def get_request(self):
                """The handshake is made by the connection's thread, or one that hangs would stop all."""
                connection, client = super().get_request()
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                return connection, client

        self._server = Server(address, Handler)
        self.port = self._server.server_address[1] if family == socket.AF_INET else None
        self.scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def url(self, host="127.0.0.1", path="/hook"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.requests.append(Request(handler.path, headers, body))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer(handler)
            return
        status, more, text = answer if isinstance(answer, tuple) else (answer, {}, b"")
        reply(handler, status, more, text)

    def wait_for(self, count, deadline=pm.DEADLINE):
        pm.wait_until(lambda: len(self.requests) >= count, deadline,
                      lambda: f"{count} requests; there were {len(self.requests)}")
        return self.requests

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reply(handler, status, headers=(), body=b""):
    handler.send_response(status)
    for name, value in dict(headers).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def http_date(seconds):
    """In so many seconds, as HTTP writes it."""
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@contextlib.contextmanager
def silent_listener(answer=b"", backlog=8):
    """A port that takes connections, sends `answer` at once, and then nothing more."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        taken = []

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                taken.append(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(answer)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in taken:
                connection.close()


def modules():
    """Where script/setup has put what the tests run of npm's."""
    places = [pm.source_dir(), *pm.build_dir().parents]
    for place in places:
        found = place / "build" / "servers" / "node_modules"
        if found.is_dir():
            return found
    raise AssertionError(f"no build/servers in {places}; run script/setup")


class Node:
    """webhook_receiver.js. As a context manager it ends with the block."""

    def __init__(self, panicmon, *secret):
        self.file = panicmon.folder / "node.json"
        script = pathlib.Path(__file__).with_name("webhook_receiver.js")
        self.popen = panicmon.spawn(["node", script, modules(), self.file, *secret], stdout=subprocess.PIPE,
                                    stdin=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{int(self.popen.stdout.readline())}/hook"

    @property
    def requests(self):
        return pm.read_events(self.file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait(pm.DEADLINE)
        self.popen.stdout.close()


def section(panicmon, url=None, name="hook", **keys):
    keys = {"plugin": "webhook", **({} if url is None else {"url": url}), **keys}
    if not pm.is_trusted(panicmon.handler_dir):
        keys["trust_path"] = "yes"
    return f"[handler:{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def config(panicmon, *sections, drain="60s", more=""):
    return panicmon.config(f"[panicmon]\nstart_timeout = 60s\ndrain_timeout = {drain}\n{more}" + "".join(sections))


def secret_file(folder, text, name="secret", mode=0o600):
    path = folder / name
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(mode)
    return path


def until_told(panicmon, config, what, receiver=None):
    """What is on stderr of a panicmon whose command ends when that is there. Nothing reaches the receiver."""
    run = panicmon.start(["sleep", "1000"], config=config)
    run.command()
    pm.wait_until(lambda: what in run.stderr, what=lambda: f"{what!r} on stderr: {run.stderr}")
    run.send(signal.SIGTERM)
    run.wait()
    assert receiver is None or receiver.requests == []
    return run.stderr


class Authority:
    """Certificates made with openssl in a folder: a CA, and what it signs."""

    def __init__(self, folder):
        self.folder = folder
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test CA")
        self.ca = folder / "ca.pem"

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, check=True, capture_output=True)

    def certificate(self, name, host="127.0.0.1", days=2):
        """(certificate, key) for a host; with days < 0 it is no longer valid."""
        kind = "IP" if host[0].isdigit() else "DNS"
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={kind}:{host}\n", encoding="utf-8")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        os.chmod(self.folder / f"{name}.key", 0o600)
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def self_signed(self, name="self"):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                      f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}", "-addext",
                      "subjectAltName=IP:127.0.0.1")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


def server_context(certificate, key, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context

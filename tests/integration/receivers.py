"""Who takes the log of a test: rsyslogd, a journald that notes down what comes, and journalctl."""
import contextlib
import fcntl
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pm
from ports import free_port

JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote"
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
SEAL_EXEC = 0x20  # F_SEAL_EXEC of Linux 6.3

RSYSLOG_CONFIG = """
global(workDirectory="{folder}" parser.escapeControlCharactersOnReceive="off")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="{port}")
input(type="imtcp" address="127.0.0.1" port="{port}")
input(type="imuxsock" Socket="{socket}" UseSpecialParser="off" RateLimit.Interval="0")
template(name="members" type="list" option.jsonf="on") {{
    property(outname="version" name="protocol-version" format="jsonf")
    property(outname="pri" name="pri" format="jsonf")
    property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="app" name="app-name" format="jsonf")
    property(outname="procid" name="procid" format="jsonf")
    property(outname="msgid" name="msgid" format="jsonf")
    property(outname="data" name="structured-data" format="jsonf")
    property(outname="msg" name="msg" format="jsonf")
    property(outname="input" name="inputname" format="jsonf")
}}
action(type="omfile" file="{output}" template="members")
"""


@contextlib.contextmanager
def short_folder():
    """For sockets, whose paths are short."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pm-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Rsyslog:
    """An rsyslogd of the test's own, on a free port and a socket. To be stopped."""

    def __init__(self, panicmon, folder):
        self.panicmon = panicmon
        self.folder = folder
        self.socket = folder / "log"
        self.output = folder / "output"
        self.port = free_port()
        self.popen = None
        (folder / "rsyslog.conf").write_text(RSYSLOG_CONFIG.format(
            folder=folder, port=self.port, socket=self.socket, output=self.output), encoding="utf-8")

    def start(self):
        self.popen = self.panicmon.spawn(["rsyslogd", "-n", "-f", self.folder / "rsyslog.conf",
                                          "-i", self.folder / "pid"])
        pm.wait_until(self._listens, what="rsyslogd to listen")

    def _listens(self):
        assert self.popen.poll() is None, "rsyslogd has ended"
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            return self.socket.exists() and tcp.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.popen is not None:
            self.popen.send_signal(signal.SIGTERM)
            self.popen.wait(pm.DEADLINE)
            self.popen = None

    def messages(self):
        """What rsyslog has understood, each as a dict."""
        text = self.output.read_text(encoding="utf-8") if self.output.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def wait_for(self, count):
        pm.wait_until(lambda: len(self.messages()) >= count,
                      what=lambda: f"{count} messages: {self.messages()}")
        return self.messages()


class Journal:
    """The socket of a journald: `entries` are the bytes of each that came, `sealed` how many of them in
    a memfd."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "socket"
        self.entries = []
        self.seals = SEALS
        self.sealed = 0
        self.failure = None
        self._socket = None
        self._thread = None

    def start(self):
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self):
        try:
            while True:
                data, fds, _, _ = socket.recv_fds(self._socket, 1 << 20, 4)
                if data == b"stop":
                    return
                self.entries.append(self._read_sealed(fds) if fds else data)
        except Exception as failure:  # pylint: disable=broad-except # told by the test's own thread
            self.failure = failure

    def _read_sealed(self, fds):
        assert len(fds) == 1
        with open(fds[0], "rb") as file:
            assert fcntl.fcntl(file, fcntl.F_GET_SEALS) == self.seals
            self.sealed += 1
            file.seek(0)
            return file.read()

    def stop(self):
        if self._socket is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(b"stop", str(self.path))
        self._thread.join(pm.DEADLINE)
        self._socket.close()
        self._socket = None
        self.path.unlink()
        assert self.failure is None, self.failure

    def read(self):
        """The entries as journalctl reads them: each went through systemd-journal-remote into a file."""
        export, journal = self.folder / "export", self.folder / "read.journal"
        export.write_bytes(b"".join(b"__REALTIME_TIMESTAMP=%d\n%s\n" % (1700000000000000 + i, entry)
                                    for i, entry in enumerate(self.entries)))
        subprocess.run([JOURNAL_REMOTE, "-o", journal, export], check=True, capture_output=True)
        out = subprocess.run(["journalctl", "--file", journal, "-o", "json", "--all"], check=True,
                             stdout=subprocess.PIPE).stdout
        journal.unlink()
        return [json.loads(line) for line in out.splitlines()]


def fields(entry):
    """Of an entry's bytes by the rules of the native protocol: {name: [bytes]}."""
    found = {}
    while entry:
        line, entry = entry.split(b"\n", 1)
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(entry[:8], "little")
            value, entry = entry[8:8 + length], entry[8 + length:]
            assert entry[:1] == b"\n"
            entry = entry[1:]
        found.setdefault(name.decode("ascii"), []).append(value)
    return found

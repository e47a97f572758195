"""Servers of the statsd handler: receivers of the tests' own, npm's statsd and Debian's collectd."""
import collections
import os
import pathlib
import re
import select
import socket
import subprocess
import threading

import pm
from ports import free_port


def section(address, name="statsd", **keys):
    """[handler:NAME] with the handler statsd and that address."""
    if not pm.is_trusted(pm.build_dir() / ".libs"):
        keys.setdefault("trust_path", "yes")
    keys = {"plugin": "statsd", "address": address, **keys}
    return f"[handler:{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def parse(line):
    """(name, tags, value, type) of a metric in any of the dialects."""
    found = re.fullmatch(r"([\w.]+)((?:[,;][^:|]+)?):(-?\d+)\|(c|g|ms)(?:\|#(.+))?", line)
    assert found, line
    name, inner, value, kind, outer = found.groups()
    pairs = re.split(r"[,;]", inner[1:]) if inner else outer.split(",") if outer else []
    return name, dict(re.split("[=:]", pair, maxsplit=1) for pair in pairs), int(value), kind


class Receiver:
    """A bound socket that is read by a thread, or by lines() alone if `thread` is False."""

    def __init__(self, path=None, host="127.0.0.1", port=0, thread=True):
        self.datagrams = []
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET,
                                    socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(str(path) if path else (host, port))
        self.address = f"unix://{path}" if path else f"udp://{host}:{self.port()}"
        self.stop, self.stopped = os.pipe()
        self.thread = threading.Thread(target=self._read) if thread else None
        if thread:
            self.thread.start()

    def port(self):
        return self.socket.getsockname()[1]

    def _read(self):
        while self.stop not in select.select([self.socket, self.stop], [], [])[0]:
            self.datagrams.append(self.socket.recv(1 << 17))

    def lines(self):
        """Those that have come; what is in the socket is read now."""
        if self.thread is None:
            while select.select([self.socket], [], [], 0)[0]:
                self.datagrams.append(self.socket.recv(1 << 17))
        return [line for datagram in list(self.datagrams) for line in datagram.decode().split("\n")]

    def metrics(self):
        return [parse(line) for line in self.lines() if not line.startswith("_")]

    def sums(self):
        """Of the counters, by name."""
        found = collections.Counter()
        for name, _, value, kind in self.metrics():
            if kind == "c":
                found[name] += value
        return found

    def wait_for(self, text, deadline=pm.DEADLINE):
        pm.wait_until(lambda: any(text in line for line in self.lines()), deadline,
                      lambda: f"{text!r} in {self.lines()}")

    def close(self):
        if self.thread is not None:
            os.write(self.stopped, b"x")
            self.thread.join()
        self.thread = None
        self.socket.close()
        for fd in (self.stop, self.stopped):
            os.close(fd)


def udp_is_bound(port):
    lines = pathlib.Path("/proc/net/udp").read_text(encoding="utf-8").splitlines()
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines[1:])


def start_on_free_port(start):
    """start(port) makes a server, or returns None if somebody else took the port meanwhile."""
    for _ in range(10):
        server = start(free_port())
        if server is not None:
            return server
    raise AssertionError("no server could be started")


def modules():
    """Where script/setup has put npm's servers."""
    places = [pathlib.Path(os.environ[name]) / "node_modules" for name in ("PM_SERVERS",) if name in os.environ]
    places += [top / "build" / "servers" / "node_modules" for top in (pm.source_dir(), *pm.build_dir().parents)]
    for place in places:
        if place.is_dir():
            return place
    raise AssertionError("there is no build/servers; run script/setup")


class NpmStatsd:
    """npm's statsd, and what it says on its management port. It never resets a counter."""

    def __init__(self, panicmon, folder):
        self.panicmon = panicmon
        self.folder = folder
        self.management = None
        self.port = start_on_free_port(self._start)
        self.address = f"udp://127.0.0.1:{self.port}"

    def _start(self, port):
        self.management = free_port()
        config = self.folder / f"statsd-{port}.js"
        config.write_text(f'{{port: {port}, address: "127.0.0.1", mgmt_port: {self.management}, '
                          'mgmt_address: "127.0.0.1", backends: [], flushInterval: 86400000, title: false, '
                          'automaticConfigReload: false}', encoding="utf-8")
        with open(self.folder / "statsd.log", "ab") as log:
            popen = self.panicmon.spawn(["node", modules() / "statsd" / "stats.js", config], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        pm.wait_until(lambda: popen.poll() is not None or udp_is_bound(port) and self._answers(), what="npm's statsd")
        self.popen = popen
        return port if popen.poll() is None else None

    def _answers(self):
        try:
            return "END" in self.ask("counters")
        except ConnectionRefusedError:
            return False

    def ask(self, command):
        with socket.create_connection(("127.0.0.1", self.management), timeout=pm.DEADLINE) as sock:
            sock.sendall(command.encode() + b"\n")
            answer = b""
            while b"END" not in answer:
                got = sock.recv(65536)
                assert got, answer
                answer += got
        return answer.decode()

    def values(self, kind):
        """Of `counters` or `gauges`: {name: number}; of `timers`: {name: [number]}."""
        found = re.findall(r"'?([\w.;=-]+)'?: (\[[^\]]*\]|-?[\d.]+)", self.ask(kind))
        return {name: [float(part) for part in re.findall(r"[\d.]+", value)] if value[0] == "[" else float(value)
                for name, value in found}

    def bad_lines(self):
        return self.values("counters")["statsd.bad_lines_seen"]

    def end(self):
        self.popen.kill()
        self.popen.wait()


class Collectd:
    """Debian's collectd with its plugin statsd; what it has counted comes into CSV files."""

    def __init__(self, panicmon, folder):
        self.panicmon = panicmon
        self.folder = folder
        self.data = folder / "csv"
        self.log = folder / "collectd.log"
        self.port = start_on_free_port(self._start)
        self.address = f"udp://127.0.0.1:{self.port}"

    def _start(self, port):
        config = self.folder / f"collectd-{port}.conf"
        config.write_text(f"""
BaseDir "{self.folder}"
PIDFile "{self.folder}/collectd.pid"
Hostname "test"
FQDNLookup false
Interval 1
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{self.log}"
</Plugin>
LoadPlugin statsd
<Plugin statsd>
  Host "127.0.0.1"
  Port "{port}"
</Plugin>
LoadPlugin csv
<Plugin csv>
  DataDir "{self.data}"
  StoreRates false
</Plugin>
""", encoding="utf-8")
        popen = self.panicmon.spawn(["/usr/sbin/collectd", "-f", "-C", config], stdin=subprocess.DEVNULL)
        pm.wait_until(lambda: popen.poll() is not None or udp_is_bound(port), what="collectd")
        self.popen = popen
        return port if popen.poll() is None else None

    def value(self, kind, name):
        """The last of a metric, or None; kind: derive, gauge, latency."""
        files = sorted(self.data.glob(f"test/statsd/{kind}-{name}-20*"))
        if not files:
            return None
        rows = files[-1].read_text(encoding="utf-8").splitlines()
        values = [row.split(",")[1] for row in rows[1:] if row.count(",") == 1]
        return float(values[-1]) if values else None

    def wait_for(self, kind, name, value):
        pm.wait_until(lambda: self.value(kind, name) == value,
                      what=lambda: f"{kind}-{name} {value}; there is {self.value(kind, name)}; {self.said()}")

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def end(self):
        self.popen.terminate()
        self.popen.wait()

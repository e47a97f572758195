"""The handler statsd where the network, the server or the resolver do not do their part.

Names are changed in a mount namespace that has files of the test's own in the place of /etc/hosts,
/etc/resolv.conf and /etc/nsswitch.conf.
"""
import os
import pathlib
import re
import signal
import sys
import time

import pytest

import pm
from ports import free_port
from statsd_servers import Receiver, section
from test_delivery import storm

# Becomes panicmon in namespaces with other files in /etc and, if asked, with a network of its own, whose
# only name server takes all questions and answers none.
ENTER = """
import ctypes, fcntl, os, socket, struct, sys
folder, silent, command = sys.argv[1], sys.argv[2] == "silent", sys.argv[3:]
libc = ctypes.CDLL(None, use_errno=True)
for name in ("hosts", "resolv.conf", "nsswitch.conf"):
    path = os.path.realpath("/etc/" + name)
    if os.path.exists(path) and libc.mount(f"{folder}/{name}".encode(), path.encode(), None, 4096, None) != 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
if silent:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sH14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    os.set_inheritable(server.fileno(), True)
os.execv(command[0], command)
"""


class Names:
    """What names mean to a panicmon that is started with `prefix`."""

    def __init__(self, folder, silent):
        self.folder = folder
        self.set("")
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:3\n", encoding="utf-8")
        (folder / "nsswitch.conf").write_text(f"hosts: files{' dns' if silent else ''}\n", encoding="utf-8")
        (folder / "enter.py").write_text(ENTER, encoding="utf-8")
        network = ["--net"] if silent else []
        if not pm.can_mount(*network):
            pytest.skip("no namespaces here for files in the place of those in /etc")
        self.prefix = [*pm.PRIVATE_MOUNTS, *network, sys.executable, folder / "enter.py", folder,
                       "silent" if silent else "files"]

    def set(self, hosts):
        """The file is the same one, only its text is another: it is what is mounted."""
        (self.folder / "hosts").write_text(hosts, encoding="utf-8")


@pytest.fixture
def names(tmp_path):
    return Names(tmp_path, silent=False)


@pytest.fixture
def silent_names(tmp_path):
    return Names(tmp_path, silent=True)


@pytest.fixture
def receivers(panicmon):
    def make(*arguments, **keys):
        receiver = Receiver(*arguments, **keys)
        panicmon.afterwards.append(receiver.close)
        return receiver
    return make


def start(panicmon, address, prefix=(), drain="30s", **keys):
    config = panicmon.config(f"[panicmon]\ndrain_timeout = {drain}\n" + section(address, **keys))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), panicmon.folder / "taken"], config=config,
                         prefix=prefix)
    run.wait_for_stdout("ready")
    return run


def passed(receiver):
    return receiver.sums()["panicmon.signal.passed"]


# ---- nobody there ----

def test_udp_without_a_listener(panicmon):
    run = start(panicmon, f"udp://127.0.0.1:{free_port()}")
    for _ in range(3):
        storm(panicmon, run.pid, 1)
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert done.stderr.count("cannot send to udp://127.0.0.1:") == 1
    assert ": Connection refused; metrics are lost until it can be" in done.stderr
    lost = int(re.search(r"panicmon\[statsd\]: (\d+) metrics to udp://127\.0\.0\.1:\d+ were lost\n", done.stderr)[1])
    # A start with two gauges, four signals received and passed, and an end with six more. A refusal tells
    # of one datagram or more.
    assert 7 <= lost <= 3 + 8 + 7


@pytest.mark.parametrize("there", ["nothing", "a file", "a dead socket", "a folder without rights"])
def test_unix_without_a_listener(panicmon, tmp_path, there):
    """The start is not refused and the end not held up, whatever is at the path."""
    path = tmp_path / "statsd.sock"
    if there == "a file":
        path.touch()
    elif there == "a dead socket":
        Receiver(path, thread=False).close()
    elif there == "a folder without rights":
        path = tmp_path / "closed" / "statsd.sock"
        path.parent.mkdir(mode=0)
        panicmon.afterwards.append(lambda: path.parent.chmod(0o700))  # or pytest cannot remove it
    begun = time.monotonic()
    run = start(panicmon, f"unix://{path}")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert time.monotonic() - begun < 20, "of a drain_timeout of 30 s"
    assert done.stderr.count(f"cannot send to unix://{path}: ") == 1
    assert f"12 metrics to unix://{path} were lost\n" in done.stderr
    assert "not delivered" not in done.stderr


def test_no_way_to_the_network(panicmon, silent_names):
    """In a network of its own: not even a route."""
    run = start(panicmon, "udp://192.0.2.1:8125", prefix=silent_names.prefix)
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert "cannot send to udp://192.0.2.1:8125: Network is unreachable; " in done.stderr
    assert "12 metrics to udp://192.0.2.1:8125 were lost\n" in done.stderr


# ---- servers that come and go ----

def test_unix_server_that_comes_late(panicmon, receivers, tmp_path):
    """Nothing is lost: it waits, sums up and is sent as soon as there is somebody."""
    path = tmp_path / "statsd.sock"
    run = start(panicmon, f"unix://{path}")
    storm(panicmon, run.pid, 500)
    pm.wait_until(lambda: len((tmp_path / "taken").read_text().splitlines()) == 500, what="the signals")
    receiver = receivers(path)
    pm.wait_until(lambda: passed(receiver) == 500, what="the signals")
    assert receiver.sums()["panicmon.process.start"] == 1
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.stderr == ""
    receiver.wait_for("process.exit")


@pytest.mark.parametrize("rename", [False, True])
def test_unix_server_that_is_replaced(panicmon, receivers, tmp_path, rename):
    """`rename`: the old one lives on, without the path."""
    path = tmp_path / "statsd.sock"
    first = receivers(path)
    run = start(panicmon, first.address)
    storm(panicmon, run.pid, 1)
    pm.wait_until(lambda: passed(first) == 1, what="the first signal")
    if rename:
        path.rename(tmp_path / "old.sock")
    else:
        path.unlink()
    second = receivers(path)
    storm(panicmon, run.pid, 1)
    pm.wait_until(lambda: passed(second) == 1, what="the second signal")
    run.send(signal.SIGTERM)
    assert run.wait().stderr == ""
    second.wait_for("process.exit")
    assert passed(first) == 1


def test_udp_server_that_comes_back(panicmon, receivers):
    """What was lost meanwhile is told to it, and to whoever reads stderr."""
    first = Receiver(port=free_port(), thread=False)
    run = start(panicmon, first.address)
    pm.wait_until(lambda: "panicmon.process.start" in first.sums(), what="the start")
    port = first.port()
    first.close()
    pm.wait_until(lambda: "cannot send" in run.stderr or storm(panicmon, run.pid, 1), what="the complaint")
    second = receivers(port=port)
    pm.wait_until(lambda: "sending again; " in run.stderr or storm(panicmon, run.pid, 1), what="it to be well again")
    run.send(signal.SIGTERM)
    done = run.wait()
    lost = sum(map(int, re.findall(r"(\d+) metrics to udp://127\.0\.0\.1:\d+ were lost\n", done.stderr)))
    second.wait_for("process.exit")
    assert second.sums()["panicmon.dropped"] == lost > 0
    # A refusal tells of one datagram or more.
    passed_on = len((panicmon.folder / "taken").read_text().splitlines())
    assert passed(second) + second.sums()["panicmon.signal.received"] + lost <= 2 * passed_on


def test_full_unix_socket(panicmon, receivers, tmp_path):
    """A server that does not read, for as long as it takes: what it has no room for comes when it does."""
    receiver = receivers(tmp_path / "statsd.sock", thread=False)
    run = start(panicmon, receiver.address, heartbeat=0)
    sent = 0
    limit = int(pathlib.Path("/proc/sys/net/unix/max_dgram_qlen").read_text(encoding="utf-8"))
    # One after the other, or they would be summed up in a few datagrams.
    for sent in range(1, limit + 20):
        storm(panicmon, run.pid, 1)
        pm.wait_until(lambda: len((tmp_path / "taken").read_text().splitlines()) >= sent, what="the signal")
    pm.wait_until(lambda: passed(receiver) == sent, what="all of the signals")
    run.send(signal.SIGTERM)
    assert run.wait().stderr == ""
    assert receiver.sums()["panicmon.signal.received"] == sent + 1


# ---- names ----

def test_a_name(panicmon, receivers, names):
    receiver = receivers()
    names.set("127.0.0.1 statsd.test\n")
    run = start(panicmon, f"udp://statsd.test:{receiver.port()}", prefix=names.prefix)
    run.send(signal.SIGTERM)
    assert run.wait().stderr == ""
    receiver.wait_for("process.exit")
    assert receiver.sums()["panicmon.process.start"] == 1


def test_a_name_with_an_address_that_nobody_listens_to(panicmon, receivers, names):
    """As "localhost" is ::1 as well as 127.0.0.1."""
    receiver = receivers()
    names.set("::1 statsd.test\n127.0.0.2 statsd.test\n127.0.0.1 statsd.test\n")
    run = start(panicmon, f"udp://statsd.test:{receiver.port()}", prefix=names.prefix)
    pm.wait_until(lambda: passed(receiver) > 0 or storm(panicmon, run.pid, 1), what="a signal")
    run.send(signal.SIGTERM)
    run.wait()
    receiver.wait_for("process.exit")


def test_a_name_that_moves_as_its_server_ends(panicmon, receivers, names):
    """A refusal is enough: it does not take the minute."""
    first = Receiver(port=free_port(), thread=False)
    names.set("127.0.0.1 statsd.test\n")
    run = start(panicmon, f"udp://statsd.test:{first.port()}", prefix=names.prefix)
    pm.wait_until(lambda: "panicmon.process.start" in first.sums(), what="the start")
    second = receivers(host="127.0.0.2", port=first.port())
    first.close()
    names.set("127.0.0.2 statsd.test\n")
    pm.wait_until(lambda: passed(second) > 0 or storm(panicmon, run.pid, 1), what="a signal")
    run.send(signal.SIGTERM)
    done = run.wait()
    second.wait_for("process.exit")
    assert "sending again; " in done.stderr


def test_a_name_that_moves_while_its_server_goes_on(panicmon, receivers, names):
    """Nothing is refused; it is looked up again after a while."""
    first = receivers(port=free_port())
    second = receivers(host="127.0.0.2", port=first.port())
    names.set("127.0.0.1 statsd.test\n")
    run = start(panicmon, f"udp://statsd.test:{first.port()}", prefix=names.prefix, look_up_every="1s",
                heartbeat="200ms")
    pm.wait_until(lambda: first.metrics(), what="the first metrics")
    names.set("127.0.0.2 statsd.test\n")
    pm.wait_until(lambda: second.metrics(), what="metrics at the other address")
    run.send(signal.SIGTERM)
    assert run.wait().stderr == ""
    second.wait_for("process.exit")


def test_a_name_that_is_lost_later(panicmon, receivers, names):
    """The last address goes on to be used."""
    receiver = receivers()
    names.set("127.0.0.1 statsd.test\n")
    run = start(panicmon, f"udp://statsd.test:{receiver.port()}", prefix=names.prefix, look_up_every="1s",
                heartbeat="200ms")
    pm.wait_until(lambda: receiver.metrics(), what="the first metrics")
    names.set("")
    pm.wait_until(lambda: ("panicmon.process.uptime", {}, 4, "g") in receiver.metrics(), what="four seconds")
    run.send(signal.SIGTERM)
    assert run.wait().stderr == ""
    receiver.wait_for("process.exit")


def test_a_name_that_is_there_later(panicmon, receivers, names):
    """What happens before waits for it."""
    receiver = receivers()
    run = start(panicmon, f"udp://statsd.test:{receiver.port()}", prefix=names.prefix)
    storm(panicmon, run.pid, 100)
    pm.wait_until(lambda: len((panicmon.folder / "taken").read_text().splitlines()) == 100, what="the signals")
    names.set("127.0.0.1 statsd.test\n")
    pm.wait_until(lambda: passed(receiver) == 100, what="the signals")
    assert receiver.sums()["panicmon.process.start"] == 1
    run.send(signal.SIGTERM)
    assert run.wait().stderr == ""


def test_a_name_that_is_never_found(panicmon, names):
    run = start(panicmon, "udp://statsd.test", prefix=names.prefix)
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert done.seconds < 20
    assert re.search(r"cannot send to udp://statsd\.test: (Name or service not known|No address associated with "
                     r"hostname); metrics are lost until it can be\n", done.stderr), done.stderr
    assert "12 metrics to udp://statsd.test were lost\n" in done.stderr


def test_a_resolver_that_hangs(panicmon, silent_names):
    """For longer than a call may take; neither the start nor the end waits for it, and no host is killed."""
    begun = time.monotonic()
    run = start(panicmon, "udp://statsd.test", prefix=silent_names.prefix, timeout="2s")
    storm(panicmon, run.pid, 3)
    time_of_start = time.monotonic() - begun
    assert time_of_start < 15
    pm.wait_until(lambda: time.monotonic() - begun > 4, what="more than the timeout")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert time.monotonic() - begun < 25, "of a drain_timeout of 30 s and a resolver's 90 s"
    assert "has not returned" not in done.stderr
    assert "cannot send to udp://statsd.test: its name has not been found yet; " in done.stderr
    assert "18 metrics to udp://statsd.test were lost\n" in done.stderr

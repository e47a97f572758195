"""The log to syslog: RFC 5424 by each transport, as rsyslog understands it."""
import json
import re
import socket
import time

import pytest

import pm
import receivers
from ports import free_port
from test_statsd_network import Names

ADDED = 16  # bytes that rsyslog may add: "imuxsock", +00:00 for Z
HOSTILE = ["true", 'say "hi"', "C:\\dir]", "\x1b[2J\n\x01", "\udcff", "\u00e9\u2028"]


@pytest.fixture
def rsyslog(panicmon):
    with receivers.short_folder() as folder:
        made = receivers.Rsyslog(panicmon, folder)
        made.start()
        yield made
        made.stop()


def address_of(rsyslog, transport):
    return str(rsyslog.socket) if transport == "local" else f"{transport}://127.0.0.1:{rsyslog.port}"


def section(panicmon, address, **keys):
    return panicmon.config(panicmon.log_section("log", "syslog", address=address, **{"format": "auto", **keys}))


def params(data):
    """The parameters of structured data, by the grammar of RFC 5424."""
    element = re.fullmatch(r'\[panicmon@32473((?: [!-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\.)*")*)\]', data, re.S)
    assert element, data
    pairs = re.findall(r' ([^=]+)="((?:[^"\\\]]|\\.)*)"', element.group(1), re.S)
    return {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in pairs}


@pytest.mark.parametrize("transport", ["local", "udp", "tcp"])
def test_a_run_as_rsyslog_understands_it(panicmon, rsyslog, transport):
    config = section(panicmon, address_of(rsyslog, transport), facility="local3")
    done = panicmon.run(["sh", "-c", "exit 3"], config=config, name="api")
    assert done.status == 3, done
    started, exited = rsyslog.wait_for(2)
    assert started["input"] == {"local": "imuxsock", "udp": "imudp", "tcp": "imtcp"}[transport]
    assert started["version"] == "1"
    assert started["pri"] == str(19 * 8 + 6)
    assert exited["pri"] == str(19 * 8 + 3)
    assert started["host"] == socket.gethostname()
    assert started["app"] == "api"
    assert started["msgid"] == "process.started"
    assert started["msg"] == "process.started: running sh -c 'exit 3'"
    assert exited["msg"].startswith("process.exited: code 3 after ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|\+00:00)", started["time"])
    told = params(exited["data"])
    assert told["seq"] == "2"
    assert told["code"] == "3"
    assert told["reason"] == "exited"
    assert told["pid"] == exited["procid"]
    assert told["args"] == "sh -c 'exit 3'"


@pytest.mark.parametrize("transport", ["local", "udp", "tcp"])
def test_hostile_arguments(panicmon, rsyslog, transport):
    panicmon.run(HOSTILE, config=section(panicmon, address_of(rsyslog, transport)))
    for message in rsyslog.wait_for(2):
        assert params(message["data"])["args"] == (
            r"""true 'say "hi"' 'C:\dir]' $'\x1b[2J\n\x01' """ + "\ufffd $'\u00e9" + r"\xe2\x80\xa8'")
        assert "\x1b" not in message["msg"]


@pytest.mark.parametrize("transport,most", [("local", 8000), ("udp", 2048), ("tcp", 8000)])
def test_a_megabyte_of_arguments_is_cut(panicmon, rsyslog, transport, most):
    args = [str(i) * 130000 for i in range(8)]
    panicmon.run(["true", *args], config=section(panicmon, address_of(rsyslog, transport)))
    for message in rsyslog.wait_for(2):
        told = params(message["data"])
        assert told["truncated"] == "true"
        assert told["args"].startswith("true 000")
        assert most / 2 < sum(len(value.encode()) for value in message.values()) <= most + ADDED
        assert message["msg"].startswith(message["msgid"] + ": ")


def test_json_as_the_message(panicmon, rsyslog):
    panicmon.run(HOSTILE, config=section(panicmon, address_of(rsyslog, "tcp"), format="json"))
    for message in rsyslog.wait_for(2):
        assert message["data"] == "-"
        event = json.loads(message["msg"])
        assert event["event"] == message["msgid"]
        assert event["args"] == [*HOSTILE[:4], "\ufffd", HOSTILE[5]]


def test_a_server_that_is_started_again_gets_all(panicmon, rsyslog, tmp_path):
    config = section(panicmon, address_of(rsyslog, "tcp"))
    run = panicmon.start([pm.tool("sigcount"), "-n", 20, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    rsyslog.wait_for(1)
    rsyslog.stop()
    for _ in range(10):
        run.send(10)
    pm.wait_until(lambda: "cannot reach syslog" in run.stderr, what="a word of it")
    rsyslog.start()
    while run.popen.poll() is None:
        run.send(10)
        time.sleep(0.01)
    run.wait()
    seqs = [int(params(message["data"])["seq"]) for message in rsyslog.messages()]
    assert sorted(set(seqs)) == list(range(1, max(seqs) + 1))
    assert rsyslog.messages()[-1]["msgid"] == "process.exited"


def test_a_local_socket_that_is_replaced(panicmon, rsyslog, tmp_path):
    run = panicmon.start([pm.tool("sigcount"), "-n", 2, tmp_path / "taken"],
                         config=section(panicmon, rsyslog.socket))
    run.wait_for_stdout("ready")
    rsyslog.wait_for(1)
    rsyslog.stop()
    run.send(10)
    pm.wait_until(lambda: "cannot reach syslog" in run.stderr, what="a word of it")
    rsyslog.start()
    run.send(12)
    run.wait()
    seqs = [int(params(message["data"])["seq"]) for message in rsyslog.wait_for(6)]
    assert seqs == [1, 2, 3, 4, 5, 6]


def test_nobody_there_holds_nothing_up(panicmon, tmp_path):
    """At the start, and at the end for no longer than drain_timeout."""
    with receivers.short_folder() as folder:
        for address in (f"tcp://127.0.0.1:{free_port()}", folder / "none"):
            text = panicmon.log_section("log", "syslog", address=address, format="auto")
            config = panicmon.config("[panicmon]\ndrain_timeout = 3s\n" + text)
            done = panicmon.run(["sh", "-c", "exit 4"], config=config)
            assert done.status == 4, done
            assert done.seconds < 20
            assert f"cannot reach syslog at '{address}': " in done.stderr, done.stderr
            assert "2 of 2 events were not delivered" in done.stderr, done.stderr


def test_a_resolver_that_hangs(panicmon, tmp_path):
    """For longer than a call may take, and than a start: neither waits for it, and no host is killed."""
    names = Names(tmp_path, silent=True)
    text = panicmon.log_section("log", "syslog", address="tcp://loghost.test", format="auto", timeout="1s")
    config = panicmon.config("[panicmon]\nstart_timeout = 10s\ndrain_timeout = 5s\n" + text)
    done = panicmon.start(["sh", "-c", "exit 4"], config=config, prefix=names.prefix).wait()
    assert done.status == 4, done
    assert done.seconds < 25, "of a resolver's 90 s"
    assert "cannot reach syslog at 'tcp://loghost.test': Connection timed out; it is tried again" in done.stderr
    assert "has not returned" not in done.stderr
    assert "2 of 2 events were not delivered" in done.stderr


@pytest.mark.parametrize("there", ["127.0.0.1", "127.0.0.2"])
def test_a_name_of_two_addresses(panicmon, tmp_path, there):
    """By UDP a refusal is told with the next datagram; then the other address is tried."""
    names = Names(tmp_path, silent=False)
    names.set("127.0.0.1 loghost.test\n127.0.0.2 loghost.test\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((there, 0))
        text = panicmon.log_section("log", "syslog", address="udp://loghost.test:%d" % server.getsockname()[1],
                                    format="auto")
        done = panicmon.start(["sh", "-c", "exit 4"], config=panicmon.config(text),
                              prefix=names.prefix).wait()
        assert done.status == 4, done
        server.setblocking(False)
        assert b" process.exited " in server.recv(65536) or b" process.exited " in server.recv(65536)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_name_that_is_not_found_is_told_as_such(panicmon, transport):
    text = panicmon.log_section("log", "syslog", address=f"{transport}://name.invalid", format="auto")
    config = panicmon.config("[panicmon]\ndrain_timeout = 3s\n" + text)
    done = panicmon.run(["true"], config=config)
    told, = [line for line in done.stderr.splitlines() if "cannot reach syslog" in line]
    assert "Name or service not known" in told or "failure in name resolution" in told, told


def test_a_refusal_by_udp_is_told_once(panicmon):
    """Each datagram is taken, and the next one told that there is nobody."""
    address = f"udp://127.0.0.1:{free_port()}"
    text = panicmon.log_section("log", "syslog", address=address, format="auto")
    config = panicmon.config("[panicmon]\ndrain_timeout = 3s\n" + text)
    done = panicmon.run(["sh", "-c", "for i in 1 2 3 4 5 6; do kill -USR1 $PPID; sleep 0.01; done"],
                        config=config, options=["process.rewrite=USR1:0"])
    assert done.stderr.count("cannot reach syslog") == 1, done.stderr


def test_a_server_that_does_not_read(panicmon, tmp_path):
    """The kernel takes what fits; then the log waits, the command does not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        text = panicmon.log_section("log", "syslog", address="tcp://127.0.0.1:%d" % server.getsockname()[1],
                                    format="auto")
        config = panicmon.config("[panicmon]\ndrain_timeout = 500ms\n" + text)
        run = panicmon.start(["sh", "-c", 'exec "$0" -n 2000 -x 7 "$1"', pm.tool("sigcount"), tmp_path / "taken",
                              "x" * 100000], config=config)
        run.wait_for_stdout("ready")
        while run.popen.poll() is None and len(pm.numbers_taken(tmp_path / "taken")) < 2000:
            run.send(34)
        done = run.wait()
        assert done.status == 7, done

"""The handler statsd: what arrives, and that nothing else notices whether it does."""
import re
import signal
import sys

import pytest

import pm
from statsd_servers import Receiver, parse, section
from test_delivery import storm

DIALECTS = ["statsd", "dogstatsd", "influx", "graphite"]
LIMITS = {"udp": 1432, "unix": 8192}


@pytest.fixture
def receivers(panicmon):
    """Makes Receivers that are closed after the test."""
    def make(*arguments, **keys):
        receiver = Receiver(*arguments, **keys)
        panicmon.afterwards.append(receiver.close)
        return receiver
    return make


def make_receiver(receivers, tmp_path, transport, **keys):
    return receivers(tmp_path / "statsd.sock" if transport == "unix" else None, **keys)


@pytest.mark.parametrize("transport", ["udp", "unix"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_last_metric_is_out_before_panicmon_ends(panicmon, receivers, tmp_path, dialect, transport):
    """Nobody reads meanwhile: what is not in the socket when panicmon has ended never comes."""
    receiver = make_receiver(receivers, tmp_path, transport, thread=False)
    config = panicmon.config(section(receiver.address, dialect=dialect))
    for _ in range(10):
        receiver.datagrams.clear()
        done = panicmon.run(["sh", "-c", "exit 3"], config=config, name="api")
        assert done.status == 3
        assert done.stderr == ""
        metrics = receiver.metrics()
        names = [name for name, *_ in metrics]
        assert names == ["panicmon.process." + name for name in
                         ("start", "up", "uptime", "exit", "crash", "runtime", "cpu.user", "cpu.system", "max_rss",
                          "up", "uptime")]
        assert metrics[-2][2:] == (0, "g")
        tags = {} if dialect == "statsd" else {"service": "api"}
        assert all(metric[1].items() >= tags.items() for metric in metrics)
        if dialect != "statsd":
            assert metrics[3][1] == {"service": "api", "reason": "exited", "code": "3"}


def test_values(panicmon, receivers):
    receiver = receivers()
    config = panicmon.config(section(receiver.address, dialect="influx"))
    run = panicmon.start([sys.executable, "-c", "import os,signal,time\n"
                          "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
                          "while os.times().user < .2: sum(range(10000))\n"
                          "print('ready', flush=True)\ntime.sleep(1000)"],
                         config=config)
    run.wait_for_stdout("ready")
    run.send(signal.SIGHUP)
    receiver.wait_for("signal.passed")
    pm.wait_until(lambda: receiver.sums()["panicmon.signal.passed"] == 1, what="the signal")
    run.send(signal.SIGTERM)
    run.wait()
    receiver.wait_for("process.exit")
    pm.wait_until(lambda: receiver.metrics()[-1][0] == "panicmon.process.uptime", what="the last line")
    found = {(name, tags.get("signal")): value for name, tags, value, _ in receiver.metrics()}
    assert found["panicmon.signal.received", "SIGHUP"] == found["panicmon.signal.passed", "SIGHUP"] == 1
    assert found["panicmon.signal.received", "SIGTERM"] == found["panicmon.signal.passed", "SIGTERM"] == 1
    assert found["panicmon.process.exit", "SIGTERM"] == 1
    assert ("panicmon.process.crash", "SIGTERM") not in found  # it was asked to
    assert found["panicmon.process.max_rss", None] > 4 << 20
    assert found["panicmon.process.runtime", None] >= found["panicmon.process.cpu.user", None] >= 10
    assert found["panicmon.process.up", None] == 0


def test_heartbeat(panicmon, receivers):
    receiver = receivers()
    config = panicmon.config(section(receiver.address, heartbeat="100ms"))
    run = panicmon.start(["sleep", "1000"], config=config)
    pm.wait_until(lambda: ("panicmon.process.uptime", {}, 1, "g") in receiver.metrics(), what="a second")
    assert [metric[2] for metric in receiver.metrics() if metric[0] == "panicmon.process.up"].count(1) >= 3
    run.send(signal.SIGTERM)
    run.wait()
    pm.wait_until(lambda: ("panicmon.process.up", {}, 0, "g") in receiver.metrics(), what="the end")


def test_instances(panicmon, receivers):
    receiver = receivers()
    config = panicmon.config("[process]\ninstances = 3\n" + section(receiver.address, dialect="graphite"))
    run = panicmon.start(["sleep", "1000"], config=config, name="api")
    run.commands(3)
    pm.wait_until(lambda: receiver.sums()["panicmon.process.start"] == 3, what="three starts")
    assert [tags["instance"] for name, tags, *_ in receiver.metrics() if name == "panicmon.process.start"] == \
        ["1", "2", "3"]
    assert max(value for name, _, value, _ in receiver.metrics() if name == "panicmon.process.up") == 3
    run.send(signal.SIGTERM)
    run.wait()
    pm.wait_until(lambda: receiver.sums()["panicmon.process.exit"] == 3, what="three ends")
    assert [value for name, _, value, _ in receiver.metrics() if name == "panicmon.process.up"][-1] == 0


def test_a_start_that_fails(panicmon, receivers):
    receiver = receivers(thread=False)
    done = panicmon.run(["/nonexistent/command"], config=panicmon.config(section(receiver.address, dialect="dogstatsd")),
                        name="api")
    assert done.status == 127
    lines = receiver.lines()
    assert "panicmon.process.failed:1|c|#service:api,error:ENOENT" in lines
    assert "_sc|panicmon.process|2|#service:api|m:api could not be started: No such file or directory" in lines


@pytest.mark.parametrize("transport", ["udp", "unix"])
def test_ten_thousand_signals(panicmon, receivers, tmp_path, transport):
    """Each is counted once, in datagrams of whole lines that are no longer than they may be."""
    count = 10_000
    receiver = make_receiver(receivers, tmp_path, transport)
    config = panicmon.config(section(receiver.address, dialect="dogstatsd"))
    run = panicmon.start([pm.tool("sigcount"), "-n", count, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, count)
    done = run.wait()
    assert done.status == 0
    assert done.stderr == ""
    receiver.wait_for("process.exit")
    sums = receiver.sums()
    assert sums["panicmon.signal.received"] == count
    assert sums["panicmon.signal.passed"] == count
    assert sums["panicmon.process.start"] == sums["panicmon.process.exit"] == 1
    assert "panicmon.dropped" not in sums
    assert max(map(len, receiver.datagrams)) <= LIMITS[transport]


def test_many_different_ends_are_not_summed_up(panicmon, receivers, tmp_path):
    """64 instances end at once: each has lines of its own."""
    receiver = receivers()
    config = panicmon.config("[process]\ninstances = 64\n" +
                             section(receiver.address, dialect="dogstatsd", tags="team:" + "x" * 100))
    done = panicmon.run(["sh", "-c", "exit 1"], config=config)
    assert done.stderr == ""
    pm.wait_until(lambda: receiver.sums()["panicmon.process.exit"] == 64, what="the ends")
    pm.wait_until(lambda: sum("_e{" in line for line in receiver.lines()) == 64, what="the events")
    assert {tags["instance"] for name, tags, *_ in receiver.metrics() if name == "panicmon.process.runtime"} == \
        {str(number) for number in range(1, 65)}
    assert 1000 < max(map(len, receiver.datagrams)) <= LIMITS["udp"]


def test_hostile_arguments_and_names(panicmon, receivers):
    """They reach names, tags and texts; what comes are lines that every server can read."""
    receiver = receivers(thread=False)
    hostile = "a:b|c@d#e,f;g=h\ni\tj{k}\xe4\u20ac\u2028"
    for dialect in DIALECTS:
        receiver.datagrams.clear()
        keys = {} if dialect == "statsd" else {"tags": "x:{name}"}
        config = panicmon.config(section(receiver.address, dialect=dialect, prefix="{name}.", **keys))
        panicmon.run(["sh", "-c", "exit 1", hostile], config=config, name=hostile)
        for line in receiver.lines():
            if not line.startswith("_"):
                name, tags, _, _ = parse(line)
                assert name.startswith("a_b_c_d_e_f_g_h_i_j_k")
                assert dialect == "statsd" or tags["x"] == tags["service"] == "a_b_c_d_e_f_g_h_i_j_k_\xe4\u20ac_"
            elif line.startswith("_e{"):
                title, text, rest = re.fullmatch(r"_e\{(\d+),(\d+)\}:(.*)", line).groups()
                rest = rest.encode()[int(title):]
                assert rest[:1] == b"|"
                assert rest[1 + int(text):].startswith(b"|t:error|k:a_b_c")
            else:
                assert line.startswith("_sc|a_b_c")


def test_no_datagram_over_a_limit_of_the_config(panicmon, receivers):
    receiver = receivers(thread=False)
    config = panicmon.config(section(receiver.address, dialect="dogstatsd", max_datagram=512))
    panicmon.run(["sh", "-c", "exit 1", "x" * 3000], config=config)
    assert len(receiver.metrics()) == 11
    assert 400 < max(map(len, receiver.datagrams)) <= 512

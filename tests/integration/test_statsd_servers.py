"""The handler statsd and the servers of others, which say whether they can read it."""
import signal

import pytest

import pm
from statsd_servers import Collectd, NpmStatsd, section
from test_delivery import storm

HOSTILE = "a:b|c@d#e,f;g=h\ni\tj{k}\xe4\u20ac/l"


@pytest.fixture
def statsd(panicmon, tmp_path):
    server = NpmStatsd(panicmon, tmp_path)
    yield server
    server.end()


@pytest.fixture
def collectd(panicmon, tmp_path):
    server = Collectd(panicmon, tmp_path)
    yield server
    server.end()


def run_all(panicmon, address, name="api", **keys):
    """A run with a signal and a crash."""
    config = panicmon.config(section(address, **keys))
    run = panicmon.start(["sh", "-c", "trap 'echo got' HUP; echo ready; while :; do sleep 0.01; done"], config=config,
                         name=name)
    run.wait_for_stdout("ready")
    run.send(signal.SIGHUP)
    run.wait_for_stdout("got")
    run.send(signal.SIGSEGV)
    assert run.wait().status == -signal.SIGSEGV


@pytest.mark.parametrize("dialect,tags,end", [
    ("statsd", "", ""),
    ("graphite", ";service=api", ";reason=signaled;signal=SIGSEGV"),
    ("dogstatsd", ";service=api", ";reason=signaled;signal=SIGSEGV"),
])
def test_npm_statsd(panicmon, statsd, dialect, tags, end):
    keys = {"dogstatsd_events": "no"} if dialect == "dogstatsd" else {}
    run_all(panicmon, statsd.address, dialect=dialect, **keys)
    name = f"panicmon.process.exit{tags}{end}"
    pm.wait_until(lambda: statsd.values("counters").get(name) == 1, what=lambda: f"{name} in {statsd.ask('counters')}")
    counters = statsd.values("counters")
    signals = ["", ""] if dialect == "statsd" else [";signal=SIGHUP", ";signal=SIGSEGV"]
    for number in signals:
        assert counters[f"panicmon.signal.received{tags}{number}"] == (2 if number == "" else 1)
    assert counters[f"panicmon.process.start{tags}"] == 1
    assert counters[f"panicmon.process.crash{tags}{end}"] == 1
    assert statsd.values("gauges")[f"panicmon.process.up{tags}"] == 0
    assert statsd.values("gauges")[f"panicmon.process.max_rss{tags}"] > 100_000
    assert len(statsd.values("timers")[f"panicmon.process.runtime{tags}"]) == 1
    assert statsd.bad_lines() == 0


@pytest.mark.parametrize("dialect", ["statsd", "graphite", "dogstatsd"])
def test_npm_statsd_and_hostile_names(panicmon, statsd, dialect):
    keys = {} if dialect == "statsd" else {"tags": "x:{name}"}
    if dialect == "dogstatsd":
        keys["dogstatsd_events"] = "no"
    run_all(panicmon, statsd.address, name=HOSTILE, dialect=dialect, prefix="{name}.", **keys)
    pm.wait_until(lambda: any(".process.exit" in name for name in statsd.values("counters")), what="the exit")
    names = [name for name in statsd.values("counters") if not name.startswith("statsd.")]
    assert all(name.startswith("a_b_c_d_e_f_g_h_i_j_k____l.") for name in names), names
    assert statsd.bad_lines() == 0


def test_npm_statsd_and_ten_thousand_signals(panicmon, statsd, tmp_path):
    count = 10_000
    config = panicmon.config(section(statsd.address))
    run = panicmon.start([pm.tool("sigcount"), "-n", count, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, count)
    done = run.wait()
    assert done.status == 0
    assert done.stderr == ""
    pm.wait_until(lambda: statsd.values("counters").get("panicmon.process.exit") == 1, what="the exit")
    counters = statsd.values("counters")
    assert counters["panicmon.signal.received"] == count
    assert counters["panicmon.signal.passed"] == count
    assert counters["panicmon.process.start"] == 1
    assert statsd.bad_lines() == 0


@pytest.mark.parametrize("dialect,tags,end", [
    ("statsd", "", ""),
    ("influx", ",service=api", ",reason=signaled,signal=SIGSEGV"),
    ("graphite", ";service=api", ";reason=signaled;signal=SIGSEGV"),
])
def test_collectd(panicmon, collectd, dialect, tags, end):
    run_all(panicmon, collectd.address, dialect=dialect)
    # Its counters begin with the first value.
    collectd.wait_for("gauge", f"panicmon.process.up{tags}", 0)
    collectd.wait_for("derive", f"panicmon.process.crash{tags}{end}", 1)
    collectd.wait_for("derive", f"panicmon.process.start{tags}", 1)
    if dialect == "statsd":
        collectd.wait_for("derive", "panicmon.signal.received", 2)
    assert "Unable to parse" not in collectd.said()


def test_collectd_and_hostile_names(panicmon, collectd):
    run_all(panicmon, collectd.address, name=HOSTILE, prefix="{name}.")
    collectd.wait_for("derive", "a_b_c_d_e_f_g_h_i_j_k____l.process.exit", 1)
    assert "Unable to parse" not in collectd.said()


def test_collectd_says_what_it_cannot_parse(panicmon, collectd):
    """So that the tests above prove something."""
    run_all(panicmon, collectd.address, dialect="dogstatsd")
    pm.wait_until(lambda: "Unable to parse" in collectd.said(), what="its complaint")

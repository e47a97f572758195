"""panicmonctl check: the whole config and every handler, and nothing is left behind."""
import os
import re
import threading

import pytest

import plugins
import pm
from ctl import LEAVES_THREAD, SHORT, Ctl, hostile


@pytest.fixture
def ctl(panicmon):
    return Ctl(panicmon)


@pytest.fixture
def complaints(ctl):
    """Checks a config that has mistakes and returns the complaints, with its path as CONFIG."""
    def run(text, options=(), **more):
        path = ctl.panicmon.config(text)
        done = ctl.run("check", config=path, options=options, **more)
        assert (done.status, done.stdout) == (1, ""), done
        return [line.replace(str(path), "CONFIG") for line in done.stderr.splitlines()]
    return run


@pytest.mark.parametrize("names, said", [([], "0 handlers"), (["a"], "1 handler"), (["a", "b"], "2 handlers")])
def test_a_good_config(ctl, names, said):
    path = ctl.panicmon.config(ctl.config(*(ctl.log(name) for name in names)))
    done = ctl.run("check", config=path)
    assert (done.status, done.stdout, done.stderr) == (0, f"{path}: ok, {said}\n", "")


def test_the_shipped_config(ctl):
    path = pm.source_dir() / "conf" / "panicmon.ini"
    options = [f"panicmon.handler_dir={ctl.panicmon.handler_dir}", "handler:log.trust_path=yes", "panicmon.start_timeout=60s"]
    assert ctl.run("check", config=path, options=options).status == 0


def test_five_mistakes_of_five_kinds(complaints, ctl):
    text = (ctl.config(more="nmae = x\n") + "[process]\nsignals = TRM\n" + ctl.log(formta="json") + "[handler:gone]\n" +
            plugins.section("abi", "bad_abi"))
    lines = complaints(text)
    numbers = {line: 1 + text.splitlines().index(line) for line in text.splitlines()}
    begins = (f"CONFIG:{numbers['nmae = x']}: [panicmon] unknown key 'nmae'; did you mean 'name'?",
              f"CONFIG:{numbers['signals = TRM']}: [process] signals: 'TRM' is no signal; did you mean",
              f"CONFIG:{numbers['formta = json']}: [handler:log] unknown key 'formta'; did you mean 'format'?",
              f"CONFIG:{numbers['[handler:gone]']}: [handler:gone] there is no '",
              f"CONFIG:{numbers['[handler:abi]']}: [handler:abi] '{plugins.path('bad_abi')}' speaks handler ABI 2, ")
    assert len(lines) == len(begins)
    for line, begin in zip(lines, begins):  # in the order of the file
        assert line.startswith(begin)
    assert numbers["[handler:abi]"] > 9 > numbers["nmae = x"], "not so as texts"


def test_what_panicmon_would_refuse_at_its_start(complaints, ctl, tmp_path):
    lines = complaints(ctl.config() + f"[process]\nstdout = append:{tmp_path}/no/out\nstderr = append:{tmp_path}\n"
                       f"directory = {tmp_path}/nowhere\nwait_orphans = 2s\n")
    assert [line.partition(" [process] ")[2].partition(":")[0] for line in lines] == [
        "stdout", "stderr", "directory", "wait_orphans"]
    assert [line.partition(" ")[0] for line in lines] == ["CONFIG:6:", "CONFIG:7:", "CONFIG:8:", "CONFIG:9:"]
    assert "No such file or directory" in lines[0] and "Is a directory" in lines[1]


def test_panicmon_refuses_the_same_in_the_same_words(complaints, ctl, tmp_path):
    text = ctl.config() + f"[process]\nstdout = append:{tmp_path}/no/out\n"
    lines = complaints(text)
    ctl.panicmon.path = str(pm.build_dir() / "panicmon")
    done = ctl.panicmon.run(["true"], config=ctl.panicmon.config(text))
    assert done.status == 125
    assert done.stderr.replace(str(tmp_path / "test.ini"), "CONFIG") == "".join(f"panicmon: {line}\n" for line in lines)


def test_nothing_is_made_or_opened(ctl, tmp_path):
    """Neither the files of output nor those of handlers; the reader of a FIFO would see it come and go."""
    os.mkfifo(tmp_path / "fifo")
    seen = []
    reader = threading.Thread(target=lambda: seen.append((tmp_path / "fifo").read_bytes()))
    reader.start()
    noted = tmp_path / "noted"
    text = ctl.config(ctl.log(), hostile(path=noted)) + (
        f"[process]\nstdout = append:{tmp_path}/out\nstderr = append:{tmp_path}/fifo\nsubreaper = yes\nwait_orphans = 1s\n")
    before = set(os.listdir(tmp_path))
    done = ctl.run("check", config=text)
    assert done.status == 0, done
    assert set(os.listdir(tmp_path)) - before == {"test.ini", "run0"}
    assert seen == []
    (tmp_path / "fifo").write_bytes(b"end")
    reader.join(pm.DEADLINE)
    assert seen == [b"end"]


@pytest.mark.parametrize("plugin, said", [
    ("crash_constructor", "its host was killed by SIGSEGV while it was being loaded"),
    ("exit_constructor", "its host left with exit status 0 while it was being loaded"),
    ("bad_magic", "has a descriptor with the magic 0xdeadbeef"),
    ("no_descriptor", "has no symbol 'panicmon_handler_1'"),
    ("needs_more", "needs handler ABI 1.99"),
    ("too_small", "has a descriptor of "),
])
def test_bad_plugins(complaints, ctl, plugin, said):
    lines = complaints(ctl.config(plugins.section("bad", plugin), ctl.log()))
    assert len(lines) == 1
    assert lines[0].startswith("CONFIG:5: [handler:bad] ") and said in lines[0]


@pytest.mark.parametrize("keys, said", [
    ({"how": "crash"}, "its host was killed by SIGSEGV"),
    ({"how": "exit"}, "its host left with exit status 0"),
    pytest.param({"how": "pthread_exit"}, "its host left with exit status 0", marks=LEAVES_THREAD),
    ({"result": "-1"}, "the handler failed without saying why"),
])
def test_bad_checks(complaints, ctl, keys, said):
    lines = complaints(ctl.config(hostile(where="check", **keys)))
    assert len(lines) == 1
    assert lines[0].startswith("CONFIG:5: [handler:bad] ") and said in lines[0]


@pytest.mark.parametrize("section", [
    plugins.section("bad", "hang_constructor"), hostile(where="check", how="hang"), hostile(where="check", how="hang-blocked"),
    hostile(where="check", how="spin")], ids=["constructor", "check", "blocked", "spin"])
def test_what_hangs_is_killed_and_told(complaints, ctl, section):
    lines = complaints(ctl.config(section, start_timeout=SHORT))
    assert lines == ["CONFIG:5: [handler:bad] it is not ready after 3000 ms, and its host is killed; mend or remove the handler"]


def test_what_a_plugin_prints_is_no_complaint(ctl):
    done = ctl.run("check", config=ctl.config(hostile(where="check", how="print")))
    assert done.status == 0
    assert all(line.startswith("panicmonctl[bad]: ") for line in done.stderr.splitlines())


def test_a_handler_that_is_not_required_is_checked_as_well(complaints, ctl):
    lines = complaints(ctl.config(plugins.section("bad", "crash_constructor", required="no")))
    assert len(lines) == 1


def test_all_mistakes_of_one_section(complaints, ctl):
    """More than fit a page."""
    keys = {f"wrong_key_number_{number}": "x" for number in range(60)}
    assert len(complaints(ctl.config(ctl.log(**keys)))) == 60


def test_the_shortest_start_timeout_leaves_time_to_load(ctl):
    assert ctl.run("check", config=ctl.config(ctl.log(), start_timeout="0")).status == 0


def test_mistakes_of_options(complaints, ctl):
    lines = complaints(ctl.config(ctl.log()), options=["panicmon.bad=1", "handler:log.level=loud"])
    assert [line.partition(": ")[0] for line in lines] == ["-o handler:log.level", "-o panicmon.bad"]


def test_a_config_that_is_missing(ctl, tmp_path):
    done = ctl.run("check", config=tmp_path / "none.ini")
    assert done.status == 1
    assert done.stderr == f"{tmp_path}/none.ini: cannot be opened: No such file or directory; check the path and the permissions\n"


def test_without_a_config(ctl):
    default = re.search(r"^  (/.*/panicmon\.ini)$", ctl.run("--help").stdout, re.M)[1]
    if os.path.exists(default):
        pytest.skip("there is an installed config")
    options = [f"panicmon.handler_dir={ctl.panicmon.handler_dir}", "handler:log.trust_path=yes", "panicmon.start_timeout=60s"]
    done = ctl.run("check", options=options, env={"PANICMON_CONFIG": ""})
    assert (done.status, done.stdout) == (0, "built-in config: ok, 1 handler\n")

"""What a handler's host has, and what it has not."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import pytest

import plugins
import pm
import procfs
from test_service_redis import stubborn

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def open_folder():
    """A folder that everybody can write to; pytest's own are private."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="panicmon-open-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def nobody(open_folder):
    """Another user, who can read the build."""
    user = pwd.getpwnam("nobody")
    seen = subprocess.run(["setpriv", f"--reuid={user.pw_uid}", "--clear-groups", "test", "-r", plugins.path("hostile")],
                          check=False)
    if seen.returncode != 0:
        pytest.skip("the build is in a folder that others cannot read")
    return user


def start(panicmon, text, command=("sleep", "1000"), **more):
    return panicmon.start(list(command), config=panicmon.config(text), **more)


def end(run):
    run.send(signal.SIGTERM)
    return run.wait()


def soft_limit(pid, name):
    line, = [line for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith(name)]
    return line[len(name):].split()[:2]


def asleep(run, notes, name="bad"):
    pm.wait_until(lambda: plugins.seqs(notes) == [1], what="the first event")
    host = run.host(name)
    pm.wait_until(lambda: procfs.state(host) == "S", what="the host to sleep")
    return host


def test_the_descriptors_of_a_host(panicmon, tmp_path):
    """Exactly: /dev/null, the pipe to panicmon twice, the channel; and panicmon's own outputs for whom they are meant.
    Nothing of what panicmon or the command has inherited."""
    extra = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(extra, True)
    run = start(panicmon, plugins.section("bad", "hostile", path=tmp_path / "notes") +
                panicmon.log_section("log", tmp_path / "log"), pass_fds=[extra])
    found = procfs.descriptors(asleep(run, tmp_path / "notes"))
    assert sorted(found) == [0, 1, 2, 3]
    assert found[0] == "/dev/null" and found[1] == found[2] and found[1].startswith("pipe:") and found[3].startswith("socket:")
    log = procfs.descriptors(run.host("log"))
    assert [log[4], log[5]] == [str(run.folder / "stdout"), str(run.folder / "stderr")]
    assert [target for fd, target in log.items() if fd > 5] == [str(tmp_path / "log")]
    assert len(log) == 7
    assert procfs.descriptors(run.command())[extra] == str(tmp_path)
    end(run)
    os.close(extra)


def test_a_host_has_no_new_privileges_and_no_ambient_capabilities(panicmon, tmp_path):
    prefix = []
    if os.geteuid() == 0:
        prefix = ["setpriv", "--inh-caps=+chown,+kill", "--ambient-caps=+chown,+kill"]
    run = start(panicmon, plugins.section("bad", "hostile", path=tmp_path / "notes"), prefix=prefix)
    host = procfs.status(asleep(run, tmp_path / "notes"))
    assert (host["NoNewPrivs"], int(host["CapAmb"], 16)) == ("1", 0)
    command = procfs.status(run.command())
    assert command["NoNewPrivs"] == "0"
    if prefix:
        assert int(command["CapAmb"], 16) != 0, "the command has what it was given"
    end(run)


def test_the_kernel_takes_a_host_first(panicmon, tmp_path):
    run = start(panicmon, plugins.section("bad", "hostile", path=tmp_path / "notes"))
    host = asleep(run, tmp_path / "notes")
    assert pathlib.Path(f"/proc/{host}/oom_score_adj").read_text().strip() == "1000"
    own = pathlib.Path(f"/proc/{run.pid}/oom_score_adj").read_text()
    assert pathlib.Path(f"/proc/{run.command()}/oom_score_adj").read_text() == own
    end(run)


@pytest.mark.skipif(pm.is_sanitized(), reason="sanitizers take terabytes of address space")
def test_limits(panicmon, tmp_path):
    run = start(panicmon, plugins.section("bad", "hostile", path=tmp_path / "notes", nofile=20, memory_max="64M"))
    host = asleep(run, tmp_path / "notes")
    assert soft_limit(host, "Max open files") == ["20", "20"]
    assert soft_limit(host, "Max address space") == [str(64 << 20)] * 2
    command = run.command()
    for name in ("Max open files", "Max address space"):
        assert soft_limit(command, name) == soft_limit(os.getpid(), name)
    end(run)


@root_only
def test_another_user(panicmon, open_folder, nobody):
    """Its files are the user's, and all of the user's groups and no others are its own."""
    notes = open_folder / "notes"
    run = start(panicmon, plugins.section("bad", "hostile", path=notes, user="nobody"))
    host = asleep(run, notes)
    status = procfs.status(host)
    assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
    assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
    assert set(status["Groups"].split()) == {str(group) for group in os.getgrouplist("nobody", nobody.pw_gid)}
    assert [int(status[key], 16) for key in ("CapPrm", "CapEff", "CapAmb")] == [0, 0, 0]
    assert pathlib.Path(f"/proc/{host}/oom_score_adj").read_text().strip() == "1000"
    assert (notes.stat().st_uid, notes.stat().st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert procfs.status(run.command())["Uid"].split() == ["0"] * 4
    assert end(run).stderr == ""


@root_only
def test_another_user_hears_that_panicmon_was_killed(panicmon, open_folder, nobody):
    """The kernel clears PDEATHSIG at a change of the user: it is set after that."""
    notes = open_folder / "notes"
    run = start(panicmon, plugins.section("bad", "hostile", path=notes, user=nobody.pw_name))
    host = asleep(run, notes)
    os.kill(run.pid, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.alive(host), what="the host to end")
    assert plugins.notes(notes) == ["open", (1, 1, 1), (2, 3, 1), "close"]


@root_only
@pytest.mark.parametrize("how", ["return", "hang-blocked"])
def test_the_group_ends_where_no_host_may_end_it(panicmon, open_folder, nobody, tmp_path, how):
    notes = open_folder / "notes"
    run, group = stubborn(panicmon, tmp_path, panicmon.config(
        plugins.section("bad", "hostile", path=notes, how=how, user=nobody.pw_name) + "[panicmon]\ndrain_timeout = 300ms\n"))
    pm.wait_until(lambda: plugins.seqs(notes) == [1], what="the first event")
    rest = {run.host("bad"), run.guard()}
    os.kill(run.pid, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.living(group | rest), deadline=15, what="the end of all")


@root_only
def test_only_root_can_change_the_user(panicmon, open_folder, nobody, tmp_path):
    config = open_folder / "test.ini"
    text = plugins.section("bad", "hostile", user="daemon")
    config.write_text(text, encoding="utf-8")
    touched = open_folder / "touched"
    done = panicmon.run(["touch", touched], config=config,
                        prefix=["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"])
    assert done.status == 125
    assert done.stderr == (f"panicmon: {config}:1: [handler:bad] user = daemon: only root can become another user; start "
                           "panicmon as root, or leave it out\n")
    assert not touched.exists()


@root_only
def test_the_same_user_needs_no_root(panicmon, open_folder, nobody):
    config = open_folder / "test.ini"
    config.write_text(plugins.section("bad", "hostile", user="nobody", path=open_folder / "notes", trust_path="yes"),
                      encoding="utf-8")
    done = panicmon.run(["true"], config=config,
                        prefix=["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"])
    assert (done.status, done.stderr) == (0, "")
    assert plugins.seqs(open_folder / "notes") == [1, 2]


def test_a_user_that_is_not_known(panicmon):
    config = panicmon.config(plugins.section("bad", "hostile", user="no-such-user"))
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert done.stderr == f"panicmon: {config}:1: [handler:bad] user 'no-such-user' is not known; write one of passwd(5)\n"


@pytest.mark.skipif(pm.is_sanitized(), reason="sanitizers take terabytes of address space")
def test_memory_that_is_not_enough_to_be_loaded(panicmon, tmp_path):
    """It is told, and the others go on."""
    config = panicmon.config(plugins.section("bad", "hostile", how="memory", where="check", memory_max="64M", required="no") +
                             panicmon.log_section("log", tmp_path / "log"))
    done = panicmon.run(["sh", "-c", "exit 3"], config=config)
    assert done.status == 3
    assert f"panicmon: {config}:1: [handler:bad] its host was killed by SIGSEGV while it was being loaded" in done.stderr
    assert pm.names(pm.read_events(tmp_path / "log")) == ["process.started", "process.exited"]


@pytest.mark.skipif(pm.is_sanitized(), reason="it needs descriptors of its own")
def test_few_descriptors(panicmon, tmp_path):
    """Down to the number with which nothing starts, what a handler prints does not get to the command's
    output, and it gets its events."""
    config = panicmon.config(plugins.section("bad", "hostile", where="event", how="print-oddly", path=tmp_path / "notes"))
    statuses = set()
    for limit in range(8, 24):
        (tmp_path / "notes").unlink(missing_ok=True)
        done = panicmon.run(["sh", "-c", "echo out; exit 7"], config=config, prefix=["prlimit", f"--nofile={limit}:{limit}"])
        assert done.status in (7, 125), done
        assert done.stdout == ("out\n" if done.status == 7 else "")
        assert [line for line in done.stderr.splitlines() if not line.startswith("panicmon")] == []
        if done.status == 7:
            assert plugins.seqs(tmp_path / "notes") == [1, 2]
            assert "panicmon[bad]: red " in done.stderr
        statuses.add(done.status)
    assert statuses == {7, 125}
@root_only
def test_who_cannot_become_the_user_can_read_its_options(panicmon, open_folder, nobody):
    config = open_folder / "test.ini"
    config.write_text(plugins.section("bad", "hostile", user="daemon"), encoding="utf-8")
    panicmon.path = str(pm.build_dir() / "panicmonctl")
    done = panicmon.run_raw(["-c", config, "handlers", "bad"],
                            prefix=["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"])
    assert (done.status, done.stderr) == (0, "")
    assert "where" in done.stdout

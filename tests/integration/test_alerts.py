"""Handlers that call people (PANICMON_ALERTS): a crash loop is told once, then summed up, then over."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

import plugins
import pm
import procfs
from incidents import CRASH, EXITED, FAILED, MADE, RECOVERED, STARTED, Alerts, failures_in, is_claimed

needs_mount = pytest.mark.skipif(not pm.can_mount(), reason="no file system can be mounted here")


def test_a_crash_loop(alerts):
    """Once, then silence; the first run that ends well says that it is over, and how many there were."""
    config = alerts.config(alert_window="1h")
    for _ in range(5):
        done = alerts.run(CRASH, config)
        assert (done.status, done.stderr) == (-signal.SIGSEGV, "")
    assert alerts.told == [(EXITED, 1)]
    assert alerts.run(["true"], config).status == 0
    assert alerts.told == [(EXITED, 1), (RECOVERED, 5)]
    assert not alerts.file().exists()
    first, good, over = alerts.notes
    assert first.incident == over.incident == f"api@{socket.gethostname()}"
    assert (good.type, good.incident) == (EXITED, None)
    assert over.run == good.run != first.run and over.seq == MADE + good.seq
    # And the next is another incident.
    alerts.run(CRASH, config)
    assert alerts.told[2:] == [(EXITED, 1)]


def test_a_command_that_cannot_be_started(alerts):
    config = alerts.config(alert_window="1h")
    for _ in range(3):
        assert alerts.run(["no-such-command"], config).status == 127
    alerts.run(["sh", "-c", "exit 3"], config)
    assert alerts.told == [(FAILED, 1)]
    alerts.run(["true"], config)
    assert alerts.told == [(FAILED, 1), (RECOVERED, 4)]


def test_the_next_failure_after_the_window_tells_of_those_before(alerts):
    """The window is short in the second config; the state is the same."""
    config = alerts.config(alert_window="1h")
    for _ in range(4):
        alerts.run(CRASH, config)
    assert alerts.told == [(EXITED, 1)]
    alerts.run(CRASH, alerts.config(alert_window="1ms", events="process.exited"))
    # With its own failure; or by the clock as the run begins, and its own after that or, where it
    # comes within the new window, with the next.
    own, clock = [(EXITED, 1), (EXITED, 4)], [(EXITED, 1), (EXITED, 3)]
    assert alerts.told in (own, clock, [*clock, (EXITED, 1)])


def test_the_clock_tells_of_what_was_withheld(alerts):
    """While a run goes on that is not stable yet; the event is the last failure itself."""
    config = alerts.config(alert_window="1h", events="process.exited, process.failed")
    for _ in range(3):
        alerts.run(CRASH, config)
    with alerts.start(["sleep", "1000"], alerts.config(alert_window="10ms", stable_after="1h")) as run:
        alerts.wait_told([(EXITED, 1), (EXITED, 2)])
        assert alerts.notes[1].run != alerts.notes[0].run
        run.send(signal.SIGTERM)
        assert run.wait().status == -signal.SIGTERM
    assert alerts.told == [(EXITED, 1), (EXITED, 2), (RECOVERED, 3)]


def test_a_stable_run_ends_the_incident(alerts):
    alerts.run(CRASH, alerts.config(alert_window="1h"))
    with alerts.start(["sleep", "1000"], alerts.config(alert_window="1h", stable_after="200ms")) as run:
        alerts.wait_told([(EXITED, 1), (RECOVERED, 1)])
        assert alerts.notes[-1].seq == MADE + 1
        pm.wait_until(lambda: not alerts.file().exists(), what="no incident")
        run.send(signal.SIGTERM)
        run.wait()
    assert alerts.told == [(EXITED, 1), (RECOVERED, 1)]


def test_a_run_that_crashes_before_it_is_stable(alerts):
    config = alerts.config(alert_window="1h", stable_after="1h")
    alerts.run(CRASH, config)
    alerts.run(["sh", "-c", "sleep 0.3; exit 1"], config)
    assert alerts.told == [(EXITED, 1)]


def test_without_a_window_each_failure_is_told(alerts):
    config = alerts.config(alert_window="0")
    for _ in range(3):
        alerts.run(CRASH, config)
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1)] * 3 + [(RECOVERED, 3)]


def test_without_a_state_dir_each_run_is_its_own(alerts):
    config = alerts.config(state=False, alert_window="1h")
    for _ in range(2):
        alerts.run(CRASH, config)
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (EXITED, 1)]
    assert not alerts.state.exists()


def test_several_instances_without_a_state_dir(alerts):
    """What is withheld cannot be told by the next run: it is, as this one ends."""
    config = alerts.config(state=False, alert_window="1h", more="[process]\ninstances = 3\n")
    alerts.run(CRASH, config)
    assert alerts.told == [(EXITED, 1), (EXITED, 2)]


def test_several_instances(alerts):
    config = alerts.config(alert_window="1h", more="[process]\ninstances = 3\n")
    alerts.run(CRASH, config)
    assert alerts.told == [(EXITED, 1)]
    # One of them is not well.
    alerts.run(["sh", "-c", "test $PANICMON_INSTANCE != 2"], config)
    assert alerts.told == [(EXITED, 1)]
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (RECOVERED, 4)]


@pytest.mark.parametrize("hold", ["no", "yes"])
def test_a_host_that_dies_with_an_alert(alerts, hold):
    mark = alerts.folder / "mark"
    mark.touch()
    config = alerts.config(alert_window="1h", crash="yes", mark=mark, hold=hold, flush_after=1)
    alerts.run(CRASH, config)
    assert not mark.exists()
    alerts.run(CRASH, config)
    assert alerts.told == [(EXITED, 1)]
    mark.touch()
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (RECOVERED, 2)] and not mark.exists()


def test_alerts_that_are_held(alerts):
    """The second waits for the first to be delivered, and is withheld then."""
    config = alerts.config(alert_window="1h", hold="yes", flush_after=1, more="[process]\ninstances = 4\n")
    alerts.run(CRASH, config)
    assert alerts.told == [(EXITED, 1)]
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (RECOVERED, 4)]


def test_an_alert_that_is_held_as_others_end(alerts):
    """It is told when it is flushed, not by what comes meanwhile."""
    config = alerts.config(alert_window="1h", stable_after="1h", hold="yes", flush_after=9, more="[process]\ninstances = 2\n")
    script = 'test $PANICMON_INSTANCE = 1 && exit 1; until test -e "$0"; do sleep 0.01; done'
    alerts.run(["sh", "-c", script, alerts.file()], config)
    assert alerts.told == [(EXITED, 1)] and not is_claimed(alerts)
    alerts.run(CRASH, alerts.config(alert_window="1h"))
    assert alerts.told == [(EXITED, 1)]


def test_an_alert_that_is_given_up(alerts):
    """Nobody was called, so the next failure does it, for both."""
    done = alerts.run(CRASH, alerts.config(alert_window="1h", drop=1))
    assert plugins.missed(done.stderr, "alert") == (0, 1) and alerts.told == []
    alerts.run(CRASH, alerts.config(alert_window="1h", stable_after="1h"))
    # By the clock as the next run begins, or with its own failure.
    assert sum(crashes for _, crashes in alerts.told) in (1, 2) and len(alerts.told) == 1
    alerts.run(["true"], alerts.config(alert_window="1h"))
    assert alerts.told[-1] == (RECOVERED, 2)


def test_nobody_can_be_called_for_some_runs(alerts):
    """All failures are counted meanwhile, and told when it works again; it does not hold up what follows."""
    mark = alerts.folder / "mark"
    mark.touch()
    keys = {"alert_window": "1h", "retry": "yes", "mark": mark}
    config = alerts.config(**keys)
    for _ in range(3):
        alerts.run(CRASH, config, options=["panicmon.drain_timeout=500ms"])
    assert alerts.told == [] and failures_in(alerts.file()) == 3
    with alerts.start(["sleep", "1000"], alerts.config(**{**keys, "events": "*"})) as run:
        pm.wait_until(lambda: [note.type for note in alerts.notes] == [STARTED], what="the start to be told")
        mark.unlink()
        alerts.wait_told([(EXITED, 3)])
        assert alerts.notes[-1].attempt > 1
        mark.touch()
        run.send(signal.SIGTERM)
        pm.wait_until(lambda: [note.type for note in alerts.notes][-1] == EXITED, what="the end to be told")
        mark.unlink()
        run.wait()
    assert alerts.told == [(EXITED, 3), (RECOVERED, 3)]


def test_withheld_failures_are_not_missed(alerts):
    config = alerts.config(alert_window="1h", more=alerts.panicmon.log_section("log", alerts.folder / "log"))
    for _ in range(3):
        assert alerts.run(CRASH, config).stderr == ""
    assert pm.names(pm.read_events(alerts.folder / "log")) == ["process.started", "process.exited"] * 3


def test_one_that_takes_no_recovery(alerts):
    """It hears of what was withheld before the incident is forgotten."""
    config = alerts.config(alert_window="1h", events="process.exited")
    for _ in range(3):
        alerts.run(CRASH, config)
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (EXITED, 2)]
    assert not alerts.file().exists()


def test_failures_that_are_left_out_are_not_counted(alerts):
    config = alerts.config(alert_window="1h", events="!process.failed, !process.started")
    alerts.run(["no-such-command"], config)
    alerts.run(CRASH, config)
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (RECOVERED, 1)]


def test_panicmon_killed(alerts):
    """Its end is one more failure, which the host tells of, or counts."""
    config = alerts.config(alert_window="1h")
    for count in (1, 2, 3):
        with alerts.start(["sleep", "1000"], config) as run:
            run.command()
            host = run.host("alert")
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            pm.wait_until(lambda: alerts.file().exists() and failures_in(alerts.file()) == count,
                          what=lambda: f"failure {count}: {alerts.notes}")
            # It is counted before it is told; a run that begins in between would tell of it, too.
            pm.wait_until(lambda: not procfs.alive(host), what="the host to end")
    assert alerts.told == [(EXITED, 1)]
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (RECOVERED, 3)]


def test_all_killed_before_an_alert_is_out(alerts):
    """The next run tells of it, as soon as it has begun, and by the id that it had."""
    # The first of two ends, and is held; then all is killed at once.
    more = "[process]\ninstances = 2\n"
    command = ["sh", "-c", "test $PANICMON_INSTANCE = 1 && exit 1; exec sleep 1000"]
    with alerts.start(command, alerts.config(alert_window="1h", hold="yes", flush_after=9, more=more)) as run:
        pm.wait_until(alerts.file().exists, what="the failure to be counted")
        os.kill(run.host("alert"), signal.SIGSTOP)
        run.kill()
    assert alerts.told == [] and failures_in(alerts.file()) == 1
    with alerts.start(["sleep", "1000"], alerts.config(alert_window="1h")) as run:
        alerts.wait_told([(EXITED, 1)])
        late, = [note for note in alerts.notes if note.incident]
        run.send(signal.SIGTERM)
        run.wait()
    assert alerts.told == [(EXITED, 1), (RECOVERED, 1)]
    assert late.run != alerts.notes[-1].run and late.seq > 1


@pytest.mark.parametrize("damage", [b"", b"x", b"PMAL", b"\0" * 100, b"\xff" * 4096, "truncated", "flipped"],
                         ids=["empty", "a byte", "its head", "zeros", "too long", "truncated", "flipped"])
def test_damaged_state(alerts, damage):
    """It is said, and all begins anew."""
    config = alerts.config(alert_window="1h")
    for _ in range(2):
        alerts.run(CRASH, config)
    good = alerts.file().read_bytes()
    bad = {"truncated": good[:-1], "flipped": good[:20] + bytes([good[20] ^ 1]) + good[21:]}.get(damage, damage)
    alerts.file().write_bytes(bad)
    done = alerts.run(CRASH, config)
    assert done.status == -signal.SIGSEGV
    lines = [line for line in done.stderr.splitlines() if "panicmon[alert]: what is known of earlier failures is lost" in line]
    assert len(lines) == 1, done
    assert alerts.told == [(EXITED, 1), (EXITED, 1)]
    assert alerts.run(CRASH, config).stderr == ""
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (EXITED, 1), (RECOVERED, 2)]


def test_state_that_cannot_be_written(alerts):
    """It is said once; the rule goes on, in this run."""
    alerts.file().mkdir(parents=True)
    (alerts.file() / "in the way").touch()
    os.chmod(alerts.state, 0o700)
    done = alerts.run(CRASH, alerts.config(alert_window="1h", more="[process]\ninstances = 3\n"))
    assert done.status == -signal.SIGSEGV
    assert done.stderr.count("cannot be kept for the next run") == 1
    assert alerts.told == [(EXITED, 1), (EXITED, 2)]


@needs_mount
def test_a_full_disk(alerts):
    """A file system of its own, which others fill."""
    alerts.state.mkdir()
    script = ('mount -t tmpfs -o size=16k tmpfs "$0" && mkdir "$0/api.alert" || exit 99; '
              'dd if=/dev/zero of="$0/fill" bs=4k 2>/dev/null; exec "$@"')
    config = alerts.config(alert_window="1h", more="[process]\ninstances = 3\n")
    done = alerts.run(CRASH, config, prefix=[*pm.PRIVATE_MOUNTS, "sh", "-c", script, str(alerts.state)])
    assert done.status == -signal.SIGSEGV
    assert done.stderr.count("cannot be kept for the next run: cannot write 'alerts.new': No space left on device") == 1
    assert alerts.told == [(EXITED, 1), (EXITED, 2)]


@needs_mount
def test_a_read_only_disk(alerts):
    alerts.state.mkdir()
    script = 'mount -t tmpfs -o ro tmpfs "$0" && exec "$@"'
    config = alerts.config(alert_window="1h")
    done = alerts.run(CRASH, config, prefix=[*pm.PRIVATE_MOUNTS, "sh", "-c", script, str(alerts.state)])
    assert done.status == -signal.SIGSEGV
    assert done.stderr.count("nothing can be kept in state_dir for the next run") == 1
    assert alerts.told == [(EXITED, 1)]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_disk_that_locks_no_folders(alerts):
    """As NFS. That is so for good, and not waited for."""
    config, trace = alerts.config(alert_window="1h"), alerts.folder / "trace"
    _, line = alerts.panicmon.arguments(CRASH, config=config, name="api")
    strace = ["strace", "-f", "-o", trace, "-e", "trace=flock", "-e", "inject=flock:error=EBADF"]
    if subprocess.run([*strace, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be traced here")
    for _ in range(2):
        alerts.panicmon.spawn([*strace, *line], stderr=subprocess.DEVNULL).wait(timeout=pm.DEADLINE)
        assert 0 < trace.read_text(encoding="utf-8").count("flock(") < 20
    assert alerts.told == [(EXITED, 1)] and failures_in(alerts.file()) == 2


def test_the_folder_is_made_for_its_owner_alone(alerts):
    alerts.run(CRASH, alerts.config())
    folder = alerts.file().parent
    assert sorted(path.name for path in folder.iterdir()) == ["alerts", "alerts.lock"]
    assert {oct(path.stat().st_mode & 0o777) for path in (alerts.state, folder)} == {"0o700"}
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}


def test_a_handler_that_does_not_alert_keeps_nothing(alerts):
    config = alerts.panicmon.config(f"[panicmon]\nstate_dir = {alerts.state}\n" +
                                    plugins.section("held", "held", path=alerts.notes_path))
    assert alerts.run(CRASH, config).status == -signal.SIGSEGV
    assert list(alerts.state.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user(panicmon, tmp_path):
    """Its folder is that user's, in one that nobody else may enter."""
    os.chmod(tmp_path, 0o755)
    notes = pathlib.Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        shutil.chown(notes, "nobody")
        alerts = Alerts(panicmon, tmp_path)
        alerts.notes_path = notes / "notes"
        config = alerts.config(alert_window="1h", user="nobody")
        for command in (CRASH, CRASH, ["true"]):
            assert "state" not in alerts.run(command, config).stderr
        assert alerts.told == [(EXITED, 1), (RECOVERED, 2)]
        assert alerts.file().parent.owner() == "nobody" and alerts.state.owner() == "root"
    finally:
        shutil.rmtree(notes)


# ---- what is refused ----

@pytest.mark.parametrize("kind", ["file", "below a file", "no parent"])
def test_a_state_dir_that_is_none(alerts, kind):
    if kind != "no parent":
        alerts.state.write_text("", encoding="utf-8")
    if kind != "file":
        alerts.state = alerts.state / "below"
    config = alerts.config()
    done = alerts.run(["true"], config)
    assert done.status == 125
    assert done.stderr.startswith(f"panicmon: {config}:4: [panicmon] state_dir: cannot use '{alerts.state}' as a folder: ")
    assert alerts.notes == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_state_dir_that_cannot_be_written(alerts):
    alerts.state.mkdir(mode=0o500)
    assert alerts.run(["true"], alerts.config()).status == 125


@pytest.mark.parametrize("key", ["alert_window", "stable_after"])
def test_a_key_for_a_handler_that_does_not_alert(panicmon, key, tmp_path):
    section = plugins.section("held", "held", path=tmp_path / "notes") + f"{key} = 1m\n"
    config = panicmon.config(section)
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert done.stderr == (f"panicmon: {config}:{section.count(chr(10))}: [handler:held] {key}: this handler calls "
                           "nobody, it gets every failure; leave it out\n")

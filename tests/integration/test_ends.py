"""How a run ends: what whoever waits for panicmon sees, and what the events say."""
import re
import signal
import subprocess

import pytest

import plugins
import pm


def raw_lines(path):
    """The lines of the file, each of which jq takes for one object."""
    lines = path.read_text(encoding="utf-8").splitlines()
    parsed = subprocess.run(["jq", "-c", "type", str(path)], capture_output=True, text=True, check=True)
    assert parsed.stdout.split() == ['"object"'] * len(lines)
    return lines


def test_exit_code_and_its_two_lines(panicmon, tmp_path):
    log = tmp_path / "F"
    done = panicmon.run_raw(["-o", f"panicmon.handler_dir={panicmon.handler_dir}",
                             "-o", "handler:log.trust_path=yes",
                             "-o", "handler:log.format=json", "-o", f"handler:log.path={log}",
                             "--", "sh", "-c", "exit 3"], env={"PANICMON_CONFIG": ""})
    assert (done.status, done.stderr) == (3, "")
    lines = raw_lines(log)
    started, exited = pm.read_events(log)
    assert len(lines) == 2
    assert re.fullmatch(
        r'\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","event":"process\.started","severity":"info","seq":1,'
        r'"run":"[0-9a-f]{32}","name":"sh","host":"[^"]+","pid":[1-9]\d*,"args":\["sh","-c","exit 3"\]\}', lines[0])
    assert re.fullmatch(
        r'\{"time":"[^"]+","event":"process\.exited","severity":"error","seq":2,"run":"[0-9a-f]{32}","name":"sh",'
        r'"host":"[^"]+","pid":[1-9]\d*,"code":3,"status":3,"reason":"exited","runtime_ms":\d+,"cpu_user_us":\d+,'
        r'"cpu_system_us":\d+,"max_rss_kb":[1-9]\d*,"stop_requested":false,"args":\["sh","-c","exit 3"\]\}', lines[1])
    assert (started["run"], started["pid"]) == (exited["run"], exited["pid"])
    assert started["time"] <= exited["time"]


@pytest.mark.parametrize("code", [0, 1, 124, 125, 126, 127, 128, 139, 255])
def test_every_exit_code_is_handed_on(panicmon, code):
    done = panicmon.run(["sh", "-c", f"exit {code}"])
    assert done.status == code
    assert done.names == ["process.started", "process.exited"]
    exited = done.events[-1]
    assert (exited["code"], exited["status"], exited["reason"]) == (code, code, "exited")
    assert "signal" not in exited


def test_death_by_sigsegv(panicmon):
    done = panicmon.run(["sh", "-c", "kill -SEGV $$"])
    assert done.status == -signal.SIGSEGV
    lines = raw_lines(done.events_path)
    assert len(lines) == 2
    assert '"code":-1,"signal":"SIGSEGV","status":139,"reason":"signaled"' in lines[1]
    assert done.events[1]["severity"] == "fatal"


FATAL = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGPIPE,
         signal.SIGTERM, signal.SIGUSR1, signal.SIGXCPU, signal.SIGRTMIN, signal.SIGRTMIN + 5, signal.SIGRTMAX]


@pytest.mark.parametrize("number", [int(number) for number in FATAL])
def test_death_by_any_signal(panicmon, number):
    done = panicmon.run(["sh", "-c", f"kill -{number} $$"])
    exited = done.events[-1]
    assert done.status == -number
    assert (exited["code"], exited["status"], exited["reason"]) == (-1, 128 + number, "signaled")
    assert exited["signal"].startswith("SIG")


@pytest.mark.parametrize("cause, number", [("SEGV", signal.SIGSEGV), ("USR2", signal.SIGUSR2)])
def test_a_signal_that_comes_while_the_handlers_drain_changes_nothing(panicmon, tmp_path, cause, number):
    """The command has ended: what panicmon gets after that is not how it ended."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("slow", "hostile", where="close", how="hang", path=notes) +
                             "[panicmon]\ndrain_timeout = 2s\n")
    run = panicmon.start(["sh", "-c", f"kill -{cause} $$"], config=config)
    pm.wait_until(lambda: "close" in plugins.notes(notes), what="the drain")
    for sent in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        run.send(sent)
    assert run.wait().status == -number


@pytest.mark.parametrize("command, status, error, number", [
    ("/no/such/command", 127, "ENOENT", "No such file"),
    ("no-such-command-in-path", 127, "ENOENT", "No such file"),
    ("/etc/passwd/x", 127, "ENOTDIR", "Not a directory"),
    ("/etc/passwd", 126, "EACCES", "Permission denied"),
    ("/", 126, "EACCES", "Permission denied"),
])
def test_a_command_that_cannot_be_run(panicmon, command, status, error, number):
    done = panicmon.run([command, "argument"])
    assert done.status == status
    assert done.names == ["process.started", "process.failed"]
    started, failed = done.events
    assert (failed["errno"], failed["status"], failed["pid"]) == (error, status, started["pid"])
    assert number in failed["error"]
    assert done.stderr == f"panicmon: cannot run '{command}': {failed['error']}\n"


def test_a_script_without_its_first_line_is_run_by_sh(panicmon, tmp_path):
    """As env(1), timeout(1) and every shell do: execvp(3)."""
    script = tmp_path / "script"
    script.write_text("exit 5\n", encoding="utf-8")
    script.chmod(0o755)
    assert panicmon.run([script]).status == 5


def test_a_script_without_its_interpreter(panicmon, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    script.chmod(0o755)
    done = panicmon.run([script])
    assert done.status == 127
    assert done.names == ["process.started", "process.failed"]


def test_who_asked_for_the_end(panicmon):
    run = panicmon.start(["sleep", "1000"])
    run.command()
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGTERM
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]
    exited = done.events[-1]
    assert (exited["stop_requested"], exited["stop_signal"], exited["severity"]) == (True, "SIGTERM", "info")
    assert exited["stop_pid"] == done.events[1]["sender_pid"]


def test_the_end_is_seen_while_a_grandchild_holds_the_output(panicmon):
    done = panicmon.run(["sh", "-c", "sleep 1000 & echo $!; exit 4"])
    assert done.status == 4
    assert done.events[-1]["code"] == 4
    subprocess.run(["kill", done.stdout.strip()], check=True)


def test_secrets_in_the_arguments_are_in_no_event(panicmon):
    run = panicmon.start(["sh", "-c", "kill -TERM $PPID; exec sleep 1000", "--password", "hunter2", "--password=hunter2",
                          "--db-token", "hunter2", "API_KEY=hunter2", "https://me:hunter2@example.org/", "--verbose"])
    done = run.wait()
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]
    assert "hunter2" not in done.events_path.read_text(encoding="utf-8") + done.stderr
    for event in done.events:
        assert event["args"][-1] == "--verbose"
        assert len(event["args"]) == 11


def test_secrets_of_a_command_that_cannot_be_run(panicmon):
    done = panicmon.run(["/no/such", "--password", "hunter2"])
    assert done.names == ["process.started", "process.failed"]
    assert "hunter2" not in done.events_path.read_text(encoding="utf-8") + done.stderr


def test_arguments_of_any_bytes(panicmon):
    words = ['quote"', "back\\slash", "new\nline", "tab\t", "\x01\x7f", "käse", "", "'"]
    done = panicmon.run(["true", *words])
    assert done.events[0]["args"] == ["true", *words]


def test_a_shell_sees_the_status_that_it_would_see_without(panicmon):
    """bash's $? and its message, for an end by a signal."""
    folder, line = panicmon.arguments(["sh", "-c", "kill -ABRT $$"])
    words = " ".join(f"'{word}'" for word in line[:-1]) + " 'kill -ABRT $$'"
    shell = panicmon.spawn(["bash", "-c", f"{words}; echo status $?"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, cwd=folder)
    out, err = shell.communicate(timeout=pm.DEADLINE)
    assert out == b"status 134\n"
    assert b"Aborted" in err

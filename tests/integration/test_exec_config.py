"""The handler exec: its section, and what panicmonctl says of it."""
import os

import pytest

import hooks
import plugins
import pm
from ctl import Ctl


@pytest.fixture
def ctl(panicmon):
    return Ctl(panicmon)


@pytest.fixture
def complaints(ctl):
    """Checks a section and returns what is said of it, less its place."""
    def run(command, **keys):
        done = ctl.run("check", config=ctl.config(hooks.section(command, **keys)))
        assert (done.status, done.stdout) == (1, "")
        return [line.partition("[handler:exec] ")[2] for line in done.stderr.splitlines()]
    return run


def test_a_good_section(ctl, tmp_path):
    """Nothing is run by a check."""
    out = tmp_path / "out"
    hook = hooks.program(tmp_path, f"echo ran >>{out}", "a hook")
    text = hooks.section([hook, "a b", "$HOME"], directory="/", stdin="none", run_timeout="5m")
    done = ctl.run("check", config=ctl.config(text))
    assert (done.status, done.stderr) == (0, "")
    assert not out.exists()


def test_no_command(ctl):
    text = hooks.section("true").replace("command = true\n", "")
    done = ctl.run("check", config=ctl.config(text))
    assert done.status == 1 and "command" in done.stderr


@pytest.mark.parametrize("command, said", [
    ("hook.sh", "command 'hook.sh': write the absolute path of the program"),
    ("./hook.sh x", "command './hook.sh': write the absolute path of the program"),
    ("/nonexistent/hook x", "command '/nonexistent/hook': No such file or directory"),
    ("/etc", "command '/etc' is a directory: write a program"),
    ("/dev/null", "command '/dev/null' is not a file: write a program"),
    ("/etc/passwd", "command '/etc/passwd' cannot be executed by this user: Permission denied; see chmod(1)"),
    ("/bin/sh -c 'exit", "command '/bin/sh -c 'exit' has a ' that is not closed"),
    ('/bin/sh "', "command '/bin/sh \"' has a \" that is not closed"),
    ("/bin/sh \\", "command '/bin/sh \\' ends with a backslash that has nothing to quote"),
    ('""', "command '': write the absolute path of the program"),
    ("/etc/passwd/hook", "command '/etc/passwd/hook': Not a directory"),
])
def test_what_cannot_be_run(complaints, command, said):
    assert complaints(command) == [said]


@pytest.mark.parametrize("directory, said", [
    ("/nonexistent", "directory '/nonexistent': No such file or directory"),
    ("/etc/passwd", "directory '/etc/passwd' is not a directory"),
])
def test_a_directory_that_cannot_be_entered(complaints, directory, said):
    assert complaints("/bin/true", directory=directory) == [said]


@pytest.mark.parametrize("key, value", [("stdin", "xml"), ("run_timeout", "0"), ("run_timeout", "5 apples"),
                                        ("run_timeout", "25h")])
def test_nonsense(complaints, key, value):
    line, = complaints("/bin/true", **{key: value})
    assert line.startswith(f"{key}: '{value}'"), line


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_another_user_may_not_run(complaints, public_folder):
    """The one that will run it is asked."""
    hook = hooks.program(public_folder, "exit 0")
    hook.chmod(0o700)
    line, = complaints([hook], user="nobody")
    if "cannot be executed by this user" not in line:
        pytest.skip("the build is in a folder that others cannot read")
    assert line == f"command '{hook}' cannot be executed by this user: Permission denied; see chmod(1)"


def test_a_start_is_refused_in_the_same_words(panicmon):
    done = panicmon.run(["true"], config=hooks.config(panicmon, hooks.section("/nonexistent/hook")))
    assert done.status == 125
    assert "[handler:exec] command '/nonexistent/hook': No such file or directory" in done.stderr


def test_without_it_if_it_is_not_required(panicmon):
    done = panicmon.run(["true"], config=hooks.config(panicmon, hooks.section("/nonexistent/hook", required="no")))
    assert done.status == 0
    assert "No such file or directory" in done.stderr


def test_its_options_as_a_table(ctl):
    done = ctl.run("handlers", "exec", config=ctl.config(hooks.section("/bin/true")))
    assert done.status == 0, done
    for word in ("command", "directory", "stdin", "run_timeout", "30s", "json"):
        assert word in done.stdout


@pytest.mark.parametrize("script, said", [
    ("exit 0", "delivered"),
    ("exit 75", "asked to retry: '{}' ended with exit status 75"),
    ("exit 9", "dropped: '{}' ended with exit status 9"),
    ("sleep 1000", "dropped: '{}' had not ended after 200 ms"),
])
def test_fire(ctl, tmp_path, script, said):
    hook = hooks.program(tmp_path, script)
    keys = {"run_timeout": "200ms"} if "sleep" in script else {}
    done = ctl.run("test-fire", "exec", config=ctl.config(hooks.section([hook], **keys)))
    assert said.format(hook) in done.stdout, done


def test_an_event_that_it_must_not_miss(panicmon, tmp_path):
    """Whose program fails is told to the others."""
    log = tmp_path / "log"
    path = hooks.config(panicmon, hooks.section("/bin/false"), panicmon.log_section("log", log))
    run = panicmon.start(["sleep", "1000"], config=path)
    pm.wait_until(lambda: "handler.lost" in pm.names(pm.read_events(log)), what="handler.lost")
    lost, = [event for event in pm.read_events(log) if event["event"] == "handler.lost"]
    assert (lost["handler"], lost["lost"], lost["dropped"]) == ("exec", 0, 1)
    run.kill()
    assert plugins.missed(run.stderr, "exec") == (0, 1)

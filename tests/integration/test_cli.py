"""The command line, as a user meets it."""
import os
import re
import subprocess

import pytest

import pm


def test_help_fits_a_screen(panicmon):
    for option in ("-h", "--help"):
        done = panicmon.run_raw([option])
        assert (done.status, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert len(lines) <= 24
        # How long the path of the installed config is depends on the build: it has a line of its own.
        assert [line for line in lines if len(line) > 80 and not line.strip().startswith("/")] == []
        assert lines[0] == "Usage: panicmon [OPTION]... [--] COMMAND [ARG...]"
        for word in ("-c", "-o", "-n", "-h", "-V", "125", "126", "127", "PANICMON_CONFIG"):
            assert word in done.stdout


def test_version(panicmon):
    for option in ("-V", "--version"):
        done = panicmon.run_raw([option])
        assert done.status == 0
        assert re.fullmatch(r"panicmon \d+\.\d+\.\d+\n", done.stdout)


def test_help_that_cannot_be_written(panicmon):
    with open("/dev/full", "wb") as full:
        assert panicmon.run_raw(["-h"], stdout=full).status == 125


@pytest.mark.parametrize("arguments, message", [
    (["-x"], "unknown option '-x'; see panicmon --help"),
    (["--nothing", "true"], "unknown option '--nothing'; see panicmon --help"),
    (["-c"], "option '-c' needs a value; see panicmon --help"),
    (["--config"], "option '--config' needs a value; see panicmon --help"),
    ([], "no command given; see panicmon --help"),
    (["--"], "no command given; see panicmon --help"),
    (["-n", "name"], "no command given; see panicmon --help"),
])
def test_mistakes(panicmon, arguments, message):
    done = panicmon.run_raw(arguments)
    assert (done.status, done.stdout, done.stderr) == (125, "", f"panicmon: {message}\n")


def events_on(panicmon, arguments, tmp_path, env=None, config=""):
    """The events of a run whose default config is the given text."""
    file = panicmon.config(config + panicmon.log_section("log", tmp_path / "log"))
    done = panicmon.run_raw(["-o", f"panicmon.handler_dir={panicmon.handler_dir}", *arguments],
                            env={"PANICMON_CONFIG": str(file), **(env or {})})
    assert done.status == 0, done
    return pm.read_events(tmp_path / "log")


def test_panicmon_config(panicmon, tmp_path):
    assert pm.names(events_on(panicmon, ["true"], tmp_path)) == ["process.started", "process.exited"]


def test_panicmon_config_that_is_missing(panicmon, tmp_path):
    done = panicmon.run_raw(["true"], env={"PANICMON_CONFIG": str(tmp_path / "none")})
    assert done.status == 125
    assert done.stderr == (f"panicmon: {tmp_path}/none: cannot be opened: No such file or directory; "
                           "check the path and the permissions\n")


def test_the_option_wins_over_panicmon_config(panicmon, tmp_path):
    other = panicmon.config(panicmon.log_section("log", tmp_path / "other"), name="other.ini")
    assert events_on(panicmon, ["-c", other, "true"], tmp_path) == []
    assert len(pm.read_events(tmp_path / "other")) == 2


def test_options_of_the_command_are_its_own(panicmon, tmp_path):
    events = events_on(panicmon, ["sh", "-c", "test $# = 3 -a $1 = -h", "x", "-h", "-n", "-V"], tmp_path)
    assert events[-1]["code"] == 0
    assert events[0]["args"][-3:] == ["-h", "-n", "-V"]


@pytest.mark.parametrize("arguments, config, name", [
    (["true"], "", "true"),
    (["/bin/true"], "", "true"),
    (["true"], "[panicmon]\nname = from-file\n", "from-file"),
    (["-o", "panicmon.name=from-option", "true"], "[panicmon]\nname = from-file\n", "from-option"),
    (["-n", "given", "-o", "panicmon.name=from-option", "true"], "[panicmon]\nname = from-file\n", "given"),
    (["--name", "given", "true"], "", "given"),
    (["--name=given", "true"], "", "given"),
])
def test_name_of_the_service(panicmon, tmp_path, arguments, config, name):
    assert {event["name"] for event in events_on(panicmon, arguments, tmp_path, config=config)} == {name}


def test_the_last_of_several_options_wins(panicmon, tmp_path):
    events_on(panicmon, ["-o", f"handler:log.path={tmp_path}/first", "-o", f"handler:log.path={tmp_path}/last",
                         "-o", "handler:log.format=json", "true"], tmp_path)
    assert len(pm.read_events(tmp_path / "last")) == 2
    assert not (tmp_path / "first").exists() and not (tmp_path / "log").exists()


def test_an_option_adds_a_handler(panicmon, tmp_path):
    events = events_on(panicmon, ["-o", "handler:more.plugin=log", "-o", f"handler:more.path={tmp_path}/more",
                                  "-o", "handler:more.format=json", "-o", "handler:more.trust_path=yes", "true"], tmp_path)
    assert pm.read_events(tmp_path / "more") == events


def test_a_value_with_equals_signs_and_dots(panicmon, tmp_path):
    assert {event["name"] for event in events_on(panicmon, ["-o", "panicmon.name=a=b.c; d # e", "true"], tmp_path)} == {
        "a=b.c; d # e"}


def test_without_a_config_the_log_is_on_stderr(panicmon):
    if os.path.exists("/etc/panicmon/panicmon.ini"):
        pytest.skip("there is an installed config")
    done = panicmon.run_raw(["-o", f"panicmon.handler_dir={panicmon.handler_dir}", "-o", "handler:log.trust_path=yes",
                             "sh", "-c", "echo out; exit 3"], env={"PANICMON_CONFIG": ""})
    assert (done.status, done.stdout) == (3, "out\n")
    assert [line.split('"event":"')[1].split('"')[0] for line in done.stderr.splitlines()] == [
        "process.started", "process.exited"]


def test_an_empty_config_runs_the_command_alone(panicmon):
    run = panicmon.start(["sleep", "1000"], config=panicmon.config(""))
    run.command()
    assert run.hosts() == {}
    run.send(15)
    done = run.wait()
    assert (done.status, done.stdout, done.stderr) == (-15, "", "")


def test_a_text_log_for_people(panicmon, tmp_path):
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log", format="text"))
    assert panicmon.run(["sh", "-c", "exit 3"], config=config).status == 3
    started, exited = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert "process.started" in started and "process.exited" in exited
    assert "3" in exited


def test_the_log_on_stdout(panicmon):
    config = panicmon.config(panicmon.log_section("log", "stdout"))
    done = panicmon.run(["true"], config=config)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 2


def test_it_works_where_there_is_nothing_but_the_command(panicmon):
    """No environment, the root folder, no descriptors but three."""
    folder, line = panicmon.arguments(["/bin/true"])
    done = subprocess.run([str(word) for word in line], env={}, cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=pm.DEADLINE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

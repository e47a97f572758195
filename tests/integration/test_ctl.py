"""panicmonctl: the command line, and the lists of handlers."""
import errno
import os
import pty
import re
import signal
import termios

import pytest

import plugins
import pm
import procfs
from ctl import SHORT, Ctl, hostile


@pytest.fixture
def ctl(panicmon):
    return Ctl(panicmon)


def test_help_fits_a_screen(ctl):
    for option in ("-h", "--help"):
        done = ctl.run(option)
        assert (done.status, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert len(lines) <= 24
        assert [line for line in lines if len(line) > 80 and not line.strip().startswith("/")] == []
        assert lines[0] == "Usage: panicmonctl [OPTION]... COMMAND [ARG]"
        for word in ("check", "handlers", "test-fire", "-c", "-o", "-e", "-h", "-V", "PANICMON_CONFIG"):
            assert word in done.stdout


def test_version(ctl):
    for option in ("-V", "--version"):
        done = ctl.run(option)
        assert done.status == 0
        assert re.fullmatch(r"panicmonctl \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments, message", [
    ([], "no command given; see panicmonctl --help"),
    (["-x"], "unknown option '-x'; see panicmonctl --help"),
    (["check", "--nothing"], "unknown option '--nothing'; see panicmonctl --help"),
    (["check", "-c"], "option '-c' needs a value; see panicmonctl --help"),
    (["chek"], "unknown command 'chek'; did you mean 'check'?"),
    (["something"], "unknown command 'something'; the commands are check, handlers, test-fire"),
    (["check", "x"], "'x' is one word too many; see panicmonctl --help"),
    (["handlers", "a", "b"], "'b' is one word too many; see panicmonctl --help"),
    (["check", "--event", "process.exited"], "check has no --event; see panicmonctl --help"),
    (["test-fire", "-e", "process.exitde"], "unknown event 'process.exitde'; did you mean 'process.exited'?"),
    (["test-fire", "-e", "x"], "unknown event 'x'; the events are process.started, process.failed, process.exited, "
     "signal.received, signal.passed, signal.failed, process.recovered"),
])
def test_mistakes(ctl, arguments, message):
    done = ctl.run(*arguments)
    assert (done.status, done.stdout, done.stderr) == (2, "", f"panicmonctl: {message}\n")


@pytest.mark.parametrize("arguments", [["-h"], ["handlers"]])
def test_output_that_cannot_be_written(ctl, arguments):
    options = [f"panicmon.handler_dir={ctl.handler_dir('log')}"] if arguments == ["handlers"] else []
    with open("/dev/full", "wb") as full:
        done = ctl.run(*arguments, options=options, stdout=full)
    assert (done.status, done.stderr) == (2, "panicmonctl: cannot write to stdout\n")


def listed(ctl, folder, **more):
    """The rows of `handlers`, by file, with the columns as they are aligned."""
    done = ctl.run("handlers", config=f"[panicmon]\nhandler_dir = {folder}\nstart_timeout = 60s\n", **more)
    assert done.status == 0, done
    head, *lines = done.stdout.splitlines()
    begins = [match.start() for match in re.finditer(r"\S+", head)]
    assert head.split() == ["NAME", "VERSION", "ABI", "FILE", "SUMMARY"]
    rows = [[line[begin:end].rstrip() for begin, end in zip(begins, begins[1:] + [None])] for line in lines]
    return {row[3]: row for row in rows}


def test_the_list(ctl):
    rows = listed(ctl, ctl.handler_dir("log", "held", "future", "past"))
    assert list(rows) == ["future.so", "held.so", "log.so", "past.so"]
    name, version, abi, _, summary = rows["log.so"]
    assert (name, abi) == ("log", "1.1") and re.fullmatch(r"\d+\.\d+\.\d+", version) and "line for each event" in summary
    assert rows["held.so"] == ["held", "1", "1.1", "held.so", "a test fixture"]
    assert rows["future.so"] == ["future", "9", "1.2", "future.so", "a test fixture"]


@pytest.mark.parametrize("plugin, reason", [
    ("bad_abi", "speaks handler ABI 2"), ("needs_more", "needs handler ABI 1.99"), ("no_descriptor", "has no symbol"),
    ("crash_constructor", "its process was killed by SIGSEGV while it was being loaded"),
    ("exit_constructor", "its process left with exit status 0 while it was being loaded"),
])
def test_a_broken_one_is_listed_with_the_reason(ctl, plugin, reason):
    rows = listed(ctl, ctl.handler_dir(plugin, "log"))
    assert rows[f"{plugin}.so"][:3] == [plugin, "-", "-"] and reason in rows[f"{plugin}.so"][4]
    assert rows["log.so"][2] == "1.1"


def test_one_that_hangs_is_listed_with_the_reason(ctl):
    rows = listed(ctl, ctl.handler_dir("hang_constructor", "log"), options=[f"panicmon.start_timeout={SHORT}"])
    assert rows["hang_constructor.so"][4] == "it was not loaded within 3000 ms"
    assert rows["log.so"][2] == "1.1"


def test_files_that_are_no_plugins(ctl):
    folder = ctl.handler_dir("log")
    (folder / "text.so").write_text("not a plugin", encoding="utf-8")
    (folder / "folder.so").mkdir()
    os.mkfifo(folder / "fifo.so")
    (folder / "gone.so").symlink_to("nowhere")
    (folder / ".hidden.so").write_text("", encoding="utf-8")
    (folder / "README").write_text("", encoding="utf-8")
    rows = listed(ctl, folder)
    assert list(rows) == ["fifo.so", "folder.so", "gone.so", "log.so", "text.so"]
    assert "is not an ELF file" in rows["text.so"][4] and "is not a regular file" in rows["fifo.so"][4]


def test_one_that_others_can_write_is_not_loaded(ctl):
    folder = ctl.handler_dir("log")
    (folder / "log.so").chmod(0o666)
    assert "can be written by others (mode 0666)" in listed(ctl, folder)["log.so"][4]
    assert listed(ctl, folder, options=["handler:log.trust_path=yes"])["log.so"][2] == "1.1"
    file = folder / "log.so"
    assert "can be written by others (mode 0666)" in ctl.run("handlers", file, config=ctl.config()).stderr
    trusted = [f"handler:mine.plugin={file}", "handler:mine.trust_path=yes"]
    assert ctl.run("handlers", file, config=ctl.config(), options=trusted).stdout.startswith("log ")


def test_an_empty_folder(ctl):
    assert listed(ctl, ctl.handler_dir()) == {}


def test_a_folder_that_is_not_there(ctl, tmp_path):
    done = ctl.run("handlers", options=[f"panicmon.handler_dir={tmp_path}/none"], config="")
    assert done.status == 1
    assert done.stderr == f"panicmonctl: cannot read the handler_dir '{tmp_path}/none': No such file or directory\n"


def test_colour_is_for_terminals(ctl):
    config = ctl.panicmon.config(f"[panicmon]\nhandler_dir = {ctl.handler_dir('bad_magic')}\nstart_timeout = 60s\n")

    def on_terminal(**env):
        ours, theirs = pty.openpty()
        done = ctl.run("handlers", config=config, stdout=theirs, env={"TERM": "xterm", **env})
        os.close(theirs)
        text = os.read(ours, 65536)
        os.close(ours)
        assert done.status == 0
        return text
    assert b"\033[31m" in on_terminal()
    assert b"\033" not in on_terminal(NO_COLOR="1")
    assert b"\033" not in on_terminal(TERM="dumb")
    assert "\033" not in ctl.run("handlers", config=config).stdout


def keys_of(done):
    """By key: type, default, required, values, help. And the names of those of every handler."""
    assert done.status == 0, done
    own, every = done.stdout.split("\nOf every handler:\n")
    head, *lines = own.splitlines()[3:]
    begins = [match.start() for match in re.finditer(r"KEY|TYPE|DEFAULT|REQUIRED|VALUES|WHAT", head)]
    rows = [[line[begin:end].rstrip() for begin, end in zip(begins, begins[1:] + [None])]
            for line in lines + every.splitlines() if line]
    keys = {}
    for row in rows:
        if row[0]:
            keys[row[0]] = row[1:]
        else:  # the list of values goes on
            keys[list(keys)[-1]][3] += f" {row[4]}"
    return keys, [line.split()[0] for line in every.splitlines() if not line.startswith(" ")]


def read_terminal(fd):
    """Nothing, when all that had it open have gone."""
    try:
        return os.read(fd, 65536)
    except OSError as error:
        assert error.errno == errno.EIO
        return b""


def test_the_options_fit_a_terminal(ctl):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    done = ctl.run("handlers", "log", config=ctl.config(ctl.log()), stdout=theirs, env={"TERM": "dumb"})
    os.close(theirs)
    text = b""
    while chunk := read_terminal(ours):
        text += chunk
    os.close(ours)
    lines = text.decode().splitlines()
    assert done.status == 0
    assert [line for line in lines[2:] if len(line) > 80] == []  # those before are a summary and a path
    at = lines.index("format (choice, default auto): auto, text, logfmt, json, ecs, otel")
    assert lines[at + 1].startswith("    auto: text on a terminal")
    assert "path (text, default stderr)" in lines


def test_the_options_of_a_handler(ctl):
    config = ctl.config(plugins.section("mine", "hostile"), ctl.log())
    done = ctl.run("handlers", "log", config=config)
    keys, every = keys_of(done)
    assert re.match(r"log \d.* \(ABI 1\.1\): .*\n" + re.escape(str(ctl.panicmon.handler_dir)) + r"/log\.so\n\n", done.stdout)
    assert keys["format"][:4] == ["choice", "auto", "no", "auto, text, logfmt, json, ecs, otel"]
    assert keys["path"][:4] == ["text", "stderr", "no", "any"] and "append to" in keys["path"][4]
    assert keys["timeout"] == ["duration", "30s", "no", "1ms or more", "the longest that one call into the plugin may take"]
    source = (pm.source_dir() / "src" / "config" / "keys.c").read_text(encoding="utf-8")
    table = source[source.index("handler_keys[]"):]
    assert every == re.findall(r'\.name = "(\w+)"', table[:table.index("};")])
    assert all(keys[name][4] for name in every)
    keys, _ = keys_of(ctl.run("handlers", "mine", config=config))
    assert keys["seq"][:4] == ["number", "0", "no", "0 or more"]
    assert keys["result"][3] == "-2147483648 to 2147483647"


def test_the_options_of_a_file(ctl):
    folder = ctl.handler_dir("held")
    keys, _ = keys_of(ctl.run("handlers", "./held.so", config=ctl.config(), cwd=folder))
    assert keys["path"] == ["text", "-", "yes", "any", "a file"]


@pytest.mark.parametrize("name, said", [
    ("nothing", "nothing.so'; check `plugin` and `handler_dir`, or install the handler"),
    ("./nothing.so", "cannot find './nothing.so': No such file or directory"),
    ("bad", "its process was killed by SIGSEGV while it was being loaded"),
])
def test_the_options_of_what_cannot_be_loaded(ctl, name, said):
    done = ctl.run("handlers", name, config=ctl.config(plugins.section("bad", "crash_constructor")))
    assert (done.status, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1 and said in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_what_hangs(ctl, number):
    """Also a host that blocks all signals."""
    run = ctl.start("test-fire", config=ctl.config(hostile(how="hang-blocked", path=ctl.folder / "notes", timeout="1h")))
    pm.wait_until(lambda: plugins.seqs(ctl.folder / "notes") == [1], what="the event to be in the plugin's hands")
    host = run.host("bad")
    run.send(number)
    assert run.wait().status == -number
    pm.wait_until(lambda: not procfs.alive(host), what="the host to be gone")


def test_what_a_terminal_would_act_on(ctl):
    """Neither a plugin's texts nor the name of a file get to the terminal as they are."""
    folder = ctl.handler_dir("strange_text")
    (folder / "\033[31mred\n\x9b.so").touch()
    for arguments in (["handlers"], ["handlers", str(folder / "strange_text.so")],
                      ["handlers", str(folder / "\033[31mred\n\x9b.so")]):
        done = ctl.run(*arguments, options=[f"panicmon.handler_dir={folder}"])
        said = done.stdout + done.stderr
        assert not re.search("[\0-\x09\x0b-\x1f\x7f\x80-\x9f]", said), said
        if len(arguments) == 1:
            assert re.search(r"\nn\?\[31m\? +\?\?1m ", said) and len(said.splitlines()) == 3
        elif "strange_text" in arguments[1]:
            assert "n?[31m? ??1m (ABI 1.0): ?]0;title? ü\n" in said
            assert re.search(r"\nk\?\[31m +text +\?\?m ", said)
        else:
            assert "?[31mred?" in said and len(said.splitlines()) == 1

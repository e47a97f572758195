"""A handler .so that cannot serve: refused at start, before any of its code runs where that can be."""
import os
import pathlib
import re
import signal
import struct

import pytest

import plugins
import pm


@pytest.fixture
def refused(panicmon, tmp_path):
    """Runs with a handler that must be refused. Returns the one line of stderr after the position."""
    def run(file, status=125, **keys):
        text = f"; a comment\n{plugins.section('bad', pathlib.Path(file), **keys)}"
        config = panicmon.config(text)
        touched = tmp_path / "touched"
        done = panicmon.run(["touch", touched], config=config)
        assert done.status == status, done
        assert touched.exists() == (status == 0)
        line, *more = done.stderr.splitlines()
        start = f"panicmon: {config}:2: [handler:bad] "
        assert line.startswith(start), done.stderr
        assert status == 0 or not more
        return line[len(start):]
    return run


@pytest.fixture
def copy(tmp_path):
    """A copy of a plugin with some of its bytes changed."""
    def make(change=lambda data: data, mode=0o755):
        data = bytearray((pm.build_dir() / ".libs" / "log.so").read_bytes())
        file = tmp_path / "copy.so"
        file.write_bytes(change(data))
        file.chmod(mode)
        return file
    return make


def test_missing(refused, tmp_path):
    file = tmp_path / "none.so"
    assert refused(file) == f"there is no '{file}'; check `plugin` and `handler_dir`, or install the handler"


def test_missing_in_handler_dir(panicmon):
    config = panicmon.config("[handler:lgo]\n")
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert done.stderr == (f"panicmon: {config}:1: [handler:lgo] there is no '{panicmon.handler_dir}/lgo.so'; "
                           "did you mean 'log'?\n")


def test_not_elf(refused, tmp_path):
    file = tmp_path / "text.so"
    file.write_text("#!/bin/sh\n" * 100, encoding="utf-8")
    assert refused(file) == (f"'{file}' is not an ELF file; a handler is a shared object: build it with "
                             "cc -shared -fPIC")


def test_empty(refused, tmp_path):
    file = tmp_path / "empty.so"
    file.write_bytes(b"")
    assert f"'{file}' is not an ELF file" in refused(file)


def test_directory(refused, tmp_path):
    assert refused(tmp_path) == f"'{tmp_path}' is not a regular file; name the handler's .so"


def test_fifo(refused, tmp_path):
    os.mkfifo(tmp_path / "fifo.so")
    assert refused(tmp_path / "fifo.so") == f"'{tmp_path}/fifo.so' is not a regular file; name the handler's .so"


def test_not_a_shared_object(refused, copy):
    def change(data):
        struct.pack_into("<H", data, 16, 1)  # e_type = ET_REL
        return data
    assert "is an ELF file but not a shared object (type 1, wanted 3); link it with -shared" in refused(copy(change))


def test_other_machine(refused, copy):
    def change(data):
        machine, = struct.unpack_from("<H", data, 18)
        struct.pack_into("<H", data, 18, 0xB7 if machine == 0x3E else 0x3E)
        return data
    assert "was built for another machine (ELF machine " in refused(copy(change))


def test_other_class(refused, copy):
    def change(data):
        data[4] = 1  # ELFCLASS32
        return data
    assert "was built for another machine (ELF machine " in refused(copy(change))


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated(refused, copy, part):
    """Loading it would raise SIGBUS within dlopen."""
    assert "is truncated or damaged (" in refused(copy(lambda data: data[:max(20, int(len(data) * part))]))


def test_no_descriptor(refused):
    file = plugins.path("no_descriptor")
    assert refused(file) == (f"'{file}' has no symbol 'panicmon_handler_1'; a handler defines it with "
                             "PANICMON_HANDLER of panicmon/handler.h")


def test_wrong_abi(refused):
    file = plugins.path("bad_abi")
    assert refused(file) == (f"'{file}' speaks handler ABI 2, this panicmon 1; install the build of the handler "
                             "for this panicmon")


def test_wrong_magic(refused):
    assert ("has a descriptor with the magic 0xdeadbeef, wanted 0x314d4350; set .magic = PANICMON_HANDLER_MAGIC"
            in refused(plugins.path("bad_magic")))


def test_too_small(refused):
    assert "set .size = sizeof(struct panicmon_handler)" in refused(plugins.path("too_small"))


def test_needs_more(refused):
    assert ("needs handler ABI 1.99, this panicmon speaks 1.1; install a newer panicmon"
            in refused(plugins.path("needs_more")))


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_writable_by_others(refused, copy, mode):
    file = copy(mode=mode)
    line = refused(file, trust_path="no")
    assert line == f"'{file}' can be written by others (mode {mode:04o}); chmod go-w it, or set trust_path = yes"


def test_folder_writable_by_others(refused, copy, tmp_path):
    file = copy()
    tmp_path.chmod(0o777)
    assert refused(file, trust_path="no") == (f"'{tmp_path}' can be written by others (mode 0777); chmod go-w it, or "
                                              "set trust_path = yes")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_of_another_user(refused, copy):
    file = copy()
    os.chown(file, 65534, 65534)
    assert refused(file, trust_path="no").startswith(f"'{file}' belongs to user 65534, neither to root nor to ")


def test_trusted_by_the_user(panicmon, copy, tmp_path):
    config = panicmon.config(f"[handler:log]\nplugin = {copy(mode=0o777)}\ntrust_path = yes\npath = {tmp_path}/log\n")
    assert panicmon.run(["true"], config=config).status == 0
    assert pm.names(pm.read_events(tmp_path / "log")) == ["process.started", "process.exited"]


@pytest.mark.parametrize("name, how", [("crash_constructor", "was killed by SIGSEGV"),
                                       ("exit_constructor", "left with exit status 0")])
def test_dies_in_its_constructor(refused, name, how):
    assert refused(plugins.path(name)) == (f"its host {how} while it was being loaded or opened; mend or remove the "
                                           "handler, or set required = no")


@pytest.mark.parametrize("where", ["check", "open"])
@pytest.mark.parametrize("how, what", [("crash", "was killed by SIGSEGV"), ("abort", "was killed by SIGABRT"),
                                       ("exit", "left with exit status 0"), ("_exit", "left with exit status 0")])
def test_dies_before_it_is_ready(refused, where, how, what):
    assert refused(plugins.path("hostile"), where=where, how=how).startswith(f"its host {what} while it was being loaded")


@pytest.mark.parametrize("where", ["check", "open"])
@pytest.mark.parametrize("result", [-1, 1, 3, 99])
def test_fails_without_a_word(refused, where, result):
    assert refused(plugins.path("hostile"), where=where, result=result) == "the handler failed without saying why"


@pytest.mark.parametrize("name", ["no_descriptor", "crash_constructor", "exit_constructor", "bad_abi", "none"])
def test_not_required(panicmon, tmp_path, name):
    """It is told all the same, the command runs, and the other handler gets everything."""
    config = panicmon.config(plugins.section("bad", name, required="no") + panicmon.log_section("log", tmp_path / "log"))
    done = panicmon.run(["sh", "-c", "exit 3"], config=config)
    assert done.status == 3
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"panicmon: {config}:1: [handler:bad] ")
    assert lines[1:] == ["panicmon: handler 'bad': going on without it",
                         "panicmon: handler 'bad': 2 of 2 events were not delivered"]
    assert pm.names(pm.read_events(tmp_path / "log")) == ["process.started", "process.exited"]


def test_all_that_are_bad_are_told(panicmon, tmp_path):
    text = "".join(plugins.section(name, name) for name in ("no_descriptor", "bad_abi", "bad_magic", "crash_constructor"))
    done = panicmon.run(["touch", tmp_path / "touched"], config=panicmon.config(text))
    assert done.status == 125
    assert not (tmp_path / "touched").exists()
    assert len(done.stderr.splitlines()) == 4


def test_a_symbol_that_is_in_no_library(refused):
    """Told at the start, not at the first event."""
    file = plugins.path("missing")
    assert refused(file) == (f"cannot load '{file}': undefined symbol: of_no_library; install or link what it lacks: "
                             "ldd -r shows it")


def test_a_library_that_is_not_there(refused, copy):
    file = copy(lambda data: data.replace(b"libc.so.6\0", b"libq.so.6\0"))
    assert refused(file) == (f"cannot load '{file}': libq.so.6: cannot open shared object file: No such file or "
                             "directory; install or link what it lacks: ldd -r shows it")


def test_functions_without_a_size(refused):
    file = plugins.path("no_ops_size")
    assert refused(file) == (f"'{file}' has no size in the functions of .signal; set .size to the sizeof of their "
                             "struct")


def test_options_without_a_size(refused):
    assert re.fullmatch(r"'.*/no_option_size.so' has 1 options of 0 bytes, wanted at least \d+ each; set .option_size = "
                        r"sizeof\(struct panicmon_option\)", refused(plugins.path("no_option_size")))


def test_an_option_without_a_name(refused):
    file = plugins.path("no_option_name")
    assert refused(file) == (f"'{file}' has an option, number 2 of its table, whose name is NULL; set .name to one "
                             "without a dot")


def test_a_wrong_key_and_a_missing_one(panicmon, tmp_path):
    """Each with its own line of the config."""
    config = panicmon.config(plugins.section("held", "held", pth=tmp_path))
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert f"panicmon: {config}:3: [handler:held] unknown key 'pth'; did you mean 'path'?\n" in done.stderr
    assert f"panicmon: {config}:1: [handler:held] the key 'path' is missing (a file)\n" in done.stderr


def test_a_link_is_resolved(refused, copy, tmp_path):
    """It is the file that is looked at, and named."""
    file = copy(mode=0o777)
    (tmp_path / "link.so").symlink_to(file)
    assert refused(tmp_path / "link.so", trust_path="no").startswith(f"'{file}' can be written by others (mode 0777)")


@pytest.mark.parametrize("what, refusal", [(b"", "is not an ELF file"), (b"\x7fELF" + bytes(60), "was built for another machine")])
def test_one_that_is_overwritten_while_it_is_loaded(panicmon, copy, tmp_path, what, refusal):
    """cp over a live .so: the host dies of it, the next ones refuse what is there, until it is whole."""
    file = copy()
    whole = file.read_bytes()
    config = panicmon.config(f"[handler:bad]\nplugin = {file}\npath = {tmp_path}/bad\ntrust_path = yes\n" +
                             panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start(["sleep", "1000"], config=config)
    pm.wait_until(lambda: pm.read_events(tmp_path / "bad"), what="the first event")
    with open(file, "r+b") as live:
        live.truncate(0)
        live.write(what)
    run.send(signal.SIGCONT)
    pm.wait_until(lambda: "handler 'bad': it has worked before and is tried again" in run.stderr, what="the refusal")
    file.with_suffix(".new").write_bytes(whole)
    file.with_suffix(".new").rename(file)
    events = pm.wait_until(lambda: len(pm.read_events(tmp_path / "bad")) == 3 and pm.read_events(tmp_path / "bad"),
                           what="what it missed")
    assert [event["seq"] for event in events] == [1, 2, 3]
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGTERM
    assert pm.names(pm.read_events(tmp_path / "bad"))[-1] == "process.exited"
    assert re.match(r"panicmon: handler 'bad': its host was killed by SIG(BUS|SEGV|ILL); starting it again$",
                    done.stderr.splitlines()[0])
    assert f"panicmon: {config}:1: [handler:bad] '{file}' {refusal}" in done.stderr
    assert pm.names(pm.read_events(tmp_path / "log"))[-1] == "process.exited"


def test_one_of_the_past_works(panicmon, tmp_path):
    notes = tmp_path / "notes"
    done = panicmon.run(["true"], config=panicmon.config(plugins.section("past", "past", path=notes)))
    assert (done.status, done.stderr) == (0, "")
    assert plugins.notes(notes) == [(1, 1, 1)]


def test_one_of_the_future_works(panicmon, tmp_path):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("future", "future", path=notes) +
                             plugins.section("drop", "hostile", result=3, seq=1))
    run = panicmon.start(["sleep", "1000"], config=config)
    pm.wait_until(lambda: (2, 7, 1) in plugins.notes(notes), what="the loss of the other")
    pm.wait_until(lambda: "tick" in plugins.notes(notes), what="the tick")
    run.send(signal.SIGTERM)
    assert run.wait().stderr == "panicmon: handler 'drop' has missed events: 0 lost, 1 given up\n"
    assert [note for note in plugins.notes(notes) if note != "tick"] == [(1, 1, 1), (2, 7, 1), (5, 3, 1)]

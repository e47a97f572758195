"""Bad config: the command is never started, and each mistake is told with file, line, key and remedy."""
import os
import shutil

import pytest

import pm


@pytest.fixture
def refused(panicmon, tmp_path):
    """Runs with a config that must be refused, and returns the lines of stderr, without "panicmon: "
    and with the config's path as CONFIG."""
    def run(config, **arguments):
        path = config if config is None or not isinstance(config, str) else panicmon.config(config)
        touched = tmp_path / "touched"
        done = panicmon.run(["touch", touched], config=path, **arguments)
        assert done.status == 125, done
        assert not touched.exists(), "the command was started"
        lines = done.stderr.splitlines()
        assert lines and all(line.startswith("panicmon: ") for line in lines), done.stderr
        return [line[len("panicmon: "):].replace(str(path), "CONFIG") for line in lines]
    return run


def test_the_config_of_these_tests_is_good(panicmon, tmp_path):
    """Or none of them could tell anything."""
    touched = tmp_path / "touched"
    assert panicmon.run(["touch", touched]).status == 0
    assert touched.exists()


@pytest.mark.parametrize("text, line", [
    ("[panicmno]\n", "CONFIG:1: [panicmno] unknown section; did you mean 'panicmon'?"),
    ("\n[handlr:log]\n", "CONFIG:2: [handlr:log] unknown section; did you mean 'handler:log'?"),
    ("[completely_else]\n", "CONFIG:1: [completely_else] unknown section; of a handler write [handler:completely_else]; the sections are [panicmon], [process], [handler:NAME]"),
    ("[panicmon]\nstart_timout = 2s\n", "CONFIG:2: [panicmon] unknown key 'start_timout'; did you mean 'start_timeout'?"),
    ("[panicmon]\nx = 1\n", "CONFIG:2: [panicmon] unknown key 'x'; its keys are name, handler_dir, start_timeout, "
     "drain_timeout, redact, state_dir, include"),
    ("[panicmon]\nstart_timeout = 2 parsecs\n", "CONFIG:2: [panicmon] start_timeout: '2 parsecs' is not a duration: "),
    ("[panicmon]\n; a comment\n\ndrain_timeout = \n", "CONFIG:4: [panicmon] drain_timeout: '' is not a duration: "),
    ("[panicmon]\ndrain_timeout = -1s\n", "CONFIG:2: [panicmon] drain_timeout: '-1s' is not a duration: "),
    ("[panicmon]\nstart_timeout = 99999999999999999999\n", "CONFIG:2: [panicmon] start_timeout: "),
    ("[handler:log]\nrequired = perhaps\n", "CONFIG:2: [handler:log] required: 'perhaps' is neither yes nor no: write yes or no"),
    ("[handler:log]\ntimeout = 0\n", "CONFIG:2: [handler:log] timeout: '0' is too short: write 1ms or more"),
    ("[handler:log]\n[panicmon]\n[handler:log]\n",
     "CONFIG:3: [handler:log] this section stands twice, first at CONFIG:1; remove one"),
    ("[panicmon]\n[panicmon]\n", "CONFIG:2: [panicmon] this section stands twice, first at CONFIG:1; remove one"),
    ("[panicmon]\nname = a\nname = b\n", "CONFIG:3: [panicmon] 'name' stands twice, first at CONFIG:2; remove one"),
    ("name = a\n", "CONFIG:1: a key before any section; write [panicmon], [process] or [handler:NAME] above it"),
    ("[panicmon\n", "CONFIG:1: no ']' after '['; write a section as [NAME]"),
    ("[panicmon]\nname\n", "CONFIG:2: [panicmon] no '=' in this line; write KEY = VALUE, or ';' before a comment"),
    ("[panicmon]\nname =\n", "CONFIG:2: [panicmon] name: no value; write one, or leave the key out"),
    ("[handler:a b]\n", "CONFIG:1: [handler:a b] not a handler's name; write [handler:NAME] with a NAME of at most"),
    ("[handler:]\n", "CONFIG:1: [handler:] not a handler's name; write [handler:NAME] with a NAME of at most"),
    ("[handler:log]\nwhen.then = x\n", "CONFIG:2: [handler:log] unknown key 'when.then'; "),
    ("[panicmon]\ninclude = nothing.ini\n", "CONFIG:2: [panicmon] include: "),
    ("[proces]\n", "CONFIG:1: [proces] unknown section; did you mean 'process'?"),
    ("[process]\nsignal = TERM\n", "CONFIG:2: [process] unknown key 'signal'; did you mean 'signals'?"),
    ("[process]\n\nsignals = HUP, TRM\n", "CONFIG:3: [process] signals: 'TRM' is no signal; did you mean 'TERM'?"),
    ("[process]\nsignals = KILL\n", "CONFIG:2: [process] signals: 'KILL' cannot be taken: the kernel gives it to no process; "
     "leave it out"),
    ("[process]\nrewrite = TERM:QUIT\nsignals = HUP\n", "CONFIG:2: [process] rewrite: 'TERM' is not in signals; "),
    ("[process]\nsignal_target = group\ngroup = inherit\n", "CONFIG:2: [process] signal_target: 'group' would be panicmon's own "),
    ("[process]\nremap = 143:256\n", "CONFIG:2: [process] remap: '256' is no exit status: write a number from 0 to 255"),
    ("[process]\nstdout = /var/log/x\n", "CONFIG:2: [process] stdout: '/var/log/x' is none of: inherit, null, append:/PATH; "
     "did you mean 'append:/var/log/x'?"),
    ("[process]\nenv.1X = a\n", "CONFIG:2: [process] env.1X: '1X' is no name of a variable: write env.NAME with letters, "),
    ("[process]\ninstances = 65\n", "CONFIG:2: [process] instances: '65' is out of range: write a number from 1 to 64"),
])
def test_mistake(refused, text, line):
    lines = refused(text)
    assert len(lines) == 1
    assert lines[0].startswith(line)


@pytest.mark.parametrize("option, line", [
    ("panicmon.start_timout=2s", "-o panicmon.start_timout: [panicmon] unknown key 'start_timout'; did you mean 'start_timeout'?"),
    ("panicmon.start_timeout=soon", "-o panicmon.start_timeout: [panicmon] start_timeout: 'soon' is not a duration: "),
    ("handlr:log.path=x", "-o handlr:log.path: [handlr:log] unknown section; did you mean 'handler:log'?"),
    ("nonsense", "-o: 'nonsense' has no '='; write -o SECTION.KEY=VALUE"),
    ("password=hunter2", "-o: 'password' is no SECTION.KEY before '='; write -o SECTION.KEY=VALUE"),
    ("process.signals=TRM", "-o process.signals: [process] signals: 'TRM' is no signal; did you mean 'TERM'?"),
    ("process.env.A-B=hunter2", "-o process.env.A-B: [process] env.A-B: 'A-B' is no name of a variable: "),
    ("handler:log.formta=json", "-o handler:log.formta: [handler:log] unknown key 'formta'; did you mean 'format'?"),
])
def test_mistake_on_the_command_line(refused, option, line):
    lines = refused(None, options=[option])
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_the_value_of_an_option_is_not_shown_with_a_mistake_of_its_key(refused):
    assert "hunter2" not in "".join(refused(None, options=["panicmon.pasword=hunter2"]))


def test_the_value_of_a_variable_is_not_shown_with_any_mistake(refused):
    lines = refused("[process]\nenv.TOKEN = hunter2\nenv.TOKEN = hunter2\nenv.9 = hunter2\nenv TOKEN = hunter2\n"
                    "evn.TOKEN = hunter2\n", options=["process.env.=hunter2"])
    assert len(lines) == 5
    assert "hunter2" not in "".join(lines)


def test_all_mistakes_of_one_list_are_told_in_one_go(refused):
    lines = refused("[process]\nsignals = TRM, HUP, KILL\nremap = 143:0 x:1 143:1\n")
    assert [line.split(" ")[0] for line in lines] == ["CONFIG:2:", "CONFIG:2:", "CONFIG:3:", "CONFIG:3:"]


def log_text(panicmon, **keys):
    return panicmon.log_section("log", panicmon.folder / "log", **keys)


@pytest.mark.parametrize("keys, message", [
    ({"formta": "json"}, "unknown key 'formta'; did you mean 'format'?"),
    ({"qqq": "1"}, "unknown key 'qqq'; this handler knows path, format, level, mode, address, facility"),
    ({"format": "xml"}, "format: 'xml' is none of: auto, text, logfmt, json, ecs, otel"),
    ({"level": "loud"}, "level: 'loud' is none of: debug, info, notice, warning, error, fatal"),
])
def test_mistake_in_a_plugins_option(refused, panicmon, keys, message):
    text = log_text(panicmon, **keys)
    number = 1 + [line.partition(" ")[0] for line in text.splitlines()].index(next(iter(keys)))
    assert refused(text) == [f"CONFIG:{number}: [handler:log] {message}"]


def test_all_mistakes_are_told_in_one_go(refused):
    lines = refused("[panicmon]\nnmae = a\nstart_timeout = x\n[handler:log]\nrequired = x\n[nowhere]\na = b\n",
                    options=["panicmon.bad=1", "bad"])
    assert [line.split(" ")[0] for line in lines] == [
        "CONFIG:2:", "CONFIG:3:", "CONFIG:5:", "CONFIG:6:", "-o", "-o:"]


def test_all_mistakes_of_all_plugins_are_told_in_one_go(refused, panicmon, tmp_path):
    text = panicmon.log_section("one", tmp_path / "one", format="xml", levle="info") + panicmon.log_section(
        "two", tmp_path / "two", formt="json")
    lines = refused(text)
    assert len(lines) == 3
    assert sum("[handler:one] " in line for line in lines) == 2
    assert sum("unknown key 'formt'; did you mean 'format'?" in line for line in lines) == 1


def test_missing_config(refused, tmp_path):
    assert refused(tmp_path / "none.ini") == [
        "CONFIG: cannot be opened: No such file or directory; check the path and the permissions"]


def test_directory_as_config(refused, tmp_path):
    assert refused(tmp_path) == ["CONFIG: is a directory; name a regular file"]


def test_fifo_as_config(refused, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert refused(tmp_path / "fifo") == ["CONFIG: is a FIFO; name a regular file"]


def test_device_as_config(refused):
    path = pm.pathlib.Path("/dev/zero")
    assert refused(path) == ["CONFIG: is a device; name a regular file"]


def test_binary_as_config(refused, panicmon):
    lines = refused(pm.pathlib.Path(panicmon.path))
    assert len(lines) <= 30
    assert all(line.startswith("CONFIG:") for line in lines)


def as_nobody():
    """How to run panicmon as somebody who may not read everything."""
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def test_unreadable_config(panicmon, public_folder):
    config = public_folder / "config.ini"
    config.write_text("[panicmon]\n", encoding="utf-8")
    config.chmod(0)
    copied = shutil.copy(panicmon.path, public_folder / "panicmon")
    panicmon.path = copied
    touched = public_folder / "touched"
    public_folder.chmod(0o777)
    done = panicmon.start(["touch", touched], config=config, prefix=as_nobody()).wait()
    assert done.status == 125
    assert done.stderr == f"panicmon: {config}: cannot be opened: Permission denied; check the path and the permissions\n"
    assert not touched.exists()


def test_a_long_line_is_not_cut(panicmon, tmp_path):
    """100 kB, in the one place where a length shows: the service's name in the event."""
    name = "n" * 100_000 + "END"
    config = panicmon.config(f"[panicmon]\nname = {name}\n" + panicmon.log_section("log", tmp_path / "log"))
    assert panicmon.run(["true"], config=config).status == 0
    text = (tmp_path / "log").read_text(encoding="utf-8")
    started = pm.read_events(tmp_path / "log")[0]
    assert started["name"] == name or (started.get("truncated") is True and started["name"].endswith("…")), text[:300]


def test_a_long_value_of_a_plugin_arrives_whole(refused, panicmon):
    """A path of 100 kB is refused by its full length, not opened by its first 200 bytes."""
    folder = "/" + "d" * 100
    path = str(panicmon.folder / "x") + folder * 990
    lines = refused(panicmon.log_section("log", path))
    assert len(lines) == 1
    assert "File name too long" in lines[0]


def test_a_long_line_with_a_mistake(refused):
    lines = refused("[panicmon]\nstart_timeout = " + "9" * 100_000 + "x\n")
    assert len(lines) == 1
    assert lines[0].startswith("CONFIG:2: [panicmon] start_timeout: '9999")
    assert len(lines[0]) < 500


@pytest.mark.parametrize("length", [50, 60, 100_000])
def test_a_long_section_name_is_refused(refused, length):
    name = "handler:" + "n" * (length - len("handler:"))
    lines = refused(f"[{name}]\nplugin = log\n")
    assert lines == ["CONFIG:1: the section's name is longer than 49 bytes; use a shorter one"]


def test_the_longest_section_name_is_taken_whole(panicmon, tmp_path):
    name = "n" * 41
    config = panicmon.config(panicmon.log_section(name, tmp_path / "log"))
    assert panicmon.run(["true"], config=config).status == 0
    assert pm.names(pm.read_events(tmp_path / "log")) == ["process.started", "process.exited"]


@pytest.mark.parametrize("path, why", [
    ("/no/such/folder/log", "there is no folder '/no/such/folder'"),
    ("/proc/self/nothing", "No such file or directory"),
    ("/etc", "is a directory"),
    ("", "path is empty"),
])
def test_log_path_that_cannot_be_written_is_refused(refused, panicmon, path, why):
    lines = refused(panicmon.log_section("log", path))
    assert len(lines) == 1
    assert lines[0].startswith("CONFIG:1: [handler:log] ")
    assert path in lines[0] and why in lines[0]


def test_log_path_that_another_owns_is_refused(panicmon, public_folder):
    """Seen by the one who may not write there."""
    log = public_folder / "log"
    log.write_text("", encoding="utf-8")
    log.chmod(0o444)
    panicmon.path = shutil.copy(panicmon.path, public_folder / "panicmon")
    shutil.copy(panicmon.handler_dir / "log.so", public_folder / "log.so")
    panicmon.handler_dir = public_folder
    config = public_folder / "config.ini"
    config.write_text(f"[handler:log]\npath = {log}\ntrust_path = yes\n", encoding="utf-8")
    done = panicmon.start(["touch", "/tmp/never"], config=config, prefix=as_nobody()).wait()
    if os.geteuid() == 0:
        assert done.status == 125
        assert done.stderr == (f"panicmon: {config}:1: [handler:log] cannot open '{log}' for appending: "
                               "Permission denied\n")


def test_an_included_mistake_names_its_own_file(refused, tmp_path):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    (folder / "b.ini").write_text("[panicmon]\nnmae = x\n", encoding="utf-8")
    lines = refused("[panicmon]\ninclude = conf.d/*.ini\n")
    assert lines == [f"{folder}/b.ini:2: [panicmon] unknown key 'nmae'; did you mean 'name'?"]


def test_the_shipped_configs_are_good(panicmon, tmp_path):
    for name in ("panicmon.ini", "quickstart.ini"):
        done = panicmon.run(["sh", "-c", "exit 6"], config=pm.source_dir() / "conf" / name, cwd=tmp_path, options=[] if pm.is_trusted(
            panicmon.handler_dir) else ["handler:log.trust_path=yes"] + ["handler:file.trust_path=yes"] * (name[0] == "q"))
        assert done.status == 6
        assert "process.exited" in done.stderr or "exited" in done.stderr
    assert pm.names(pm.read_events(tmp_path / "panicmon-events.json")) == ["process.started", "process.exited"]

"""The log to journald: what it sends, as systemd's own programs read it."""
import os
import signal

import pytest

import pm
import receivers

STARTED = "42842c6fe22844218ab26d7eaa7462b4"
EXITED = "972242f7f2ca46a5b218f4cf5ac08b62"


@pytest.fixture
def journal():
    with receivers.short_folder() as folder:
        made = receivers.Journal(folder)
        made.start()
        yield made
        made.stop()


def section(panicmon, journal, **keys):
    config = panicmon.log_section("log", "journald", address=journal.path, **keys)
    return panicmon.config(config.replace("format = json\n", ""))


def test_entries_of_a_run(panicmon, journal):
    done = panicmon.run(["sh", "-c", "exit 3"], config=section(panicmon, journal, facility="local3"), name="api")
    assert done.status == 3, done
    journal.stop()
    started, exited = journal.read()
    assert started["MESSAGE"] == "process.started: running sh -c 'exit 3'"
    assert started["MESSAGE_ID"] == STARTED
    assert started["PRIORITY"] == "6"
    assert started["SYSLOG_IDENTIFIER"] == "api"
    assert started["SYSLOG_FACILITY"] == "19"
    assert started["PANICMON_EVENT"] == "process.started"
    assert started["PANICMON_ARGS"] == "sh -c 'exit 3'"
    assert "EXIT_CODE" not in started
    assert exited["MESSAGE"].startswith("process.exited: code 3 after ")
    assert exited["MESSAGE_ID"] == EXITED
    assert exited["PRIORITY"] == "3"
    assert exited["EXIT_CODE"] == "exited"
    assert exited["EXIT_STATUS"] == "3"
    assert exited["PANICMON_SEQ"] == "2"
    assert exited["PANICMON_RUN"] == started["PANICMON_RUN"]


def test_a_crash_as_systemd_names_it(panicmon, journal):
    panicmon.run(["sh", "-c", "ulimit -c 0; kill -SEGV $$"], config=section(panicmon, journal))
    journal.stop()
    crash = journal.read()[-1]
    assert crash["PRIORITY"] == "2"
    assert crash["EXIT_CODE"] == "killed"
    assert crash["EXIT_STATUS"] == str(int(signal.SIGSEGV))
    assert crash["PANICMON_SIGNAL"] == "SIGSEGV"


def test_a_failed_start_has_its_errno(panicmon, journal):
    assert panicmon.run(["/nowhere/at-all"], config=section(panicmon, journal)).status == 127
    journal.stop()
    failed = journal.read()[-1]
    assert failed["ERRNO"] == "2"
    assert failed["PANICMON_ERRNO"] == "ENOENT"
    assert failed["PRIORITY"] == "3"


def test_a_newline_makes_a_field_binary(panicmon, journal):
    hostile = "a\nPRIORITY=0\nb"
    panicmon.run(["true"], config=section(panicmon, journal), name=hostile)
    journal.stop()
    for raw, entry in zip(journal.entries, journal.read()):
        assert receivers.fields(raw)["SYSLOG_IDENTIFIER"] == [hostile.encode()]
        assert b"SYSLOG_IDENTIFIER\n" + len(hostile).to_bytes(8, "little") + hostile.encode() + b"\n" in raw
        assert entry["SYSLOG_IDENTIFIER"] == hostile
        assert entry["PANICMON_NAME"] == hostile
        assert entry["PRIORITY"] == "6"


def test_more_than_a_datagram_is_a_sealed_memfd(panicmon, journal):
    args = [str(i) * 130000 for i in range(8)]
    panicmon.run(["true", *args], config=section(panicmon, journal))
    journal.stop()
    assert journal.sealed == 2
    for entry in journal.read():
        assert entry["PANICMON_ARGS"] == " ".join(["true", *args])
        assert len(entry["MESSAGE"]) < 1024


@pytest.mark.parametrize("noexec", [1, 2])
def test_a_memfd_where_none_may_be_executed(panicmon, journal, noexec):
    """vm.memfd_noexec, which is of a pid namespace. Journald before 254 takes none with a seal too many."""
    if os.geteuid() != 0 or not os.path.exists("/proc/sys/vm/memfd_noexec"):
        pytest.skip("only root, and Linux 6.3, can set it")
    journal.seals |= receivers.SEAL_EXEC if noexec == 2 else 0
    script = 'echo "$0" >/proc/sys/vm/memfd_noexec || exit 77; "$@"; exit $?'
    done = panicmon.run(["true", *[str(i) * 130000 for i in range(8)]], config=section(panicmon, journal),
                        prefix=["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script, str(noexec)])
    if done.status in (1, 77):
        pytest.skip("no pid namespace can be made here")
    assert done.status == 0, done
    journal.stop()
    assert journal.sealed == 2


def test_hostile_arguments(panicmon, journal):
    panicmon.run(["true", "\x1b[2J\n\x01", "\udcff", "\u00e9\u2028", ""], config=section(panicmon, journal))
    journal.stop()
    for entry in journal.read():
        assert entry["PANICMON_ARGS"] == r"true $'\x1b[2J\n\x01' " + "\ufffd $'\u00e9" + r"\xe2\x80\xa8' ''"
        assert isinstance(entry["MESSAGE"], str)
        assert "\x1b" not in entry["MESSAGE"]


def test_no_journald_is_refused(panicmon, journal):
    config = section(panicmon, journal)
    journal.stop()
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert f"there is no journald here, '{journal.path}' does not exist: use path = stderr, syslog or a file" \
        in done.stderr


def test_a_format_is_refused(panicmon, journal):
    config = panicmon.config(panicmon.log_section("log", "journald", address=journal.path))
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert "format 'json' has no meaning with path = journald" in done.stderr


def test_a_journald_that_is_started_again_gets_all(panicmon, journal, tmp_path):
    run = panicmon.start([pm.tool("sigcount"), "-n", 20, tmp_path / "taken"], config=section(panicmon, journal))
    run.wait_for_stdout("ready")
    pm.wait_until(lambda: len(journal.entries) == 1, what="an entry")
    journal.stop()
    for _ in range(10):
        run.send(signal.SIGRTMIN)
    pm.wait_until(lambda: len(pm.numbers_taken(tmp_path / "taken")) == 10, what="signals without journald")
    pm.wait_until(lambda: "cannot reach journald" in run.stderr, what="a word of it")
    journal.start()
    for _ in range(10):
        run.send(signal.SIGRTMIN)
    run.wait()
    journal.stop()
    seqs = [int(receivers.fields(entry)["PANICMON_SEQ"][0]) for entry in journal.entries]
    assert seqs == list(range(1, 43))
    assert run.stderr.count("cannot reach journald") == 1

/* The process room: taking signals in, passing them on, and dying by one. */
#include <config.h>

#include "test_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/signals.h"

static const pm_sigset never = UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1);

static const int faults[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};

/* valgrind has the last for itself, and does not block what may be a fault: one that is sent just as it enters
 * a system call ends the process. */
static bool is_valgrinds(int signal)
{
	bool its = signal == PM_SIGNAL_MAX;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		its |= signal == faults[i];
	return its && is_under_valgrind();
}

static bool can_be_blocked(int signal)
{
	return !pm_sigset_has(never, signal) && !is_valgrinds(signal);
}

/* Each test runs with all signals blocked, as panicmon does, in a process of Check's. */
static void block_all(void)
{
	pm_sigset_block(~UINT64_C(0), NULL);
}

/* ---- taken and given back ---- */

static bool is_sigchld_ignored(void)
{
	struct sigaction chld;

	sigaction(SIGCHLD, NULL, &chld);
	return chld.sa_handler == SIG_IGN;
}

static const pm_sigset masks[] = {
	0,
	~UINT64_C(0),
	UINT64_C(3) << 31, /* 32 and 33, which sigprocmask(3) leaves out */
	UINT64_C(1) << (SIGCHLD - 1),
	UINT64_C(1) << 63 | 1,
};
enum { MASKS = sizeof(masks) / sizeof(masks[0]) };

START_TEST(take_and_give_back)
{
	struct pm_signals_inherited inherited;
	const pm_sigset mask = masks[_i % MASKS] & ~never;
	const bool ignored = _i >= MASKS;

	pm_sigset_block(mask, NULL);
	signal(SIGCHLD, ignored ? SIG_IGN : SIG_DFL);
	pm_signals_take(&inherited);
	ck_assert_uint_eq(blocked_now(), ~never);
	ck_assert(!is_sigchld_ignored()); /* or there would be nothing to reap */
	ck_assert_uint_eq(inherited.blocked, mask);
	ck_assert_int_eq(inherited.ignored_sigchld, ignored);

	pm_signals_give_back(&inherited);
	ck_assert_uint_eq(blocked_now(), mask);
	ck_assert_int_eq(is_sigchld_ignored(), ignored);
}
END_TEST

START_TEST(other_dispositions_are_left_alone)
{
	struct pm_signals_inherited inherited;
	struct sigaction action;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	pm_signals_take(&inherited);
	sigaction(SIGHUP, NULL, &action);
	ck_assert(action.sa_handler == SIG_IGN);
	sigaction(SIGPIPE, NULL, &action);
	ck_assert(action.sa_handler == SIG_IGN);
	sigaction(SIGUSR2, NULL, &action); /* not one that Check handles itself */
	ck_assert(action.sa_handler == SIG_DFL);
}
END_TEST

/* ---- read from a descriptor ---- */

START_TEST(descriptor_takes_all)
{
	struct signalfd_siginfo info;
	int fd;

	if (is_under_valgrind())
		return; /* it asserts when it is sent a SIGSYS */
	block_all();
	fd = pm_signals_descriptor(~UINT64_C(0));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	for (int signal = 1; signal <= PM_SIGNAL_MAX; signal++) {
		if (!can_be_blocked(signal))
			continue;
		ck_assert_int_eq(kill(getpid(), signal), 0);
		ck_assert_msg(read(fd, &info, sizeof(info)) == sizeof(info), "%d is lost", signal);
		ck_assert_uint_eq(info.ssi_signo, (uint32_t)signal);
	}
	ck_assert_int_eq(read(fd, &info, sizeof(info)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
}
END_TEST

START_TEST(descriptor_takes_only_its_own)
{
	struct signalfd_siginfo info;
	int fd;

	block_all();
	fd = pm_signals_descriptor(pm_sigset_of(33));
	kill(getpid(), 32);
	kill(getpid(), 34);
	ck_assert_int_eq(read(fd, &info, sizeof(info)), -1);
	kill(getpid(), 33);
	ck_assert_int_eq(read(fd, &info, sizeof(info)), sizeof(info));
	ck_assert_uint_eq(info.ssi_signo, 33);
	close(fd);
}
END_TEST

START_TEST(own_signals)
{
	const uint32_t us = (uint32_t)getpid();
	const struct {
		int32_t code;
		uint32_t pid;
		bool own;
	} cases[] = {
		{SI_USER, us, true},    {SI_TKILL, us, true},      {SI_QUEUE, us, true},
		{SI_USER, us + 1, false}, {SI_QUEUE, us + 1, false}, {SI_USER, 0, false},
		{SI_KERNEL, us, false}, {CLD_EXITED, us, false},   {SI_KERNEL, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct signalfd_siginfo info = {
			.ssi_signo = SIGPIPE,
			.ssi_code = cases[i].code,
			.ssi_pid = cases[i].pid,
		};
		ck_assert_int_eq(pm_signal_is_own(&info), cases[i].own);
		/* We never send ourselves this one: it is from before execve(2). */
		info.ssi_signo = SIGUSR1;
		ck_assert(!pm_signal_is_own(&info));
	}
}
END_TEST

/* ---- passed on ---- */

struct receiver {
	pid_t pid;
	int pipe;
};

/* A child that writes each signal it gets into a pipe. All are blocked, from before the fork. */
static struct receiver start_receiver(void)
{
	const pm_sigset all = ~UINT64_C(0);
	siginfo_t info;
	int ends[2];

	block_all();
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	struct receiver receiver = {.pid = fork_child(), .pipe = ends[0]};
	if (receiver.pid == 0) {
		/* The raw one: the C library's leaves out 32 and 33. It fails when it is woken for
		 * another reason. */
		for (;;)
			if (syscall(SYS_rt_sigtimedwait, &all, &info, NULL, sizeof(all)) > 0 &&
			    write(ends[1], &info, sizeof(info)) != sizeof(info))
				_exit(98);
	}
	close(ends[1]);
	return receiver;
}

static void stop_receiver(struct receiver *receiver)
{
	kill(receiver->pid, SIGKILL);
	ck_assert_int_eq(end_of(receiver->pid), -SIGKILL);
	close(receiver->pipe);
}

static siginfo_t received(const struct receiver *receiver)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	if (read(receiver->pipe, &info, sizeof(info)) != sizeof(info))
		ck_abort_msg("its end: %d", end_of(receiver->pid));
	return info;
}

static struct signalfd_siginfo some_signal(int signal, int32_t code)
{
	return (struct signalfd_siginfo){
		.ssi_signo = (uint32_t)signal,
		.ssi_code = code,
		.ssi_pid = 4711,
		.ssi_uid = 1234,
		.ssi_int = -5,
		.ssi_ptr = UINT64_C(0x12345678fffffffb),
		.ssi_tid = 77,
		.ssi_overrun = 3,
	};
}

START_TEST(pass_all_by_kill)
{
	struct receiver receiver = start_receiver();

	for (int signal = 1; signal <= PM_SIGNAL_MAX; signal++) {
		if (!can_be_blocked(signal))
			continue;
		const struct signalfd_siginfo signal_info = some_signal(signal, SI_USER);

		ck_assert_int_eq(pm_signal_pass(&signal_info, (int)signal_info.ssi_signo, receiver.pid), 0);
		const siginfo_t info = received(&receiver);
		ck_assert_int_eq(info.si_signo, signal);
		ck_assert_int_eq(info.si_code, SI_USER);
		ck_assert_int_eq(info.si_pid, getpid()); /* the kernel allows no other */
	}
	stop_receiver(&receiver);
}
END_TEST

START_TEST(pass_with_value)
{
	static const int32_t codes[] = {SI_QUEUE, SI_MESGQ};
	struct receiver receiver = start_receiver();

	for (int signal = 1; signal <= PM_SIGNAL_MAX; signal++) {
		if (!can_be_blocked(signal))
			continue;
		const struct signalfd_siginfo signal_info = some_signal(signal, codes[_i]);

		ck_assert_int_eq(pm_signal_pass(&signal_info, (int)signal_info.ssi_signo, receiver.pid), 0);
		const siginfo_t info = received(&receiver);
		ck_assert_int_eq(info.si_signo, signal);
		ck_assert_int_eq(info.si_code, codes[_i]);
		ck_assert_int_eq(info.si_pid, 4711);
		ck_assert_uint_eq(info.si_uid, 1234);
		ck_assert_uint_eq((uintptr_t)info.si_value.sival_ptr,
				  (uintptr_t)UINT64_C(0x12345678fffffffb));
		ck_assert_int_eq(info.si_value.sival_int, -5);
	}
	stop_receiver(&receiver);
}
END_TEST

START_TEST(pass_of_a_timer)
{
	struct receiver receiver = start_receiver();
	const struct signalfd_siginfo signal_info = some_signal(SIGRTMIN + 2, SI_TIMER);

	ck_assert_int_eq(pm_signal_pass(&signal_info, (int)signal_info.ssi_signo, receiver.pid), 0);
	const siginfo_t info = received(&receiver);
	ck_assert_int_eq(info.si_code, SI_TIMER);
	ck_assert_int_eq(info.si_timerid, 77);
	ck_assert_int_eq(info.si_overrun, 3);
	ck_assert_int_eq(info.si_value.sival_int, -5);
	stop_receiver(&receiver);
}
END_TEST

/* What the kernel lets nobody forge still arrives. */
START_TEST(pass_of_what_cannot_be_forged)
{
	static const int32_t codes[] = {SI_KERNEL, SI_TKILL, CLD_EXITED, SI_ASYNCIO, SI_SIGIO};
	struct receiver receiver = start_receiver();

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const struct signalfd_siginfo signal_info = some_signal(SIGUSR1, codes[i]);

		ck_assert_int_eq(pm_signal_pass(&signal_info, (int)signal_info.ssi_signo, receiver.pid), 0);
		ck_assert_int_eq(received(&receiver).si_code, SI_USER);
	}
	stop_receiver(&receiver);
}
END_TEST

/* The way of a real one: sigqueue(3), a signalfd, passed on. */
START_TEST(pass_what_came_in)
{
	struct receiver receiver = start_receiver();
	const int fd = pm_signals_descriptor(~UINT64_C(0) & ~pm_sigset_of(SIGCHLD));
	const pid_t sender = fork_child();

	if (sender == 0) {
		for (int i = 0; i < 20; i++)
			if (sigqueue(getppid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) < 0)
				_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(end_of(sender), 0);
	for (int i = 0; i < 20; i++) {
		struct signalfd_siginfo signal_info;

		ck_assert_int_eq(read(fd, &signal_info, sizeof(signal_info)), sizeof(signal_info));
		ck_assert(!pm_signal_is_own(&signal_info));
		ck_assert_int_eq(pm_signal_pass(&signal_info, (int)signal_info.ssi_signo, receiver.pid), 0);
		const siginfo_t info = received(&receiver);
		ck_assert_int_eq(info.si_value.sival_int, i);
		ck_assert_int_eq(info.si_pid, sender);
		ck_assert_uint_eq(info.si_uid, getuid());
	}
	close(fd);
	stop_receiver(&receiver);
}
END_TEST

START_TEST(pass_to_nobody)
{
	const struct signalfd_siginfo plain = some_signal(SIGUSR1, SI_USER);
	const struct signalfd_siginfo queued = some_signal(SIGRTMIN, SI_QUEUE);
	const pid_t gone = fork_child();

	if (gone == 0)
		_exit(0);
	ck_assert_int_eq(end_of(gone), 0);
	ck_assert_int_eq(pm_signal_pass(&plain, (int)plain.ssi_signo, gone), ESRCH);
	ck_assert_int_eq(pm_signal_pass(&queued, (int)queued.ssi_signo, gone), ESRCH);
}
END_TEST

START_TEST(pass_to_a_full_queue)
{
	struct receiver receiver = start_receiver();
	const struct signalfd_siginfo queued = some_signal(SIGRTMIN, SI_QUEUE);
	const struct signalfd_siginfo plain = some_signal(SIGTERM, SI_USER);
	struct rlimit limit, none;

	ck_assert_int_eq(prlimit(receiver.pid, RLIMIT_SIGPENDING, NULL, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	ck_assert_int_eq(prlimit(receiver.pid, RLIMIT_SIGPENDING, &none, NULL), 0);
	ck_assert_int_eq(pm_signal_pass(&queued, (int)queued.ssi_signo, receiver.pid), EAGAIN);
	ck_assert_int_eq(pm_signal_pass(&plain, (int)plain.ssi_signo, receiver.pid), 0); /* needs no place in it */
	ck_assert_int_eq(received(&receiver).si_signo, SIGTERM);
	ck_assert_int_eq(prlimit(receiver.pid, RLIMIT_SIGPENDING, &limit, NULL), 0);
	ck_assert_int_eq(pm_signal_pass(&queued, (int)queued.ssi_signo, receiver.pid), 0);
	ck_assert_int_eq(received(&receiver).si_value.sival_int, -5);
	stop_receiver(&receiver);
}
END_TEST

START_TEST(pass_without_permission)
{
	const pid_t pid = fork_child();

	if (pid == 0) {
		/* Number 0 reaches nobody, it only asks. */
		const struct signalfd_siginfo nothing = some_signal(0, SI_USER);

		if (getuid() == 0 && setuid(65534) < 0)
			_exit(1);
		_exit(pm_signal_pass(&nothing, (int)nothing.ssi_signo, 1) == EPERM ? 0 : 2);
	}
	ck_assert_int_eq(end_of(pid), 0);
}
END_TEST

/* ---- died by ---- */

static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGABRT, SIGKILL, SIGSEGV,
			     SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, 34,      64};

static pid_t fork_dying(int signal_number, int pending, sighandler_t disposition)
{
	const pid_t pid = fork_child();

	if (pid != 0)
		return pid;
	struct rlimit cores;

	getrlimit(RLIMIT_CORE, &cores);
	cores.rlim_cur = cores.rlim_max;
	setrlimit(RLIMIT_CORE, &cores);
	block_all();
	if (signal_number != SIGKILL)
		signal(signal_number, disposition);
	if (pending != 0)
		kill(getpid(), pending);
	pm_signal_die_by(signal_number);
	_exit(97);
}

static void assert_died_by(pid_t pid, int signal)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFSIGNALED(status), "exited with %d", WEXITSTATUS(status));
	ck_assert_int_eq(WTERMSIG(status), signal);
	ck_assert(!WCOREDUMP(status));
}

START_TEST(die_by)
{
	if (deadly[_i] == PM_SIGNAL_MAX && is_under_valgrind())
		return;
	assert_died_by(fork_dying(deadly[_i], 0, SIG_DFL), deadly[_i]);
	assert_died_by(fork_dying(deadly[_i], 0, SIG_IGN), deadly[_i]);
}
END_TEST

/* Another signal that has come meanwhile, or SIGPIPE of an own write, is not what ended the command. */
START_TEST(die_by_in_spite_of_others)
{
	assert_died_by(fork_dying(SIGTERM, SIGHUP, SIG_DFL), SIGTERM);
	assert_died_by(fork_dying(SIGTERM, SIGPIPE, SIG_DFL), SIGTERM);
	assert_died_by(fork_dying(SIGINT, SIGTERM, SIG_DFL), SIGINT);
	assert_died_by(fork_dying(63, SIGTERM, SIG_DFL), 63);
}
END_TEST

void add_signal_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "signals", NULL, NULL);

	tcase_add_loop_test(tests, take_and_give_back, 0, 2 * MASKS);
	tcase_add_test(tests, other_dispositions_are_left_alone);
	tcase_add_test(tests, descriptor_takes_all);
	tcase_add_test(tests, descriptor_takes_only_its_own);
	tcase_add_test(tests, own_signals);
	tcase_add_test(tests, pass_all_by_kill);
	tcase_add_loop_test(tests, pass_with_value, 0, 2);
	tcase_add_test(tests, pass_of_a_timer);
	tcase_add_test(tests, pass_of_what_cannot_be_forged);
	tcase_add_test(tests, pass_what_came_in);
	tcase_add_test(tests, pass_to_nobody);
	tcase_add_test(tests, pass_to_a_full_queue);
	tcase_add_test(tests, pass_without_permission);
	tcase_add_loop_test(tests, die_by, 0, sizeof(deadly) / sizeof(deadly[0]));
	tcase_add_test(tests, die_by_in_spite_of_others);
}

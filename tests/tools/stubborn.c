/* stubborn: a command that nothing but SIGKILL and SIGSTOP gets at, nor at its descendants.
 *
 * usage: stubborn DEPTH
 *
 * A chain of DEPTH descendants, each the child of the one before. The last one prints "stubborn" when
 * all are there.
 */
#include "config.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const uint64_t all = ~UINT64_C(0);
	int depth = argc > 1 ? atoi(argv[1]) : 0;

	/* Both: who blocks a signal may unblock it, and 32 and 33 cannot be ignored with signal(2). */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	for (int number = 1; number <= SIGRTMAX; number++)
		signal(number, SIG_IGN);
	while (depth > 0 && fork() == 0)
		depth--;
	if (depth == 0) {
		puts("stubborn");
		fflush(stdout);
	}
	for (;;)
		pause();
}

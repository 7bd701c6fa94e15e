/* Children that become another user, speak into the log and end with us. */
#include "postgres/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum status
refuse(const struct reason *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why->text, why->size, fmt, ap);
	va_end(ap);
	return UNAVAILABLE;
}

void
nap(int64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

/* Threads run by the time of a restart: from here to exec only calls that are safe after fork. */
static void
become_child(const struct spawn *s, pid_t parent)
{
	static char *const environment[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
		NULL };
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null_fd;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &usual, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid(); /* Ctrl-C in our terminal is for us */
	null_fd = open("/dev/null", O_RDONLY);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(s->log_fd, 1) < 0 || dup2(s->log_fd, 2) < 0)
		_exit(126);
	(void)close_range(3, ~0U, 0);
	(void)umask(077);
	if (chdir("/") != 0 || !owner_become(s->owner))
		_exit(126);
	/* after the change of user, which clears it; and the parent may have gone meanwhile */
	if (prctl(PR_SET_PDEATHSIG, s->death_signal) != 0 || getppid() != parent)
		_exit(126);
	(void)execve(s->program, s->argv, environment);
	_exit(127);
}

pid_t
spawn_child(const struct spawn *s)
{
	pid_t parent = getpid();
	sigset_t all, before;
	pid_t pid;

	/* no handler of ours may run in the child */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become_child(s, parent);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int
spawn_wait(pid_t pid, bool (*cancelled)(void))
{
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		if (cancelled != NULL && cancelled()) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, NULL, 0);
			return -1;
		}
		nap(5);
	}
	return status;
}

void
spawn_describe(int wait_status, char *out, size_t size)
{
	if (WIFSIGNALED(wait_status))
		(void)snprintf(out, size, "was killed by signal %d", WTERMSIG(wait_status));
	else
		(void)snprintf(out, size, "ended with code %d", WEXITSTATUS(wait_status));
}

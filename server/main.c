/* cairnd: settings, what holds for the whole process, then the command. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "api/api.h"
#include "base/hash.h"
#include "base/log.h"
#include "commands.h"
#include "config.h"
#include "serve.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_STACK (8 * 1024 * 1024) /* the sanitizer keeps its own there, and no thread starts on less */
#else
#define THREAD_STACK (512 * 1024)
#endif

/* Many threads that allocate little: few arenas, and large pieces go back to the system when freed. */
static void
tune_memory(void)
{
	pthread_attr_t attr;

	(void)mallopt(M_ARENA_MAX, 2);
	(void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 512 * 1024);
	if (pthread_attr_init(&attr) != 0)
		return;
	if (pthread_attr_setstacksize(&attr, THREAD_STACK) == 0)
		(void)pthread_setattr_default_np(&attr);
	(void)pthread_attr_destroy(&attr);
}

/* Before any thread: all inherit that these are the main thread's to wait for. */
static void
block_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, usual = { .sa_handler = SIG_DFL };
	sigset_t mine;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* a shell starts background jobs with SIGINT ignored: then it would never arrive */
	(void)sigaction(SIGTERM, &usual, NULL);
	(void)sigaction(SIGINT, &usual, NULL);
	(void)sigaction(SIGCHLD, &usual, NULL);
	sigemptyset(&mine);
	sigaddset(&mine, SIGTERM);
	sigaddset(&mine, SIGINT);
	sigaddset(&mine, SIGCHLD);
	(void)pthread_sigmask(SIG_BLOCK, &mine, NULL);
}

static void
print_version(void)
{
	(void)printf("cairnd %s\ncompiler: %s\nC library: glibc %d.%d\n", CAIRN_VERSION, __VERSION__,
		__GLIBC__, __GLIBC_MINOR__);
}

static int
tell(const struct config *c)
{
	struct buf text;

	if (c->version) {
		print_version();
		return 0;
	}
	buf_init(&text, 1 << 20);
	if (c->man)
		config_man(&text);
	else
		config_help(&text);
	(void)fputs(text.data, stdout);
	buf_fini(&text);
	return 0;
}

/* For tests and tools: the table, as it is. */
static int
list_routes(void)
{
	static const char *const needs[] = { "", "PUBLIC", "SIGNED_IN", "READ", "EDIT", "MANAGE", "ADMIN" };
	static const char *const modes[] = { "", "INLINE", "WORKER", "SCANNED", "STREAMED", "BINARY" };
	const struct route *routes;
	size_t n;

	routes = api_routes(&n);
	for (size_t i = 0; i < n; i++)
		(void)printf("%s\t%s\t%s\t%s\t%s\t%zu\n", routes[i].method, routes[i].path,
			routes[i].operation, needs[routes[i].needs], modes[routes[i].mode],
			routes[i].body_limit);
	return 0;
}

static int
run(const struct config *c)
{
	if (c->help || c->version || c->man)
		return tell(c);
	if (c->command == COMMAND_ROUTES)
		return list_routes();
	if (!hash_setup()) {
		(void)fprintf(stderr, "cairnd: libsodium does not start: is /dev/urandom there?\n");
		return 1;
	}
	(void)umask(077);
	/* beside serve the answer is what counts; what goes wrong is said anyway */
	log_setup(c->command != COMMAND_SERVE && c->least == LOG_LEVEL_INFO ? LOG_LEVEL_WARN : c->least,
		c->log_json);
	tune_memory();
	block_signals();
	if (c->command == COMMAND_SERVE)
		return serve(c);
	if (c->command == COMMAND_MIGRATE)
		return command_migrate(c);
	return command_account(c);
}

/* Each on a line of its own, as "cairnd: …". */
static void
print_errors(const char *errors)
{
	for (const char *at = errors; *at != '\0';) {
		size_t len = strcspn(at, "\n");

		(void)fprintf(stderr, "cairnd: %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
}

int
main(int argc, char **argv)
{
	struct config config;
	struct buf errors;
	int code = 2;

	buf_init(&errors, 64 * 1024);
	if (config_parse(&config, argc, argv, &errors))
		code = run(&config);
	else
		print_errors(errors.data);
	config_fini(&config);
	buf_fini(&errors);
	if (fflush(stdout) != 0 && code == 0)
		code = 1;
	return code;
}

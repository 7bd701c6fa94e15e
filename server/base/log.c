#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level log_least = LOG_LEVEL_INFO;
static bool log_json;

static const char *const level_name[] = { "debug", "info", "warn", "error" };

void
log_setup(enum log_level least, bool json)
{
	log_least = least;
	log_json = json;
}

/* Control characters out, so that no value can forge a line. */
static void
clean(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

static void
escape(char *out, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n + 3 < size; s++) {
		if (*s == '"' || *s == '\\')
			out[n++] = '\\';
		out[n++] = *s;
	}
	out[n] = '\0';
}

static void
stamp(char out[40])
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, 40 - n, ".%03ldZ", ts.tv_nsec / 1000000);
}

static void __attribute__((format(printf, 3, 0)))
log_line(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	char text[2048], line[4600], when[40];
	int n;

	if (level < log_least)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	clean(text);
	stamp(when);
	if (log_json) {
		char quoted[4096];

		escape(quoted, sizeof(quoted), text);
		n = snprintf(line, sizeof(line),
			"{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"%s\"}\n", when,
			level_name[level], event, quoted);
	} else {
		n = snprintf(line, sizeof(line), "%s %-5s %s %s\n", when, level_name[level], event, text);
	}
	if (n > 0)
		(void)!write(STDERR_FILENO, line, (size_t)n); /* one write: lines of threads do not mix */
}

#define LOG_FUNCTION(name, level)                                                                            \
	void name(const char *event, const char *fmt, ...)                                                   \
	{                                                                                                    \
		va_list ap;                                                                                  \
		va_start(ap, fmt);                                                                           \
		log_line(level, event, fmt, ap);                                                             \
		va_end(ap);                                                                                  \
	}

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)

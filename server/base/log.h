/*
 * The log: one event a line on standard error, key=value or JSON, never a secret.
 *   log_info("ready", "address=%s start_ms=%lld", address, ms);
 * Values with blanks are written in double quotes by the caller's format ("message=\"%s\""); control characters become '?'.
 * Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include "base/status.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

void log_setup(enum log_level least, bool json);
void log_debug(const char *event, const char *fmt, ...) printf_like(2, 3);
void log_info(const char *event, const char *fmt, ...) printf_like(2, 3);
void log_warn(const char *event, const char *fmt, ...) printf_like(2, 3);
void log_error(const char *event, const char *fmt, ...) printf_like(2, 3);

#endif

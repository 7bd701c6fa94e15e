/* cmocka with what it wants included before it, and without its fail(): base/ctx.h has a function of that name. */
#ifndef TESTS_CLIENT_CM_H
#define TESTS_CLIENT_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#undef fail
#undef fail_msg
#define fail_msg(...)                                                                                        \
	do {                                                                                                 \
		print_error(__VA_ARGS__);                                                                    \
		_fail(__FILE__, __LINE__);                                                                   \
	} while (0)

#endif

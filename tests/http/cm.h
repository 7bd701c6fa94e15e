/* cmocka, with the headers it wants before it. */
#ifndef TESTS_HTTP_CM_H
#define TESTS_HTTP_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif

/* cairnd serve: start things in order, wait, stop them in reverse. */
#ifndef SERVE_H
#define SERVE_H

#include "config.h"

int serve(const struct config *c); /* exit code */

#endif

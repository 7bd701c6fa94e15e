/* The listening socket. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stddef.h>
#include <stdint.h>

/* -1 with a sentence: the port is in use, the address is not of this machine, … */
int listen_open(const char *address, uint16_t port, char *error, size_t error_size);
uint16_t listen_port(int fd);

#endif

#include "secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/box.h"
#include "base/hash.h"

#define DIGITS (2 * BOX_KEY_BYTES)

static enum status
make(const struct data *d, char *error, size_t error_size)
{
	char text[DIGITS + 2];
	enum status st;

	random_hex(text, BOX_KEY_BYTES);
	text[DIGITS] = '\n';
	text[DIGITS + 1] = '\0';
	st = data_write(d, "secret-key", text, 0600, error, error_size);
	wipe(text, sizeof(text));
	return st;
}

static enum status
read_key(int fd, const char *path, struct box **out, char *error, size_t error_size)
{
	char text[DIGITS + 3] = "";
	uint8_t key[BOX_KEY_BYTES];
	struct stat st;
	bool good;

	if (fstat(fd, &st) != 0 || (st.st_mode & S_IRWXO) != 0) {
		(void)snprintf(error, error_size, "everybody may read the key file %s: chmod 600 it", path);
		return INVALID;
	}
	good = read(fd, text, sizeof(text) - 1) >= DIGITS;
	text[strcspn(text, "\r\n")] = '\0';
	if ((good = good && hex_decode(key, sizeof(key), text)))
		*out = box_new(key);
	else
		(void)snprintf(error, error_size,
			"the key file %s does not hold 64 hex digits and nothing else", path);
	wipe(text, sizeof(text));
	wipe(key, sizeof(key));
	return good ? OK : INVALID;
}

enum status
secret_key_open(const struct data *d, const char *file, struct box **out, char *error, size_t error_size)
{
	char path[PATH_MAX + 16];
	enum status st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/secret-key", d->path);
	if (file == NULL && access(path, F_OK) != 0 && (st = make(d, error, error_size)) != OK)
		return st;
	if (file == NULL)
		file = path;
	if ((fd = open(file, O_RDONLY | O_CLOEXEC)) < 0) {
		(void)snprintf(
			error, error_size, "the key file %s cannot be read: %s", file, strerror(errno));
		return UNAVAILABLE;
	}
	st = read_key(fd, file, out, error, error_size);
	close(fd);
	return st;
}

/* The web UI's files in memory: embedded by the build (web/build.mjs writes the table), or read from a folder. */
#ifndef API_WEB_FILES_H
#define API_WEB_FILES_H

#include <stddef.h>

struct web_bytes {
	const unsigned char *data; /* NULL: this form does not exist */
	size_t len;
};

struct web_file {
	const char *path; /* "/index.html", "/assets/app-3F2A.js" */
	const char *type; /* Content-Type */
	const char *etag; /* of the plain form, with its quotes */
	struct web_bytes plain, br, gzip;
};

extern const struct web_file web_files[];
extern const size_t web_file_count; /* 0: built without the web UI */

#endif

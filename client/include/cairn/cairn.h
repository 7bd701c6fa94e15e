/*
 * libcairn: log training runs to a Cairn server from C or C++, and fetch registered models.
 *
 *	cairn_client *client;
 *	cairn_run *run;
 *
 *	cairn_open(NULL, &client);                       // address and user from the environment
 *	cairn_run_start(client, &(cairn_run_options){ .experiment = "mnist" }, &run);
 *	for (step = 0; step < steps; step++)
 *		cairn_run_metric(run, "loss", loss, step);     // never blocks
 *	cairn_run_end(run, CAIRN_FINISHED);
 *	cairn_run_free(run);
 *	cairn_close(client);
 *
 * Rules that hold for every function
 *
 * Results. A function that can fail returns an int: CAIRN_OK (0), or one of the codes below, which are also the
 * exit codes of the program cairn. The sentence that says what went wrong is kept on the handle:
 * cairn_client_error() and cairn_run_error() copy it out. A training program may ignore every result of the
 * functions that take a cairn_run: a server that is away, slow or refusing never makes them fail harder
 * than by a code, and passing NULL for a run makes them return CAIRN_EINVAL.
 *
 * Text is NUL-terminated UTF-8, borrowed for the call. Times are milliseconds since 1970 in UTC (unix_ms).
 * Sizes are bytes.
 *
 * Threads. Handles may be used from any thread, by several at once; only the call that frees a handle must be
 * its last. The sentence on a handle is that of the last failure on any thread.
 *
 * What the library does to your process: it calls curl_global_init() once; each run has one thread, which has all
 * signals blocked. It installs no signal handlers, never calls exit(), never changes the locale, and
 * writes nothing to standard output or standard error. Two things end the process: a bug found by an assertion, and a
 * request for a small piece of memory that the system refuses.
 *
 * fork(). The child has none of the library's threads. It may open handles of its own; every function given
 * a handle of the parent returns CAIRN_EINVAL in the child and does nothing, the freeing ones included.
 */
#ifndef CAIRN_CAIRN_H
#define CAIRN_CAIRN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CAIRN_API __attribute__((visibility("default")))
#else
#define CAIRN_API
#endif

/* ---- results ---- */

enum {
	CAIRN_OK = 0,
	CAIRN_EINTERNAL = 1, /* a bug, or an answer that makes no sense */
	CAIRN_EINVAL = 2,    /* an argument or a setting is wrong, or the server says so */
	CAIRN_ENOTFOUND = 3, /* no such run, model, alias, version or file */
	CAIRN_EDENIED = 4,   /* not signed in, or not allowed */
	CAIRN_ENETWORK = 5,  /* the server was not reached or failed, after the retries */
	CAIRN_EINTEGRITY =
		6,         /* size or SHA-256 are not as promised, or a manifest that is not safe to write */
	CAIRN_EPOLICY = 7, /* refused by a rule of the deploying side */
	CAIRN_ECONFLICT = 8,     /* it exists already, something else holds it, or a queue is full */
	CAIRN_EIO = 9,           /* this machine: disk full, permissions */
	CAIRN_ETIMEOUT = 14,     /* the time given was not enough */
	CAIRN_EINTERRUPTED = 130 /* cancelled by cairn_options.cancel */
};

/* The sentence for a code when there is no handle to ask. Static, never NULL. */
CAIRN_API const char *cairn_code_text(int code);
/* The version of the library, as "0.1.0". Static. */
CAIRN_API const char *cairn_version(void);

/* ---- the client ---- */

typedef struct cairn_client cairn_client;
typedef struct cairn_run cairn_run;

enum cairn_drop {
	CAIRN_DROP_OLDEST =
		0, /* a full queue forgets its oldest point: the latest values are right, the curve has a gap */
	CAIRN_DROP_NEWEST = 1 /* a full queue refuses the new point */
};

/*
 * Zero everywhere is right: fill what you need. NULL address: CAIRN_TRACKING_URI, else MLFLOW_TRACKING_URI.
 * When neither token nor username is given, the first of these counts: CAIRN_TOKEN; MLFLOW_TRACKING_USERNAME with
 * MLFLOW_TRACKING_PASSWORD; MLFLOW_TRACKING_TOKEN; nothing (a server without sign-in).
 */
typedef struct cairn_options {
	const char *address; /* "http://127.0.0.1:5000"; http and https, a path in front of the API is fine */
	const char *username; /* with password: HTTP Basic */
	const char *password;
	const char *token;          /* "cairn_…": a bearer token; wins over username */
	const char *ca_file;        /* PEM file to trust instead of the system's; NULL: the system's */
	int64_t connect_timeout_ms; /* 0: 5000 */
	int64_t request_timeout_ms; /* one try of a request, transfers of files aside; 0: 30000 */
	int64_t retry_ms; /* how long a blocking call goes on trying while the server is away; 0: 30000; -1: one try */
	int64_t end_timeout_ms; /* how long cairn_run_end() waits for what is queued; 0: 60000 */
	uint32_t queue_points;  /* room for points, per run; 0: 65536 (2 MiB of memory once used) */
	enum cairn_drop drop;   /* what a full queue does */
	/* Told about the sender: server away, server back, points refused. One sentence; called on the run's
	   thread, with nothing locked; must not call back into the library. NULL: nobody. */
	void (*notice)(void *arg, const char *sentence);
	void *notice_arg;
	/* Blocking calls stop with CAIRN_EINTERRUPTED, within about a second, once this is not zero. NULL: never.
	   Must live as long as the client; may be written by a signal handler. */
	const volatile int *cancel;
} cairn_options;

/*
 * A client for one server. Makes no connection yet. options may be NULL.
 * Fails with CAIRN_EINVAL when the address is missing or malformed. *out is a handle even then, so that its sentence can be
 * read, and must be closed; it is NULL only without memory (CAIRN_EINTERNAL).
 */
CAIRN_API int cairn_open(const cairn_options *options, cairn_client **out);
/* Free the runs first. NULL is fine. */
CAIRN_API void cairn_close(cairn_client *client);
/* Copies the sentence of the last failure ("" when there was none) and returns its code. size 0 copies nothing. */
CAIRN_API int cairn_client_error(cairn_client *client, char *message, size_t size);
/* The server's address without user and password; lives as long as the client. */
CAIRN_API const char *cairn_client_address(const cairn_client *client);

typedef struct cairn_server {
	char version[64]; /* of the server */
	int64_t uptime_ms;
	char database[64]; /* version of PostgreSQL */
	int sign_in;       /* 1: the server wants to know who is calling */
	char user[1024];   /* who the caller is; "" without sign-in */
	int is_admin;
} cairn_server;

/* Ask the server about itself and about the caller. Blocks. CAIRN_EDENIED when the credentials are not accepted. */
CAIRN_API int cairn_server_status(cairn_client *client, cairn_server *out);

/* ---- experiments ---- */

#define CAIRN_ID_SIZE 72 /* room for an experiment's or run's id with its NUL */

/* The id of the experiment of that name, made when there is none. Blocks. CAIRN_EINVAL: the name is not allowed, or deleted. */
CAIRN_API int cairn_experiment(cairn_client *client, const char *name, char id[CAIRN_ID_SIZE]);

/* ---- runs ---- */

typedef struct cairn_pair {
	const char *key;
	const char *value;
} cairn_pair;

typedef struct cairn_run_options {
	const char *experiment;    /* by name, made when there is none; NULL: "Default" */
	const char *experiment_id; /* or by id; wins */
	const char *name;          /* NULL: the server makes one */
	const cairn_pair *params;  /* at most 100 a request are sent; any number here */
	size_t param_count;
	const cairn_pair *tags;
	size_t tag_count;
	int64_t start_unix_ms; /* 0: now */
} cairn_run_options;

enum cairn_run_status { CAIRN_FINISHED = 1, CAIRN_FAILED = 2, CAIRN_KILLED = 3 };

/*
 * Start a run: blocks until the server has made it, at most retry_ms. Parameters and tags are then queued. When the answer to
 * a request is lost and it is tried again, a second, empty run may be left on the server.
 * *out is NULL on failure; the sentence is the client's. The client must outlive the run.
 */
CAIRN_API int cairn_run_start(cairn_client *client, const cairn_run_options *options, cairn_run **out);
/* Go on with a run that exists, whatever its status; blocks. CAIRN_ENOTFOUND: none of that id. */
CAIRN_API int cairn_run_resume(cairn_client *client, const char *run_id, cairn_run **out);
/* Stops the thread and gives up what is still queued; the run's status on the server stays. NULL is fine. */
CAIRN_API void cairn_run_free(cairn_run *run);
/* Live as long as the run; never NULL, "" for a NULL run. */
CAIRN_API const char *cairn_run_id(const cairn_run *run);
CAIRN_API const char *cairn_run_experiment_id(const cairn_run *run);
/* As cairn_client_error(), for the run. */
CAIRN_API int cairn_run_error(cairn_run *run, char *message, size_t size);

/*
 * Queue one point: key up to 250 characters (letters, digits, _ - . / : and blank), any double, NaN and infinities
 * included; step counts whatever you count. The time is now. Never blocks: it takes a lock that is held for microseconds, and
 * no memory, except for a key's first use. The point is on the server for good once it counts as `sent` in the stats.
 * CAIRN_EINVAL: the key is not allowed. CAIRN_ECONFLICT: the queue is full and drops the newest. Both count as dropped.
 */
CAIRN_API int cairn_run_metric(cairn_run *run, const char *key, double value, int64_t step);
/* The same, with the time at which it was measured (not negative). */
CAIRN_API int cairn_run_metric_at(
	cairn_run *run, const char *key, double value, int64_t step, int64_t unix_ms);

/*
 * Queue a parameter (set once; another value for the same key is refused by the server and counts as dropped), or a tag
 * (may be set again). Values: up to 6000 and 8000 characters. Never block. CAIRN_ECONFLICT: more than 10000 are waiting.
 */
CAIRN_API int cairn_run_param(cairn_run *run, const char *key, const char *value);
CAIRN_API int cairn_run_tag(cairn_run *run, const char *key, const char *value);

/*
 * Upload a file, or a folder with all that is in it. artifact_path is where it goes under the run's artifacts: the file's own
 * path there, or the folder's; NULL: the last part of local_path. For a folder "" means the top.
 * Blocks; streams, so memory does not grow with the file. Retries as any blocking call; a file begins anew each time.
 * CAIRN_EIO: it cannot be read, or changed while it was read. CAIRN_EINVAL: not a file or folder, or a path the server refuses.
 * Links to files are followed, links to folders are refused.
 */
CAIRN_API int cairn_run_artifact(cairn_run *run, const char *local_path, const char *artifact_path);

/*
 * Wait until everything queued before the call is on the server, at most timeout_ms (-1: end_timeout_ms).
 * CAIRN_OK: it is, and nothing was lost since the run was started. CAIRN_ETIMEOUT: not yet; the sender goes on.
 * Any other code: all was dealt with, but some of it was refused or dropped; the sentence says why, the stats how many.
 */
CAIRN_API int cairn_run_flush(cairn_run *run, int64_t timeout_ms);

/*
 * Flush, then set the run's status and end time on the server. Waits at most end_timeout_ms in all; then it gives up with
 * CAIRN_ETIMEOUT or CAIRN_ENETWORK and may be called again. Results as for flush: after a code that tells of lost points
 * the status is set nevertheless. The run can still be used, and ended again, until it is freed.
 */
CAIRN_API int cairn_run_end(cairn_run *run, enum cairn_run_status status);

typedef struct cairn_run_counts {
	uint64_t queued;      /* accepted and not yet dealt with: points, parameters and tags */
	uint64_t sent;        /* acknowledged by the server */
	uint64_t dropped;     /* lost: queue full, key not allowed, or refused by the server */
	uint64_t requests;    /* tries, the failed ones included */
	uint64_t retries;     /* tries that failed and were repeated */
	int last_code;        /* of the last failure of the sender; CAIRN_OK: none so far */
	char last_error[512]; /* its sentence */
} cairn_run_counts;

/* sent + dropped + queued is what was logged. Never blocks. A NULL run gives zeros. */
CAIRN_API void cairn_run_stats(cairn_run *run, cairn_run_counts *out);

/* ---- models ---- */

/*
 * Register what lies under artifact_path of the run's artifacts as the next version of model `name`, which is made when
 * there is none. Blocks. *version gets its number (1, 2, …). The error sits on the run.
 */
CAIRN_API int cairn_model_register(
	cairn_run *run, const char *name, const char *artifact_path, int64_t *version);
/* Make alias point at the version; it moves if it pointed elsewhere. Blocks. */
CAIRN_API int cairn_model_alias(cairn_client *client, const char *name, const char *alias, int64_t version);

typedef struct cairn_ref {
	char model[1028];
	char alias[1028]; /* "" when asked for by version */
	int64_t version;
	int64_t generation; /* how often the alias moved; 0 when asked for by version */
	char digest[72];    /* "sha256:" and 64 digits: the SHA-256 of the version's manifest, its identity */
	int64_t size;       /* of all files together */
	int64_t files;
} cairn_ref;

/*
 * Which version is meant: "name@alias" or "name@17". One request. What follows should use *out, whose version
 * never changes, while the alias may move at any time. CAIRN_EINVAL: not of that form.
 */
CAIRN_API int cairn_resolve(cairn_client *client, const char *reference, cairn_ref *out);

enum { CAIRN_PULL_REPLACE = 1 }; /* another version in the directory is replaced in one step */

typedef struct cairn_pull_options {
	unsigned flags;
	/* Told as bytes come in: done of total bytes; on the calling thread. NULL: nobody. */
	void (*progress)(void *arg, int64_t done, int64_t total);
	void *progress_arg;
} cairn_pull_options;

typedef struct cairn_pull_result {
	int changed;           /* 0: the directory held this version already, and nothing was done */
	int64_t bytes_fetched; /* over the network */
	int64_t bytes_reused;  /* left by an earlier try */
	int64_t files;
} cairn_pull_result;

/*
 * Fetch the files of a resolved version into `directory`, which appears whole and verified or not at all.
 * Checks: the manifest against ref->digest; its paths (relative, no "..", no control characters, none that differ only
 * in case); the size and SHA-256 of every file. Files are written to a hidden directory beside `directory`, synced, and
 * renamed in one step; after a failure it stays, so that the next try goes on where this one stopped.
 * A file .cairn.json inside says which version it is. When the directory exists: with the same digest, nothing is done;
 * otherwise CAIRN_ECONFLICT, unless CAIRN_PULL_REPLACE is set: then the two are exchanged and the old one is removed.
 * CAIRN_ECONFLICT too when another process is pulling the same version to the same place.
 * options and result may be NULL. The folder in which `directory` lies must exist.
 */
CAIRN_API int cairn_pull(cairn_client *client, const cairn_ref *ref, const char *directory,
	const cairn_pull_options *options, cairn_pull_result *result);

#ifdef __cplusplus
}
#endif

#endif

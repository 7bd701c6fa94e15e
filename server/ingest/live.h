/*
 * Who watches series as they grow. One thread follows the feed of changed runs (store/changes.h) while somebody watches, four times a
 * second, reads what is new in the runs that changed (ingest/news.h), and hands it to the watches. What any server of the database
 * committed is seen by the next look of each.
 *
 * A watch is entered, then started; from then on its sink is called on the feeder's thread, until one of its calls says that it is
 * over, or live_stop().
 */
#ifndef INGEST_LIVE_H
#define INGEST_LIVE_H

#include "ingest/ingest.h"

struct live;
struct watch;

struct live_options {
	size_t most;          /* watches at once */
	size_t most_of_owner; /* and of one owner */
};
struct live *live_start(const struct parts *parts, const struct live_options *options);
/* Closes what is watched still. NULL is fine. */
void live_stop(struct live *l);

struct live_run {
	int64_t run_id, experiment_id;
	const char *uuid;
};
struct live_in {
	const char *owner; /* a user, or an address */
	const struct live_run *runs;
	size_t run_count;
	const char *const *keys;
	size_t key_count;
	const char *cursor; /* what came since (ingest/cursor.h); NULL: from now on */
};

struct live_series {
	const char *uuid;
	const char *key;
	const struct sample *samples; /* stored order */
	size_t n;
};
/* One of these may be empty. */
struct live_event {
	const char
		*cursor; /* who goes on from here misses nothing of this event and gets nothing of it again */
	const struct live_series *series;
	size_t n;
	const char *const *
		reset; /* uuids of runs that are to be read anew: compaction moved their points, or there are too many */
	size_t reset_count;
};

enum live_reply {
	LIVE_GOES_ON,
	LIVE_FULL, /* not taken: the watch has fallen behind, and all its runs are to be read anew as soon as it has room */
	LIVE_OVER,
};
/* On the feeder's thread: they must not wait for the watcher. The event is lent for the call. */
struct live_sink {
	enum live_reply (*event)(void *arg, const struct live_event *e);
	/* Each second, whether PostgreSQL answers or not. All up to `cursor` was given; NULL: not begun yet. */
	enum live_reply (*tick)(void *arg, const char *cursor);
	void (*closed)(void *arg); /* the last call */
};

/* Copied. INVALID for a cursor that is none; TOO_MANY over the limits. */
enum status live_enter(
	struct live *l, struct ctx *cx, const struct live_in *in, struct watch **out) must_check;
void live_watch(struct live *l, struct watch *w, const struct live_sink *sink, void *arg);
void live_leave(struct live *l, struct watch *w); /* instead of live_watch() */

#endif

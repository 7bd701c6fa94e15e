/* What the server says about itself and about the caller. */
#include "base/str.h"
#include "lib/lib.h"

static void
read_server(const struct json *reply, cairn_server *out)
{
	const struct json *database = json_member(reply, "database"), *user = json_member(reply, "user"),
			  *auth = json_member(reply, "auth"), *uptime = json_member(reply, "uptime_ms"),
			  *admin;

	*out = (cairn_server){ 0 };
	str_copy(out->version, sizeof(out->version), text_or_empty(reply, "version"));
	str_copy(out->database, sizeof(out->database), text_or_empty(database, "version"));
	out->uptime_ms = uptime == NULL ? 0 : json_int64(uptime);
	out->sign_in = auth == NULL || json_truth(auth);
	if (user == NULL || json_kind(user) != JSON_KIND_OBJECT)
		return;
	str_copy(out->user, sizeof(out->user), text_or_empty(user, "username"));
	admin = json_member(user, "is_admin");
	out->is_admin = admin != NULL && json_truth(admin);
}

static int
ask(struct call *k, cairn_server *out)
{
	const struct json *reply;
	const char *version;
	int rc = call_json(k, "GET", "/api/v1/status", &reply, NULL);

	if (rc != CAIRN_OK || (rc = reply_text(k, reply, "version", &version)) != CAIRN_OK)
		return rc;
	read_server(reply, out);
	return CAIRN_OK;
}

int
cairn_server_status(cairn_client *c, cairn_server *out)
{
	struct call k;

	if (!client_usable(c) || out == NULL)
		return CAIRN_EINVAL;
	call_init(&k, c);
	return call_end(&k, ask(&k, out), NULL);
}

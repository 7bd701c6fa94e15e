"""
What is meant to differ from MLflow 3.17.2, and why. One row: name, reason, and a function that knows such an exchange.
A row that is wider than its reason would hide faults: keep them narrow.
"""

import json
import re
import urllib.parse


def _text(x):
    """The request, as it is written in the sequences."""
    return x.path + " " + json.dumps(x.body, ensure_ascii=False)


def _filter(x):
    """The filter of a search, as its grammar sees it."""
    if isinstance(x.body, dict):
        return str(x.body.get("filter", ""))
    return urllib.parse.parse_qs(urllib.parse.urlsplit(x.path).query).get("filter", [""])[0]


def _repeats(x, name):
    """Does the query say the same of this name twice?"""
    values = urllib.parse.parse_qs(urllib.parse.urlsplit(x.path).query).get(name, [])
    return len(values) != len(set(values))


def _refused(x, *texts):
    """Taken there, refused here, with one of these sentences."""
    return x.theirs.status == 200 and x.ours.status == 400 and any(t in x.ours.message for t in texts)


def _taken(x, *texts):
    """Taken here, refused there, with one of these sentences."""
    return x.theirs.status in (400, 404) and x.ours.status == 200 and any(t in x.theirs.message for t in texts)


def _raw_sql(x):
    """The database's own words are the answer there."""
    return x.theirs.code == "BAD_REQUEST" and re.search(r"\((sqlite3|psycopg2\.errors)\.", x.theirs.message) is not None


def _both_refuse(x):
    return 400 <= x.theirs.status < 500 and 400 <= x.ours.status < 500


def _only(x, *patterns):
    """Every difference is of one of these."""
    return x.differences and all(any(re.match(p, d) for p in patterns) for d in x.differences)


def _to(x, *operations):
    return any(re.fullmatch(o, x.operation) for o in operations)


# Each of these knows one kind; the first that does gives its name.
ROWS = [
    ("5xx there", "a user's mistake is a 4xx here: clients retry a 5xx for minutes",
     lambda x: (x.theirs.status >= 500 or x.theirs.status == 0) and 400 <= x.ours.status < 500),
    ("null as absent", "null is no value, as proto3 says; a 500 there",
     lambda x: x.theirs.status == 500 and x.ours.status == 200 and "null" in _text(x)),
    ("types", "a value of a wrong type is refused; there the rest of the body is silently dropped",
     lambda x: _refused(x, "supplied: expected", "too big", "expected text") or x.note.startswith("type") and _refused(x, "Missing value for required parameter")),
    ("required members", "what the protocol's definitions call required is: a data set's name, digest and source, a model's id, a search's experiments",
     lambda x: _to(x, "POST runs/(log-inputs|outputs)", "POST logged-models/search") and _refused(x, "Missing value for required parameter")),
    ("types of enums", "\"READY\" is LOGGED_MODEL_READY; there it is no status at all",
     lambda x: x.sequence == "logged_models.changes" and _only(x, r"model.info.status: \"LOGGED_MODEL_STATUS_UNSPECIFIED\" there, \"LOGGED_MODEL_READY\"")),
    ("nan", "\"nan\" is NaN; there it loses the value and the time",
     lambda x: x.sequence == "metrics.values" and _only(x, r".*metrics\[\d\].value: 0.0 there, \"NaN\" here", r".*timestamp: 0 there")),
    ("raw SQL errors", "where the database's own error is the answer there (BAD_REQUEST), the right code is here, or the last of two counts",
     lambda x: _raw_sql(x) and (_both_refuse(x) or "twice" in x.note or "again" in x.note or "runName" in _text(x))),
    ("tags twice in experiments/create", "the last one counts; there it reads as if the name were taken",
     lambda x: _to(x, "POST experiments/create") and x.note == "twice"),
    ("new line at the end of a key", "Python's $ lets it through",
     lambda x: "\\n\"" in _text(x) and _refused(x, "may only contain")),
    ("step \"\"", "an empty text is the default, 0",
     lambda x: x.theirs.status == 400 and x.ours.status == 200 and "Invalid value \"\" for parameter 'step'" in x.theirs.message),
    ("column widths", "limits are the same with every client and stated; there they are those of the database, if it has any (sqlite has none, PostgreSQL answers with raw SQL)",
     lambda x: _refused(x, "exceeds the maximum length") or _both_refuse(x) and "exceeds the maximum length" in x.ours.message
     or _raw_sql(x) and "value too long for type character varying" in x.theirs.message and x.ours.status == 200
     or x.note.endswith(("8001", "251")) and _to(x, "POST runs/(create|update)") or len(_text(x)) > 8000 and "run_name" in _text(x)
     or x.sequence == "runs.names" and _only(x, r"run.*\(8003 characters\) there")),
    ("experiment ids", "digits alone, and answered as they are stored; Python's int() takes blanks, signs and other scripts' digits",
     lambda x: "must be a valid integer" in x.ours.message or _only(x, r"run.info.experiment_id: \"00\" there")),
    ("version numbers", "digits alone, as above",
     lambda x: re.search(r"must be an integer, got '[ +٣\d]+ ?'", x.ours.message) is not None),
    ("run ids", "an id that no run can have is either not found or refused, there as here, but not for the same calls",
     lambda x: _both_refuse(x) and _to(x, "POST runs/.*") and re.search(r"\"run_id\": \"(a b|é|x{257,}|)\"|\"run_uuid\"", _text(x)) is not None),
    ("run_uuid", "taken for run_id by every call", lambda x: "run_uuid" in _text(x) and _taken(x, "run_id")),
    ("camelCase", "taken for every field; there not for required ones", lambda x: re.search(r"runId|experimentId", _text(x)) is not None and _taken(x, "Missing value for required")),
    ("model_id in the body", "the path says it already", lambda x: x.note == "no model_id" and _taken(x, "'model_id'")),
    ("page tokens", "they name a row, not an offset, and are made here alone",
     lambda x: "page token" in x.ours.message and x.ours.status == 400 and x.theirs.status in (200, 400)),
    ("max_results of 0", "refused: there it hands out an endless page token, or everything",
     lambda x: _refused(x, "must be a positive integer", "expected 1 to 25000", "must be between 1 and 1000")),
    ("JSON", "RFC 8259: UTF-8 without a byte order mark, no NUL, no bare NaN, no integers beyond 64 bits; the sentence says where",
     lambda x: 400 <= x.ours.status < 500 and x.ours.code == "BAD_REQUEST" and ("not valid JSON" in x.ours.message or "must be a JSON object" in x.ours.message) and x.theirs.status in (200, 400, 404)),
    ("content types", "the same refusal with another code; names of types know no case",
     lambda x: "Content-Type" in x.theirs.message and (x.ours.code == "BAD_REQUEST" or "APPLICATION/JSON" in x.note)),
    ("places of artifacts", "what Cairn keeps lies where it decides, and a folder of the server is no place for a client",
     lambda x: _refused(x, "lies inside Cairn", "must not hold '#' or ';'") or x.sequence == "experiments.locations" and all("relative" in d or "../x" in d for d in x.differences)),
    ("aliases in lists", "a version names its aliases wherever it is shown",
     lambda x: _only(x, r".*(latest_versions|model_versions)\[\d+\]\.aliases: absent there")),
    ("a version's logged model", "named wherever the version is shown", lambda x: _only(x, r".*model_id: absent there", r".*\.aliases: absent there")),
    ("a logged model's registrations", "told by it, as the protocol's definition says", lambda x: _only(x, r"model.info.registrations: absent there")),
    ("download URIs of runs:/ sources", "resolved: one request less for the client", lambda x: _to(x, "GET model-versions/get-download-uri") and _only(x, r"artifact_uri: \"runs:/")),
    ("answers to PUT", "an empty object instead of nothing: both are read as success",
     lambda x: x.method == "PUT" and x.theirs.raw == b"" and x.ours.raw == b"{}"),
    ("names of files", "also percent-encoded, by RFC 6266; what a browser would run is sent as bytes",
     lambda x: _only(x, r"header content-disposition: 'attachment; filename", r"header content-type: '(text/html|image/svg\+xml|text/plain|application/\S+|text/\S+)' there") and x.theirs.raw == x.ours.raw),
    ("an unknown model and a bad source", "both are wrong; which is said first differs",
     lambda x: _to(x, "POST model-versions/create") and _both_refuse(x) and ("m-0000" in _text(x) or "⟧/x" in _text(x))),
    ("schemes", "a client may keep its files where it can reach them: the server never connects there",
     lambda x: _taken(x, "scheme addresses a host other than", "Invalid model version source: 'unknown://x'")),
    ("a logged model's metrics", "the latest of each key, run and data set; there every point that was ever logged",
     lambda x: x.sequence == "metrics.of_models" and _only(x, r"model.data.metrics: \d elements there, \d here")
     or x.sequence.startswith("generated") and _only(x, r"model(s\[\d+\])?.data.metrics: \d+ elements there, \d+ here")),
    ("a run named twice", "its samples come once; there once for each time it is named",
     lambda x: _to(x, "GET metrics/get-history-bulk-interval") and _only(x, r"metrics: \d+ elements there") and _repeats(x, "run_ids")),
    ("get-artifact without a run", "a missing parameter; there the run \"None\" is not found", lambda x: x.path.startswith("/get-artifact?path=") and _both_refuse(x)),
    ("a logged model that is not there", "the run's metric is kept; a raw SQL error there",
     lambda x: re.search("(?i)foreign key", x.theirs.message) and x.ours.status == 200 and "model_id" in _text(x)),
    ("blank names", "not found, or refused", lambda x: _both_refuse(x) and ("%E2%80%A8" in x.path or "%C2%A0" in x.path or "\u2028" in _text(x))),
    ("booleans in a query", "a strict 400", lambda x: _both_refuse(x) and "allow_deleted=x" in x.path),
    ("paths", "shown as they are stored, without \"./\" and \"//\"; backslashes, control characters and malformed escapes are refused, for the sake of Windows clients",
     lambda x: x.sequence.startswith("artifacts.") and (
         _only(x, r"files\[\d+\]\.path: \"(\./|dir//deep)", r"files\[\d+\].file_size: absent there, 0 here")
         or x.ours.status == 400 and x.theirs.status in (200, 308, 404) and ("Invalid path" in x.ours.message or "malformed escape" in x.ours.message)
         or "//b" in x.path and x.theirs.status == 500 and x.ours.status == 200)),
    ("the root of all artifacts", "a listing, with and without the slash at its end", lambda x: x.path == "/api/2.0/mlflow-artifacts/artifacts/" and x.method == "GET"),
    ("a file's path that is missing", "a missing parameter like all others", lambda x: "artifact_file_path" in x.ours.message and x.theirs.code == "BAD_REQUEST"),
    ("methods and slashes", "no route answers OPTIONS, none has two slashes",
     lambda x: x.method == "OPTIONS" and x.ours.status == 405 or "mlflow//" in x.path and x.ours.status == 404),
    ("LIKE with a backslash", "it takes the next character as it is, as PostgreSQL does; sqlite knows no escape",
     lambda x: x.sequence.startswith("generated") and re.search(r"(?i)like ['\"][^'\"]*\\", _filter(x)) is not None),
    ("sizes", "an empty file's is 0, not absent", lambda x: _only(x, r"files\[\d+\].file_size: absent there, 0 here")),
    ("errors of the file routes", "the same status, in the protocol's form", lambda x: _both_refuse(x) and x.theirs.status == x.ours.status and x.theirs.code is None),
    ("server-info", "nothing of the gateway", lambda x: "server-info" in x.path and _only(x, "features_enabled", "presigned_upload")),
    ("other features", "traces are not Cairn's: a fast 404", lambda x: x.ours.status == 404 and x.ours.json is None and "traces" in x.path),
    ("a slip in a filter", "what can match nothing there is said to be wrong here (server/search/README.md)",
     lambda x: x.sequence.startswith("generated") and x.ours.status == 400 and x.theirs.status == 200 and "position" in x.ours.message
     and set(x.theirs.json) <= {"next_page_token"}),
    ("mutated texts", "what MLflow's lexer makes of a slip is taken there, by accident; here it is said to be wrong, and where",
     lambda x: x.sequence.endswith(", mutated") and x.ours.status == 400 and x.theirs.status == 200 and x.ours.code == "INVALID_PARAMETER_VALUE"),
    ("a direction right behind a quote", "the quote ends the name, as a blank would; there what follows is part of it",
     lambda x: x.sequence.endswith(", mutated") and x.ours.status == x.theirs.status == 200
     and re.search(r"(?i)[\"`](asc|desc)\b", " ".join(map(str, x.body.get("order_by", []))) if isinstance(x.body, dict) else urllib.parse.unquote_plus(x.path)) is not None),
    ("ids in patterns", "they are made at random on both sides: the same digits find others",
     lambda x: x.sequence.startswith("generated") and x.ours.status == x.theirs.status == 200
     and re.search(r"(?i)(run_id|model_id|artifact_\w+)(['\"`+ ]|%[0-9a-f]{2})+i?like", _text(x) + x.path) is not None),
    ("presigned addresses", "501 by POST as by GET: the storage has none",
     lambda x: "presigned" in x.path and x.ours.status == 501 and x.theirs.status == 400),
    ("data sets without a name", "refused when they are logged, so there are none to be found",
     lambda x: x.sequence == "links.inputs" and x.path.endswith("search-datasets") and _only(x, r"dataset_summaries: \d+ elements there, \d+ here")),
    ("more filters", "OR, NOT, parentheses, IS NULL on anything; a doubled quote in a list; two comparisons side by side; names that MLflow's lexer takes for SQL (server/search/README.md)",
     lambda x: x.sequence.startswith("generated") and x.ours.status == 200 and x.theirs.status == 400 and re.search("nvalid|ill-formed list", x.theirs.message) is not None),
    ("an order twice", "the first counts; a 500 there", lambda x: x.theirs.status == 500 and x.ours.status == 200 and "duplicate fields" in x.theirs.message),
    ("ILIKE", "folds all letters, as PostgreSQL does; sqlite those of ASCII alone",
     lambda x: x.sequence.startswith("generated") and re.search(r"(?i)ilike ['\"][^'\"]*[^\x00-\x7f]", re.sub("[⟦⟧]", "", _filter(x))) is not None),
    ("data sets without a digest", "any digest; there only metrics without one, which do not exist",
     lambda x: x.sequence.startswith("generated") and re.search(r"\"dataset_name\": \"[^\"]*\"}", _text(x)) is not None),
    ("redirects of webhooks", "not followed: it is the address that was given which was found to be allowed", lambda x: x.sequence == "webhooks.trial" and x.note == "/302"),
    ("addresses of webhooks", "what cannot be a host's name is refused at once", lambda x: _to(x, "(POST|PATCH) webhooks.*") and _refused(x, "Bad hostname")),
    ("slashes in paths", "%2F does not part a path here: a tag's key may hold it, an id may not",
     lambda x: "%2F" in x.path and x.theirs.status == 404 and x.theirs.json is None and x.ours.status in (200, 400, 404)),
]


def meant(x):
    """The name of the row that knows this exchange; None when it should not differ."""
    return next((name for name, _, known in ROWS if known(x)), None)

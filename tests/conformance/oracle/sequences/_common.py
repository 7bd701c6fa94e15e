"""What the sequences share: fresh objects, and values that are wrong in every way."""

import itertools

_numbers = itertools.count(1)

# names that are awkward in paths, SQL, LIKE, JSON or terminals
AWKWARD = ["it's", 'say "x"', "a/b", "a//b", "/a", "a/", "..", ".", "../x", "a/../b", "100%", "%2F", "%s", "a\\b", "a b", " a ",
           "a\nb", "a\tb", "\x01", "é", "e\u0301", "日本", "😀", "a:b", "a;b", "a#b", "a?b", "a&b=c", "a*b", "`a`", "[a]", "{a}",
           "-a", "_", "null", "None", "'; --", "\u2028", "\u00a0", "\ufeff", "A", "0", "-1", "a.b", "a@b", "a|b", "<b>", "$a", "~"]

WRONG = [None, "", 0, 1, -1, 1.5, True, False, [], ["a"], {}, {"a": 1}]

BIG = [2**31 - 1, 2**31, 2**63 - 1, 2**63, -2**63, -2**63 - 1, 10**30, "9223372036854775807", "9223372036854775808", "-5", "1.0",
       "1e3", 1e3, 1.5, "abc", " 1", "", "0x10", True]

DOUBLES = [0, -0.0, 1, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e-400, "NaN", "nan",
           "Infinity", "-Infinity", "inf", "+1", "1.5", " 1", "abc", "", True, None, [], 2**53 + 1, 10**308, "1e400", 0.1, 1e16, 123456789.123]


def number():
    return next(_numbers)


def name(prefix):
    """A name of its own, the same on both servers."""
    return f"{prefix} {number()}"


def experiment(p, **more):
    return p.post("experiments/create", {"name": name("experiment")} | more).id("experiment_id")


def run(p, in_experiment=None, **more):
    body = {"experiment_id": in_experiment or experiment(p), "start_time": 1700000000000 + number()} | more
    return p.post("runs/create", body).id("run.info.run_id")


def deleted_run(p):
    made = run(p)
    p.post("runs/delete", {"run_id": made})
    return made


def look(p, run_id, note=""):
    return p.get("runs/get", run_id=run_id, note=note)


def logged_model(p, in_experiment=None, **more):
    body = {"experiment_id": in_experiment or experiment(p)} | more
    return p.post("logged-models", body).id("model.info.model_id")


def model(p, **more):
    """A registered model's name."""
    made = name("model")
    p.post("registered-models/create", {"name": made} | more)
    return made


def version(p, of, **more):
    p.post("model-versions/create", {"name": of, "source": "s3://bucket/path"} | more)


def wrong_types(send, good, fields=None):
    """Sends a good body with each field missing, and of every wrong type. good() makes one, with objects of its own."""
    for field in fields or list(good()):
        body = good()
        body.pop(field, None)
        send(body, f"no {field}")
        for bad in WRONG:
            send(good() | {field: bad}, f"type of {field}")


def unknown_ids(send, field="run_id"):
    for bad in ["0" * 32, "f" * 32, "F" * 32, "x", "a b", "é", "a/b", "'", "%00", "../..", "x" * 255, "x" * 257, "x" * 5000]:
        send({field: bad}, "unknown id")

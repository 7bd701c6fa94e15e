"""POST /api/v1/runs/{run_id}/metrics: points as columns. The encoder here is written from openapi.yaml alone."""

import itertools
import math
import random
import struct
import threading

import pytest
import requests

from support.api import point

TYPE = "application/x-cairn-metrics"
MOST = 100_000
INT64 = 1 << 63


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def zigzag(n):
    n &= 2 * INT64 - 1
    return varint((n << 1 & 2 * INT64 - 1) ^ (2 * INT64 - 1 if n >= INT64 else 0))


def deltas(numbers):
    out, last, delta = b"", None, 0
    for n in numbers:
        if last is None:
            out += zigzag(n)
        else:
            out += zigzag(n - last - delta)
            delta = n - last
        last = n
    return out


def by_key(name, points):
    """points: (step, time, value)"""
    steps, times, values = zip(*points)
    return b"\0" + varint(name) + varint(len(points)) + deltas(steps) + deltas(times) + struct.pack(f"<{len(values)}d", *values)


def by_step(step, time, points):
    """points: (name, value)"""
    return b"\1" + zigzag(step) + zigzag(time) + varint(len(points)) + b"".join(varint(n) for n, _ in points) + struct.pack(f"<{len(points)}d", *(v for _, v in points))


def batch(names, groups, n, version=1, encoding=0):
    texts = [name if isinstance(name, bytes) else name.encode() for name in names]
    return b"CMB" + bytes([version, encoding]) + varint(n) + varint(len(texts)) + b"".join(varint(len(t)) + t for t in texts) + b"".join(groups)


def zstd(data):
    """A frame of blocks as they are."""
    pieces = [data[i : i + 131072] for i in range(0, len(data), 131072)]
    blocks = b"".join((len(p) << 3 | (i + 1 == len(pieces))).to_bytes(3, "little") + p for i, p in enumerate(pieces))
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + blocks


def small(key="loss"):
    return batch([key], [by_key(0, [(1, 10, 0.5), (2, 20, 0.25)])], 2)


def send(api, run, body, **more):
    return api.server.request("POST", f"/api/v1/runs/{run}/metrics", data=body, **{"headers": {"Content-Type": TYPE}, **more})


def sent(api, run, body):
    answer = send(api, run, body)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text
    return answer


def refused(api, run, body, status=400, code="BAD_REQUEST"):
    answer = send(api, run, body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text[:500]
    assert answer.json()["message"] and "\n" not in answer.json()["message"]
    return answer.json()["message"]


def same(a, b):
    """Histories, where NaN is NaN."""
    return [(m["timestamp"], m["step"], str(m["value"])) for m in a] == [(m["timestamp"], m["step"], str(m["value"])) for m in b]


def test_columns_and_json_give_the_same_histories(api):
    chance = random.Random(5)
    columns, json = api.run(), api.run()
    values = [0.1, -0.0, 0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 1 / 3]
    names = ["loss", "größe/訓練", "a b.c-d:e_f", "k" * 250]
    points = [(chance.randrange(4), chance.choice([0, 3, -5, INT64 - 1, -INT64, chance.randrange(1000)]), chance.choice([0, 7, INT64 - 1, chance.randrange(10**12)]), chance.choice(values)) for _ in range(900)]
    groups = [by_key(k, [p[1:] for p in points if p[0] == k]) for k in range(4)]
    groups += [by_step(7, 1000 + i, [(k, float(i + k)) for k in range(4)]) for i in range(20)]
    sent(api, columns, batch(names, groups, 900 + 80))
    as_json = [point(names[k], str(value) if not math.isfinite(value) else value, step, time) for k, step, time, value in points]
    as_json += [point(names[k], float(i + k), 7, 1000 + i) for i, k in itertools.product(range(20), range(4))]
    api.batch(json, metrics=as_json)
    for name in names:
        assert len(api.history(json, name)) > 100
        assert same(api.history(columns, name), api.history(json, name))

    def latest(run):
        return sorted((m["key"], m["step"], m["timestamp"], str(m["value"])) for m in api.get_run(run)["data"]["metrics"])

    assert latest(columns) == latest(json)


def test_a_batch_sent_again_counts_once(api):
    run = api.run()
    for _ in range(3):
        sent(api, run, small())
    api.batch(run, metrics=[point("loss", 0.5, 1, 10)])
    assert [(m["step"], m["value"]) for m in api.history(run, "loss")] == [(1, 0.5), (2, 0.25)]


def test_keys_of_250_characters_of_any_script_are_kept(api):
    run = api.run()
    names = [c * 250 for c in ("ä", "訓", "𝔞", "k")]
    sent(api, run, batch(names, [by_step(0, 1, [(k, float(k)) for k in range(4)])], 4))
    for k, name in enumerate(names):
        assert [m["value"] for m in api.history(run, name)] == [float(k)]
    assert "exceeds the maximum length of 250 characters" in refused(api, run, small("訓" * 251), code="INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("key", ["a,b", "../a", "/a", "a//b", "a\nb", "."])
def test_a_bad_key_is_refused_with_the_whole_batch(api, key):
    run = api.run()
    body = batch(["good", key], [by_key(0, [(0, 0, 1.0)]), by_key(1, [(0, 0, 1.0)])], 2)
    assert "names[1]" in refused(api, run, body, code="INVALID_PARAMETER_VALUE")
    assert api.history(run, "good") == []


@pytest.mark.parametrize("name", [b"", b"a\0b", b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_a_name_that_is_no_text_is_refused(api, name):
    run = api.run()
    refused(api, run, batch([name], [by_key(0, [(0, 0, 1.0)])], 1))
    assert api.get_run(run)["data"].get("metrics") is None


def test_a_negative_time_is_refused(api):
    run = api.run()
    body = batch(["loss"], [by_key(0, [(0, 0, 1.0), (1, -1, 1.0)])], 2)
    assert "metrics[1].timestamp" in refused(api, run, body, code="INVALID_PARAMETER_VALUE")
    assert api.history(run, "loss") == []


def test_every_cut_of_a_batch_is_refused(api):
    run = api.run()
    body = batch(["loss", "acc"], [by_key(0, [(1, 10, 0.5), (2, 20, 0.25)]), by_step(3, 30, [(0, 1.0), (1, 2.0)])], 4)
    for n in range(1, len(body)):
        refused(api, run, body[:n])
    assert api.get_run(run)["data"].get("metrics") is None
    sent(api, run, body)
    assert len(api.history(run, "loss")) == 3


WRONG = {
    "more points than said": batch(["a"], [by_key(0, [(0, 0, 1.0), (1, 1, 1.0)])], 1),
    "fewer points than said": batch(["a"], [by_key(0, [(0, 0, 1.0), (1, 1, 1.0)])], 3),
    "an empty group": batch(["a"], [b"\0\0\0", by_key(0, [(0, 0, 1.0)])], 1),
    "more names than points": batch(["a", "b"], [by_key(0, [(0, 0, 1.0)])], 1),
    "a name that is not there": batch(["a"], [by_key(1, [(0, 0, 1.0)])], 1),
    "an unknown group": batch(["a"], [by_key(0, [(0, 0, 1.0)]), b"\2"], 1),
    "a count beyond the bytes": b"CMB\1\0" + varint(MOST) + b"\1\1a" + b"\0\0" + varint(MOST),
    "names beyond the bytes": b"CMB\1\0\x01" + varint(2**63),
    "a name beyond the bytes": b"CMB\1\0\x01\x01" + varint(2**64 - 1) + bytes(20),
    "a number of 65 bits": b"CMB\1\0" + b"\xff" * 9 + b"\2" + bytes(20),
    "a number of eleven bytes": b"CMB\1\0" + b"\x80" * 10 + b"\0" + bytes(20),
    "another magic": b"CMC" + small()[3:],
    "another version": batch(["a"], [by_key(0, [(0, 0, 1.0)])], 1, version=2),
    "another encoding": batch(["a"], [by_key(0, [(0, 0, 1.0)])], 1, encoding=2),
    "no zstd": b"CMB\1\1" + struct.pack("<I", 20) + bytes(20),
    "longer than said": b"CMB\1\1" + struct.pack("<I", 19) + zstd(bytes(20)),
    "shorter than said": b"CMB\1\1" + struct.pack("<I", 21) + zstd(bytes(20)),
    "JSON": b'{"metrics": []}',
    "no length": b"CMB\1\1\0\0",
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_a_malformed_batch_is_refused(api, body):
    run = api.run()
    refused(api, run, body)
    assert api.get_run(run)["data"].get("metrics") is None


def test_a_hundred_thousand_points_are_one_request_and_no_more(api):
    run = api.run()
    points = [(i, 1_700_000_000_000 + i, i / 3) for i in range(MOST)]
    sent(api, run, batch(["loss"], [by_key(0, points)], MOST))
    api.server.query("SELECT 1")
    last = api.get_run(run)["data"]["metrics"][0]
    assert (last["step"], last["value"]) == (MOST - 1, (MOST - 1) / 3)
    assert len(api.history(run, "loss")) == MOST
    message = refused(api, run, batch(["loss"], [by_key(0, points), by_key(0, [(1, 1, 1.0)])], MOST + 1), code="INVALID_PARAMETER_VALUE")
    assert "at most 100000 metrics" in message


def test_a_batch_over_its_bytes_is_refused(api):
    run = api.run()
    refused(api, run, small() + bytes(5 << 20), status=413)
    refused(api, run, b"CMB\1\1" + struct.pack("<I", (4 << 20) + 1) + bytes(30), status=413)


@pytest.mark.parametrize("n", [2, 20000])
def test_a_compressed_batch_is_the_same_batch(api, n):
    plain, packed = api.run(), api.run()
    body = batch(["loss"], [by_key(0, [(i, 10 * i, i / 7) for i in range(n)])], n)
    sent(api, plain, body)
    sent(api, packed, b"CMB\1\1" + struct.pack("<I", len(body) - 5) + zstd(body[5:]))
    assert api.history(packed, "loss") == api.history(plain, "loss")
    assert len(api.history(packed, "loss")) == n


def test_no_points_are_no_failure_of_a_run_that_is_there(api):
    run = api.run()
    sent(api, run, b"CMB\1\0\0\0")
    refused(api, "0" * 32, b"CMB\1\0\0\0", status=404, code="RESOURCE_DOES_NOT_EXIST")


def test_unknown_and_deleted_runs_take_nothing(api):
    refused(api, "0" * 32, small(), status=404, code="RESOURCE_DOES_NOT_EXIST")
    run = api.run()
    api.post("/runs/delete", run_id=run)
    message = refused(api, run, small(), code="INVALID_PARAMETER_VALUE")
    assert "must be in the 'active' state" in message
    api.post("/runs/restore", run_id=run)
    sent(api, run, small())
    api.post("/runs/update", run_id=run, status="FINISHED")
    sent(api, run, small("later"))
    assert len(api.history(run, "later")) == 2


def test_another_content_type_is_refused(api):
    run = api.run()
    for other in ("application/json", "text/plain", "application/x-cairn-metricsX", ""):
        answer = send(api, run, small(), headers={"Content-Type": other})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST"), other
    assert send(api, run, small(), headers={"Content-Type": "Application/X-Cairn-Metrics; v=1"}).status_code == 200
    answer = api.server.request("POST", "/api/2.0/mlflow/runs/log-batch", data=small(), headers={"Content-Type": TYPE})
    assert answer.status_code == 400


def test_without_a_sign_in_nothing_is_logged(api):
    run = api.run()
    answer = requests.post(f"{api.server.url}/api/v1/runs/{run}/metrics", data=small(), headers={"Content-Type": TYPE}, timeout=30)
    assert answer.status_code == 401
    assert api.history(run, "loss") == []


def test_many_writers_of_columns_and_json_lose_and_double_nothing(api):
    run, failures = api.run(), []

    def write(writer):
        for i in range(20):
            points = [(writer * 1000 + i * 10 + k, 1, float(k)) for k in range(10)]
            if i % 2 == 0:
                answer = send(api, run, batch(["x"], [by_key(0, points)], 10))
            else:
                answer = api.server.request("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": [point("x", v, s, t) for s, t, v in points]})
            if answer.status_code != 200:
                failures.append(answer.text)

    threads = [threading.Thread(target=write, args=(w,)) for w in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    steps = sorted(m["step"] for m in api.history(run, "x"))
    assert steps == sorted(w * 1000 + n for w in range(8) for n in range(200))

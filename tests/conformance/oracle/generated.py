"""
Searches made from a seed: rows that both servers are given first, then filters, orders and page walks over them, valid
ones and mutated ones. Every answer is compared row by row, in order.
"""

import time

from sequences._common import name

KEYS = ["a", "loss", "a.b", "x y", "größe", "a/b"]
METRICS = ["a", "loss", "a.b", "x y", "val/acc"]
TEXTS = ["x", "X", "xy", "x%y", "a_b", "a\\b", "", "1", "1.5", "é", "É", "it's", 'say "x"', "true", "None", "日本", "long " * 20]
NUMBERS = [0, -0.0, 1, 1.5, -1, 1e5, 1e-5, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 2**53, "NaN", "Infinity", "-Infinity", 0.1, 3]
STEPS = [0, 1, 5, -1, 2**40]
STATUSES = ["RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED"]
DATASETS = ["train", "test", "it's", "d x"]
STAGES = ["None", "Staging", "Production", "Archived"]


class Rows:
    """What both servers were given."""

    def __init__(self, p, r):
        self.p, self.r = p, r
        self.prefix = name("g")
        self.experiments = [self._experiment(i) for i in range(9)]
        self.runs = [self._run(i) for i in range(45)]
        self.logged = [self._logged(i) for i in range(24)]
        self.models = [self._model(i) for i in range(12)]

    def _tags(self, most=4):
        return [{"key": k, "value": self.r.choice(TEXTS)} for k in self.r.sample(KEYS, self.r.randrange(most))]

    def _experiment(self, i):
        called = f"{self.prefix} {self.r.choice(['alpha', 'Alpha', 'b_ta', 'b%ta', 'é'])} {i}"
        it = self.p.post("experiments/create", {"name": called, "tags": self._tags()}).id("experiment_id")
        if i % 4 == 3:
            self.p.post("experiments/delete", {"experiment_id": it})
        return it

    def _run(self, i):
        p, r = self.p, self.r
        body = {"experiment_id": self.experiments[r.randrange(3)], "tags": self._tags(), "start_time": 125 * i,  # no two alike: ids would decide
               
                "run_name": r.choice(TEXTS[:14]) or f"n{i}", "user_id": r.choice(["me", "you", "", "Me"])}
        one = p.post("runs/create", body).id("run.info.run_id")
        metrics = [{"key": k, "value": r.choice(NUMBERS), "timestamp": r.randrange(4), "step": r.choice(STEPS)} for k in r.choices(METRICS, k=r.randrange(7))]
        params = [{"key": k, "value": r.choice(TEXTS)} for k in r.sample(KEYS, r.randrange(4))]
        p.post("runs/log-batch", {"run_id": one, "metrics": metrics, "params": params})
        for d in r.sample(DATASETS, r.randrange(3)):
            tags = [{"key": "mlflow.data.context", "value": r.choice(["train", "eval"])}] if r.random() < 0.7 else []
            p.post("runs/log-inputs", {"run_id": one, "datasets": [{"dataset": {"name": d, "digest": f"{d[:2]}1", "source_type": "local", "source": "x"}, "tags": tags}]})
        if r.random() < 0.7:
            p.post("runs/update", {"run_id": one, "status": r.choice(STATUSES), "end_time": r.choice([1, 5, 2000, 10**12])})
        if r.random() < 0.15:
            p.post("runs/delete", {"run_id": one})
        return one

    def _logged(self, i):
        p, r = self.p, self.r
        body = {"experiment_id": self.experiments[r.randrange(3)], "name": r.choice(["m", "M", "model x", "é", "a_b", f"n{i}"]), "model_type": r.choice(["", "agent", "Agent", "x y"]),
                "tags": self._tags(), "params": [{"key": k, "value": r.choice(TEXTS)} for k in r.sample(KEYS, r.randrange(4))], "source_run_id": r.choice(self.runs + ["", ""])}
        one = p.post("logged-models", body).id("model.info.model_id")
        for n, k in enumerate(r.choices(METRICS, k=r.randrange(6))):
            data = r.choice([{}, {"dataset_name": r.choice(DATASETS), "dataset_digest": "d1"}])
            p.post("runs/log-metric", {"run_id": r.choice(self.runs), "model_id": one, "key": k, "value": r.choice(NUMBERS[:11] + NUMBERS[12:]), "timestamp": r.randrange(3), "step": n} | data)
        if r.random() < 0.6:
            p.patch(f"logged-models/{one}", {"model_id": one, "status": r.choice(["LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"])})
        if r.random() < 0.1:
            p.delete(f"logged-models/{one}", {"model_id": one})
        return one

    def _model(self, i):
        p, r = self.p, self.r
        called = f"{self.prefix} {r.choice(['net', 'Net', 'n_t', 'n%t', 'é'])} {i}"
        p.post("registered-models/create", {"name": called, "tags": self._tags(), "description": r.choice(["", "d"])})
        for v in range(r.randrange(5)):
            p.post("model-versions/create", {"name": called, "source": r.choice(["s3://b/x", "s3://b/Y", "s3://b/x%y"]), "run_id": r.choice(self.runs + [""]), "tags": self._tags()})
            if r.random() < 0.5:
                p.post("model-versions/transition-stage", {"name": called, "version": str(v + 1), "stage": r.choice(STAGES), "archive_existing_versions": False})
        if r.random() < 0.3:
            p.post("registered-models/alias", {"name": called, "alias": "best", "version": "1"})
        return called


def quoted(r, text):
    """A text as a literal."""
    return '"' + text + '"' if "'" in text and '"' not in text or '"' not in text and r.random() < 0.2 else "'" + text.replace("'", "''") + "'"


def key_of(r, key):
    if all(c.isalnum() and c.isascii() or c in "._" for c in key):
        return r.choice([key, key, f"`{key}`", f'"{key}"'])
    return r.choice([f"`{key}`", f'"{key}"'])


def text_term(r, left, texts, lists=False):
    kind = r.randrange(6 if lists else 5)
    if kind < 3:
        return f"{left} {r.choice(['=', '!=', '='])} {quoted(r, r.choice(texts))}"
    if kind < 5:
        text = r.choice(texts)
        at = r.randrange(len(text) + 1)
        pattern = r.choice([text[:at] + "%", "%" + text[at:], "%" + text[at:at + 2] + "%", text[:at] + "_" + text[at + 1:], text, text.upper(), text.lower()])
        return f"{left} {r.choice(['LIKE', 'ILIKE', 'like', 'ilike'])} {quoted(r, pattern)}"
    chosen = [quoted(r, t) for t in r.sample(texts, min(len(texts), r.randrange(1, 4)))]
    return f"{left} {r.choice(['IN', 'NOT IN', 'in'])} ({', '.join(chosen)})"


def number_term(r, left, numbers):
    return f"{left} {r.choice(['=', '!=', '<', '<=', '>', '>='])} {r.choice(numbers)}"


PLAIN = [0, 1, 1.5, -1, "1e5", "1E-5", 3, "0.1", ".5", "-2.5e3", 9007199254740992, "1.7976931348623157e308", 5]
TIMES = [0, 1, 5, 1000, 2000, 10**12, -1]


class Searches:
    """One target: how to ask, and terms and orders of its own. What the guard leaves out belongs to other tests."""

    guard = ""

    def __init__(self, rows):
        self.rows, self.p, self.r = rows, rows.p, rows.r

    def filter(self):
        return self.r.choice([" AND ", " and ", "  AND\n"]).join(self.term() for _ in range(self.r.choice([1, 1, 1, 2, 2, 3])))

    def orders(self):
        return [self.order() for _ in range(self.r.choice([0, 1, 1, 2, 3]))]

    def direction(self):
        return self.r.choice(["", " ASC", " DESC", " asc", " desc", "  DESC"])

    def walk(self, ask, rest):
        """Pages until the last; both must end together."""
        page, n = "", 0
        while page is not None and n < 40:
            page = ask(rest, page).page()
            n += 1


class Runs(Searches):
    def term(self):
        r = self.r
        return r.choice([
            lambda: number_term(r, r.choice(["metric.", "metrics."]) + key_of(r, r.choice(METRICS)), PLAIN),
            lambda: number_term(r, r.choice(["metric.", "metrics."]) + key_of(r, r.choice(METRICS)), PLAIN),
            lambda: text_term(r, r.choice(["param.", "params.", "parameter."]) + key_of(r, r.choice(KEYS)), TEXTS),
            lambda: text_term(r, r.choice(["tag.", "tags."]) + key_of(r, r.choice(KEYS)), TEXTS),
            lambda: text_term(r, r.choice(["run_name", "attributes.run_name", "attr.`run name`", "tags.mlflow.runName", "tags.`mlflow.runName`", '"run name"']), TEXTS[:14]),
            lambda: text_term(r, r.choice(["status", "attribute.status"]), STATUSES),
            lambda: text_term(r, "user_id", ["me", "you", "", "Me"]),
            lambda: text_term(r, r.choice(["run_id", "attributes.run_id"]), self.rows.runs[:5], lists=True),
            lambda: number_term(r, r.choice(["start_time", "attributes.start_time", "end_time", "created", "run.end_time"]), TIMES),
            lambda: text_term(r, r.choice(["dataset.name", "datasets.name"]), DATASETS, lists=True),
            lambda: text_term(r, "dataset.digest", ["tr1", "te1", "it1"], lists=True),
            lambda: text_term(r, "datasets.context", ["train", "eval"], lists=True),
            lambda: f"{r.choice(['params.', 'tags.'])}{key_of(r, r.choice(KEYS))} IS {r.choice(['', 'NOT '])}NULL",
        ])()

    def order(self):
        r = self.r
        return r.choice(["metrics." + key_of(r, r.choice(METRICS)), "params." + key_of(r, r.choice(KEYS)), "tags." + key_of(r, r.choice(KEYS)), "start_time", "attributes.end_time", "run_name",
                         "attribute.status", "user_id", "Created", "metric.`x y`"]) + self.direction()

    def start(self):
        r = self.r
        return {"experiment_ids": r.sample(self.rows.experiments[:3], r.randrange(1, 4)), "run_view_type": r.choice(["ACTIVE_ONLY", "ALL", "ALL", "DELETED_ONLY"]), "max_results": r.choice([1, 3, 7, 100])}

    def ask(self, body, page):
        return self.p.post("runs/search", body | ({"page_token": page} if page else {}))


class Experiments(Searches):
    def term(self):
        r = self.r
        names = [f"{self.rows.prefix} alpha 0", f"{self.rows.prefix} b_ta 2", "alpha", "Default"]
        return r.choice([lambda: text_term(r, r.choice(["name", "attribute.name"]), names), lambda: text_term(r, "tags." + key_of(r, r.choice(KEYS)), TEXTS),
                         lambda: number_term(r, r.choice(["creation_time", "last_update_time"]), [0, 10**11, 10**15]),
                         lambda: f"tags.{key_of(r, r.choice(KEYS))} IS {r.choice(['', 'NOT '])}NULL",
                         lambda: f"experiment_id {r.choice(['IN', 'NOT IN'])} ('{self.rows.experiments[0]}', '{self.rows.experiments[4]}')"])()

    @property
    def guard(self):
        return f"name LIKE '{self.rows.prefix} %'"

    def filter(self):
        return super().filter().replace("ilike", "LIKE").replace("like", "LIKE")

    def order(self):
        return self.r.choice(["name", "experiment_id", "creation_time", "last_update_time", "attribute.name"]) + self.direction()

    def start(self):
        return {"view_type": self.r.choice(["ACTIVE_ONLY", "ALL", "DELETED_ONLY"]), "max_results": self.r.choice([1, 2, 5, 100])}

    def ask(self, body, page):
        return self.p.post("experiments/search", body | ({"page_token": page} if page else {}))


class Models(Searches):
    path = "registered-models/search"

    def term(self):
        r = self.r
        names = self.rows.models[:4] + ["net", "Net"]
        return r.choice([lambda: text_term(r, r.choice(["name", "`name`"]), names, lists=True), lambda: text_term(r, r.choice(["tag.", "tags."]) + key_of(r, r.choice(KEYS)), TEXTS)])()

    @property
    def guard(self):
        return f"name LIKE '{self.rows.prefix} %'"

    def order(self):
        return self.r.choice(["name", "timestamp", "last_updated_timestamp"]) + self.direction()

    def start(self):
        return {"max_results": self.r.choice([1, 2, 5, 100])}

    def ask(self, body, page):
        return self.p.get(self.path, **(body | ({"page_token": page} if page else {})))


class Versions(Models):
    path = "model-versions/search"

    def term(self):
        r = self.r
        return r.choice([super().term, lambda: number_term(r, "version_number", [0, 1, 2, 3]), lambda: text_term(r, "run_id", self.rows.runs[:5] + [""], lists=True),
                         lambda: text_term(r, "source_path", ["s3://b/x", "s3://b/Y", "s3://b/x%y"])])()

    def order(self):
        return self.r.choice(["name", "version_number", "creation_timestamp", "last_updated_timestamp"]) + self.direction()


class LoggedModels(Searches):
    def term(self):
        r = self.r
        names = ["m", "M", "model x", "é", "a_b"]
        single = [t for t in TEXTS if '"' not in t and "'" not in t]
        return r.choice([
            lambda: number_term(r, "metrics." + key_of(r, r.choice(METRICS)), PLAIN),
            lambda: text_term(r, "params." + key_of(r, r.choice(KEYS)), single).replace('"x', "'x"),
            lambda: text_term(r, "tags." + key_of(r, r.choice(KEYS)), single),
            lambda: text_term(r, r.choice(["name", "attributes.name"]), names),
            lambda: text_term(r, "model_type", ["agent", "Agent", "x y"]),
            lambda: text_term(r, r.choice(["source_run_id", "model_id"]), self.rows.runs[:3] + self.rows.logged[:2]),
            lambda: number_term(r, r.choice(["creation_timestamp", "creation_time", "last_updated_timestamp"]), [0, 10**11, 10**15]),
        ])()

    def orders(self):
        r = self.r
        out = []
        for _ in range(r.choice([0, 1, 1, 2])):
            one = {"field_name": r.choice(["name", "creation_timestamp", "creation_time", "last_updated_timestamp", "model_type", "metrics.a", "metrics.loss", "metrics.a.b"])}
            if r.random() < 0.6:
                one["ascending"] = r.random() < 0.5
            if one["field_name"].startswith("metrics.") and r.random() < 0.4:
                one |= {"dataset_name": r.choice(DATASETS)} | ({"dataset_digest": "d1"} if r.random() < 0.5 else {})
            out.append(one)
        return out

    def start(self):
        r = self.r
        body = {"experiment_ids": r.sample(self.rows.experiments[:3], r.randrange(1, 4)), "max_results": r.choice([1, 3, 7, 50])}
        if r.random() < 0.3:
            body["datasets"] = [{"dataset_name": d} | ({"dataset_digest": "d1"} if r.random() < 0.5 else {}) for d in r.sample(DATASETS, r.randrange(1, 3))]
        return body

    def ask(self, body, page):
        return self.p.post("logged-models/search", body | ({"page_token": page} if page else {}))


NOISE = list("'\"`()., ;=<>!-\\%_aANDor1 ") + ["AND", "OR", "NOT", " IN ", " IS NULL", "metrics.", "tags.", "é", "\t", "1e", "--", "/*", "NULL", "''"]


MUTATED = ", mutated"  # so ends the sequence's name of a search whose text is no longer a grammar's


def mutated(r, text):
    for _ in range(r.randrange(1, 3)):
        at = r.randrange(len(text) + 1)
        text = text[:at] + r.choice(["", r.choice(NOISE)]) + text[at + r.randrange(2):]
    return text


def search(target, r):
    body = target.start()
    terms = [target.guard] if target.guard else []
    if r.random() < 0.85:
        text = target.filter()
        if r.random() < 0.25 and "⟦" not in text:
            target.p.sequence += MUTATED
            text = mutated(r, text)
        terms.append(text)
    if terms:
        body["filter"] = " AND ".join(terms)
    orders = target.orders()
    if orders:
        body["order_by"] = orders
        if r.random() < 0.1 and isinstance(orders[0], str):
            target.p.sequence += MUTATED
            orders[0] = mutated(r, orders[0])
    target.walk(target.ask, body)


def searches(pair, r, until):
    """For ever, or until that time; new rows now and then."""
    while True:
        pair.sequence = "generated rows"
        rows = Rows(pair, r)
        targets = [(cls.__name__.lower(), cls(rows)) for cls in (Runs, Runs, Experiments, Models, Versions, LoggedModels, LoggedModels)]
        for _ in range(3000):
            if until is not None and time.monotonic() > until:
                return
            called, target = r.choice(targets)
            pair.sequence = f"generated {called}"
            search(target, r)

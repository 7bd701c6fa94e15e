#!/usr/bin/env python3
"""Asks MLflow's own parser and Cairn's the same questions and compares the answers.

    oracle.py PROBE [--seed N] [--count N]

PROBE is the program search_probe of the build. Needs the package mlflow (3.17.2 is the version that was followed).
Every filter and order that MLflow accepts must mean the same here. What MLflow refuses must be refused, but for the
extensions (OR, NOT, parentheses, IS NULL everywhere, number(), min() and its like) and what stands in `meant`. Prints the seed and every
difference; exit status 1 when there is one.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import time

import sqlparse
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking import sqlalchemy_store as tracking
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel
from mlflow.utils import search_logged_model_utils as logged
from mlflow.utils.search_utils import (
    SearchExperimentsUtils,
    SearchModelUtils,
    SearchModelVersionUtils,
    SearchUtils,
)
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

session = Session(create_engine("sqlite://"))
registry = object.__new__(Registry)
registry._get_workspace_clauses = lambda *_: []

LOGGED_ALIASES = {
    "creation_time": "creation_timestamp",
    "creation_timestamp_ms": "creation_timestamp",
    "last_updated_timestamp_ms": "last_updated_timestamp",
}
LOGGED_COLUMNS = {c.key for c in SqlLoggedModel.__table__.columns}


def logged_terms(text):
    terms = []
    for c in logged.parse_filter_string(text):
        kind = {"attributes": "attribute", "metrics": "metric", "params": "parameter", "tags": "tag"}[c.entity.type.value]
        key = c.entity.key
        if kind == "attribute":
            if key not in LOGGED_COLUMNS:
                raise AttributeError(key)
            key = LOGGED_ALIASES.get(key, key)
        terms.append([kind, key, c.op, c.value])
    return terms


def mlflow_filter(target, text):
    """The terms, or raises."""
    if target == "logged_models":
        return logged_terms(text)
    if target == "runs":
        parsed = SearchUtils.parse_search_filter(text)
        tracking._get_sqlalchemy_filter_clauses(parsed, session, "sqlite")
    elif target == "experiments":
        parsed = SearchExperimentsUtils.parse_search_filter(text)
        tracking._get_search_experiments_filter_clauses(parsed, "sqlite")
    elif target == "models":
        parsed = SearchModelUtils.parse_search_filter(text)
        registry._get_search_registered_model_filter_query(None, parsed, "sqlite")
    else:
        parsed = SearchModelVersionUtils.parse_search_filter(text)
        registry._get_search_model_versions_filter_clauses(parsed, "sqlite")
    terms = []
    for p in parsed:
        key = SearchUtils.translate_key_alias(p["key"]) if target == "runs" and p["type"] == "attribute" else p["key"]
        terms.append([p["type"], key, p["comparator"].upper(), p["value"]])
    return terms


def mlflow_order(target, text):
    if target == "runs":
        kind, key, ascending = SearchUtils.parse_order_by_for_search_runs(text)
        tracking._get_orderby_clauses([text], session)
        key = SearchUtils.translate_key_alias(key) if kind == "attribute" else key
        return [kind, key, not ascending]
    if target == "experiments":
        kind, key, ascending = SearchExperimentsUtils.parse_order_by_for_search_experiments(text)
        tracking._get_search_experiments_order_by_clauses([text])
        return [kind, key, not ascending]
    if target == "models":
        key, ascending = SearchUtils.parse_order_by_for_search_registered_models(text)
        Registry._parse_search_registered_models_order_by([text])
        return ["attribute", "last_updated_timestamp" if key == "timestamp" else key, not ascending]
    if target == "versions":
        kind, key, ascending = SearchModelVersionUtils.parse_order_by_for_search_model_versions(text)
        Registry._parse_search_model_versions_order_by([text])
        return [kind, key, not ascending]
    if "." in text:
        entity, key = text.split(".", 1)
        if entity != "metrics":
            raise AttributeError(text)
        return ["metric", key, False]
    key = SqlLoggedModel.ALIASES.get(text, text)
    if key not in LOGGED_COLUMNS:
        raise AttributeError(text)
    return ["attribute", LOGGED_ALIASES.get(key, key), False]


def same_value(ours, theirs):
    if isinstance(ours, list):
        return isinstance(theirs, (tuple, list)) and sorted(ours) == sorted(theirs)
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(ours, (int, float)):
        statuses = {"UNSPECIFIED": 0, "PENDING": 1, "READY": 2, "FAILED": 3}
        return float(statuses.get(theirs, theirs)) == float(ours)
    if ours in ("Infinity", "-Infinity"):
        return float(theirs) == float(ours)
    return ours == theirs


def same_terms(ours, theirs):
    return len(ours) == len(theirs) and all(
        a[:3] == b[:3] and same_value(a[3], b[3]) for a, b in zip(ours, theirs)
    )


# ---- what is meant to differ: (their answer, our answer, text) -> why ----


def names_parts(text):
    """The identifiers that MLflow's parser sees."""
    found = []

    def walk(tokens):
        for t in tokens:
            if isinstance(t, sqlparse.sql.Identifier):
                found.append(str(t))
            if t.is_group:
                walk(t.tokens)

    for statement in sqlparse.parse(text):
        walk(statement.tokens)
    return found


def swallowed(text, key):
    quoted = any(q + key + q in text for q in "`'\"")
    return key.startswith(".") or "`" in key or not quoted and not re.fullmatch(r"[\w.$#]*", key)


def meant_order(target, text, theirs, ours):
    if "error" in ours:
        if re.search(r"[\x80-\xff]", text):
            return "blanks beyond ASCII"
        if re.search(r"[\"`]\w", text):
            return "a quotation that goes on without a blank"
        if target == "versions" and theirs[0] == "tag":
            return "order by a tag of a version reads as the column of that name there"
        if "right after the dot" in ours["error"] or re.search(r"\.\s", text):
            return "an identifier without a key, or with blanks before it, is refused instead of matching nothing"
        return None
    if re.search(r"[^\x00-\x7f]", text):
        return "blanks beyond ASCII"
    if isinstance(theirs, Exception) and re.match(r"(?i)(last|first|min|max|mean|count)\(", text):
        return "extension"
    return None if isinstance(theirs, (MlflowException, list)) else "an accident of MLflow's (500)"


def meant(target, text, theirs, ours):
    if isinstance(theirs, list) and any(swallowed(text, t[1]) for t in theirs):
        return "a name that swallowed its neighbours, or begins with a dot: an accident that matches nothing there"
    if "error" in ours:
        reason = ours["error"]
        if "right after the dot" in reason or any(p.split(".", 1)[1][:1].isspace() for p in names_parts(text) if "." in p):
            return "an identifier without a key, or with blanks before it, is refused instead of matching nothing"
        if "A whole number in quotes" in reason and re.search(r"[^\x00-\x7f]", text):
            return "blanks beyond ASCII around a number"
        if "it ends in a backslash" in reason:
            return "a pattern that ends in its escape character: a 500 from PostgreSQL"
        if re.search(r"[(,]\s*[(rR]", text):
            return "parentheses and raw literals within a list"
        if any(("[" in p or "´" in p or "?" in p or "%" in p or "@" in p or "$" in p or "#" in p or ":" in p) for p in names_parts(text)):
            return "keys with other characters than letters, digits and _ are quoted"
        if isinstance(theirs, list) and any(isinstance(t[3], tuple) and t[2] not in ("IN", "NOT IN") for t in theirs):
            return "a list is compared by IN alone; there it is a 500 from most databases"
        if target == "logged_models":
            if any(t[1] in ("status", "experiment_id") for t in theirs):
                return "integers of the database compared with texts: a 500 there"
            if any(isinstance(t[3], float) and t[3] != t[3] for t in theirs):
                return "comparing with NaN"
            if any(t[2] in ("IN", "NOT IN") for t in theirs):
                return "list of other things than texts: a 500 there"
            return "texts that are neither quoted nor a word nor a number" if "Expected a quoted" in reason or "Invalid clause" in reason else None
        return None
    if isinstance(theirs, Exception) and (ours.get("more") or re.search(r"(?i)\blast\(", text)):
        return "extension"
    if isinstance(theirs, Exception):
        reason = str(theirs)
        if not isinstance(theirs, MlflowException):
            return "an accident of MLflow's (500)" 
        if len(re.findall(r"(?i)\band\b(?:\s+and\b)*", text)) < len(ours["terms"]) - 1:
            return "two comparisons side by side, taken there in most places"
        return lenient(text, reason)
    return None


def lenient(text, reason):
    """Refused by MLflow's lexer for words it takes for SQL; clear here."""
    if re.search(r"\.\s*(case|in|values|using|from|as)\b", text, re.I) or re.search(r"\.\d", text):
        return "a key that is an SQL word or begins with a digit"
    if re.search(r"(?i)\b(is\s+not\s\s+null|is\s+not\n)", text):
        return "blanks in IS NOT NULL"
    if re.search(r"[^\x00-\x7f]", text):
        return "letters beyond Latin"
    return None


# ---- questions ----

ATTRIBUTES = {
    "runs": ["run_id", "run_name", "status", "start_time", "end_time", "created", "Created", "user_id", "artifact_uri",
             '"run name"', "`Run Name`", "`run_id`", '"status"'],
    "experiments": ["name", "experiment_id", "creation_time", "last_update_time", "`name`", '"experiment_id"'],
    "models": ["name", "`name`", "timestamp", "last_updated_timestamp"],
    "versions": ["name", "version_number", "run_id", "source_path", "creation_timestamp", "last_updated_timestamp"],
    "logged_models": ["name", "model_id", "model_type", "status", "source_run_id", "creation_time", "creation_timestamp",
                      "creation_timestamp_ms", "last_updated_timestamp", "experiment_id", "`name`", "lifecycle_stage"],
}
PREFIXES = ["metric.", "metrics.", "param.", "params.", "parameter.", "parameters.", "tag.", "tags.", "attribute.",
            "attributes.", "attr.", "run.", "dataset.", "datasets.", "`params`.", "Metrics.", "x."]
KEYS = ["a", "loss", "a.b", "`a b`", '"a b"', "'a'", "`mlflow.runName`", "x1", "_y", "name", "digest", "context", "key",
        "order", "min", "`mlflow.prompt.is_prompt`", "größe", "group", "type", "end", "index", "date", "a_b"]
COMPARATORS = ["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "like", "ilike", "IN", "in", "NOT IN", "not in", "IS NULL",
               "IS NOT NULL", "is null", "==", "<>", "NOT LIKE", "RLIKE", "~"]
VALUES = ["'x'", '"x"', "1", "-1", "1.5", ".5", "5.", "1e5", "1E-3", "-2.5e10", "'it''s'", r"'a\'b'", r"'C:\'", "'%x_'",
          "''", '""', "'5'", "'true'", "'false'", "99999999999999999999", "1e400", "x", "nan", "inf", "0x1F", "`x`",
          "'é'", "NULL", "+1", "'READY'", "' '"]
LISTS = ["('a')", '("a","b")', "('a', 'b',)", "('a' 'b')", "()", "(1)", r"('a\'b')", r"('\x41\u00e9')", "('1','2')",
         "(a)", "('a'", "( 'a' , \"b\" )", "('it''s')", "('')", "(('a'))", "('a', 1)"]
JOINS = [" AND ", " and ", " AND ", "\nAND\t", " AND AND ", " ", " OR ", "; ", ", ", "AND"]
ORDER_KEYS = ["metrics.a", "params.`a b`", 'tags."x"', "attributes.start_time", "name", "timestamp", "`name`", "dataset.name",
              "run_id", "experiment_id", "version_number", "creation_timestamp", "last_updated_timestamp", "creation_time",
              "last_update_time", '"metrics.a"', "`metrics.a b`", "start_time", "Created", "status", "x", "tag.a.b", "model_id",
              "metrics.", "params.'x'", "attribute.name", "end_time", "metric.group", "run_name", "`run name`"]
DIRECTIONS = ["", " ASC", " DESC", " desc", "  aSc", "\tDESC", " ASC ", " foo", " DESC NULLS LAST", " ASC DESC", ",x"]
NOISE = list("'\"`()., ;=<>!-\\%_aANDor1 ") + ["AND", "OR", "NOT", " IN ", " IS NULL", "metrics.", "é", "\u00a0"]


def term(r, target):
    if r.random() < 0.5:
        left = r.choice(PREFIXES) + r.choice(KEYS)
    else:
        left = r.choice(["", "", "", "attribute.", "attributes.", "run."]) + r.choice(ATTRIBUTES[target])
    op = r.choice(COMPARATORS)
    space = r.choice([" ", " ", " ", "  ", "\n"] + ([""] if not op[0].isalpha() else []))
    if "NULL" in op.upper():
        return left + " " + op
    right = r.choice(LISTS) if op.upper().endswith("IN") and r.random() < 0.9 else r.choice(VALUES + LISTS[:2])
    return left + space + op + space + right


def plausible(r, target):
    """A term that has a fair chance of being right."""
    number = r.choice(["1", "-1.5", "1e5", "0"])
    text = r.choice(["'x'", '"x"', "'%a_'", "'true'"])
    metric, params = ("metrics.", "params.") if target == "logged_models" else (r.choice(["metric.", "metrics."]), r.choice(["param.", "params.", "parameters."]))
    sign = r.choice(["=", "!=", "<", ">", "<=", ">="])
    word = r.choice(["=", "!=", "LIKE", "ILIKE"])
    tags = "tags." + r.choice(KEYS[:8])
    times = {"runs": "start_time", "experiments": "creation_time", "models": None, "versions": "version_number",
             "logged_models": "creation_timestamp"}[target]
    texts = {"runs": "run_name", "logged_models": "model_type"}.get(target, "name")
    listed = {"runs": "run_id", "experiments": "experiment_id"}.get(target, "name")
    options = [f"{tags} {word} {text}", f"{texts} {word} {text}", f"{listed} {r.choice(['IN', 'NOT IN'])} ('1', '2')"]
    if times:
        options.append(f"{times} {sign} {r.choice(['1', '17', '-3'])}")
    if target in ("runs", "logged_models"):
        options += [f"{metric}{r.choice(KEYS[:4])} {sign} {number}", f"{params}{r.choice(KEYS[:7])} {word} {text}"]
    if target in ("runs", "experiments"):
        options.append(f"{tags} IS {r.choice(['', 'NOT '])}NULL")
    if target == "runs":
        options.append(f"dataset.{r.choice(['name', 'digest', 'context'])} {word} {text}")
    return r.choice(options)


def mutated(r, text):
    for _ in range(r.randrange(1, 3)):
        at = r.randrange(len(text) + 1)
        what = r.randrange(3)
        if what == 0:
            text = text[:at] + text[at + 1:]
        elif what == 1:
            text = text[:at] + r.choice(NOISE) + text[at:]
        else:
            text = text[:at] + r.choice(NOISE) + text[at + 1:]
    return text


def question(r):
    target = r.choice(list(ATTRIBUTES))
    if r.random() < 0.25:
        text = r.choice(ORDER_KEYS) + (r.choice(DIRECTIONS) if target != "logged_models" else "")
        return target, "order", mutated(r, text) if r.random() < 0.3 else text
    make = plausible if r.random() < 0.6 else term
    text = make(r, target)
    for _ in range(r.randrange(3)):
        text += (" AND " if make is plausible and r.random() < 0.8 else r.choice(JOINS)) + make(r, target)
    return target, "filter", mutated(r, text) if r.random() < 0.4 else text


FUNCTIONS = ["min", "MAX", "first", "last", "Mean", "count", "number", "median", "sum", "abs", "in", "not", "and"]


def called(r, text):
    """A function around one of its names, or something that looks like it."""
    names = list(re.finditer(r"[\w.`\"]+", text))
    if not names:
        return text
    at = r.choice(names)
    function = r.choice(FUNCTIONS) + r.choice(["(", "(", "(", "( ", " ("])
    return text[: at.start()] + function + at.group() + r.choice([")", ")", ")", " )", ""]) + text[at.end() :]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFFFF)
    parser.add_argument("--count", type=int, default=5000)
    args = parser.parse_args()
    print(f"seed {args.seed}, {args.count} questions")
    r = random.Random(args.seed)
    probe = subprocess.Popen([args.probe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    tally, wrong = {}, 0
    for _ in range(args.count):
        target, kind, text = question(r)
        if r.random() < 0.2:
            text = called(r, text)
        probe.stdin.write(json.dumps({"target": target, kind: text}) + "\n")
        probe.stdin.flush()
        line = probe.stdout.readline()
        if not line:
            print(f"the probe ended at {target} {kind} {text!r}")
            return 1
        ours = json.loads(line)
        try:
            theirs = (mlflow_filter if kind == "filter" else mlflow_order)(target, text)
        except Exception as e:
            theirs = e
        refused = isinstance(theirs, Exception)
        if refused and "error" in ours:
            verdict = "both refuse"
        elif not refused and "error" not in ours and (
            same_terms(ours["terms"], theirs) if kind == "filter" else ours["order"] == theirs
        ):
            verdict = "both accept, same meaning"
        else:
            verdict = (
                meant(target, text, theirs, ours) if kind == "filter" else meant_order(target, text, theirs, ours)
            )
            if verdict is None:
                wrong += 1
                print(f"DIFFERS {target} {kind} {text!r}\n  mlflow {theirs!r}\n  cairn  {ours!r}")
                verdict = "differs"
        tally[verdict] = tally.get(verdict, 0) + 1
    probe.stdin.close()
    status = probe.wait()
    for verdict, n in sorted(tally.items(), key=lambda x: -x[1]):
        print(f"{n:7} {verdict}")
    return 1 if wrong or status else 0


if __name__ == "__main__":
    sys.exit(main())

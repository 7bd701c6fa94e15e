"""Sequences of requests, written by hand: functions of a Pair, in files by noun."""

import importlib

FILES = ("experiments", "runs", "metrics", "links", "logged_models", "registry", "artifacts", "parsing", "webhooks")


def load():
    """name -> function, in order."""
    found = {}
    for file in FILES:
        module = importlib.import_module(f"{__name__}.{file}")
        for name, value in vars(module).items():
            if callable(value) and getattr(value, "__module__", "") == module.__name__ and not name.startswith("_"):
                found[f"{file}.{name}"] = value
    return found

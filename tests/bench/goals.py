"""What the metric engine is to reach, and the table that says whether it does: every ratio from figures of one run."""

AT_LEAST, AT_MOST = "≥", "≤"


class Missing(Exception):
    """A figure that was not measured."""


class Figures(dict):
    """Figures by name; one that is not there is Missing."""

    def __missing__(self, name):
        raise Missing(name)


class Goal:
    def __init__(self, sign, bound, what, value, unit="×"):
        self.sign, self.bound, self.what, self.value, self.unit = sign, bound, what, value, unit

    def text(self):
        return f"{self.sign} {self.bound:g} {self.unit}{' ' + self.what if self.what else ''}"

    def judge(self, figures):
        """(measured, "yes" or "no" or "-")."""
        try:
            value = self.value(figures)
        except (Missing, ZeroDivisionError, TypeError):
            return "not measured", "-"
        good = value >= self.bound if self.sign == AT_LEAST else value <= self.bound
        return f"{short(value)} {self.unit}", "yes" if good else "**no**"


def short(value):
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.4f}"


def least(bound, what, value, unit="×"):
    return Goal(AT_LEAST, bound, what, value, unit)


def most(bound, what, value, unit="×"):
    return Goal(AT_MOST, bound, what, value, unit)


def over(a, b):
    return lambda f: f[a] / f[b]


ROWS = [
    ("HTTP log-batch of 1,000 points, 64 clients, durable", ["ours_1000", "copy_1000", "null_1000"], [
        least(1.5, "raw binary COPY", over("ours_1000", "copy_1000")),
        least(0.7, "the same server storing nothing", over("ours_1000", "null_1000"))]),
    ("100 points a request", ["ours_100", "copy_100", "null_100"], [
        least(0.8, "raw binary COPY", over("ours_100", "copy_100")),
        least(0.5, "storing nothing", over("ours_100", "null_100"))]),
    ("1 point a request, 64 clients", ["ours_1", "rows_1", "ours_1_p99_ms"], [
        least(3, "one transaction a request on MLflow's schema in C", over("ours_1", "rows_1")),
        most(10, "p99", lambda f: f["ours_1_p99_ms"], "ms")]),
    ("the same against mlflow server, each at the client count it does best with", ["mlflow_1000", "mlflow_100", "mlflow_1"], [
        least(150, "1,000 points a request", over("ours_1000", "mlflow_1000")),
        least(150, "100 points", over("ours_100", "mlflow_100")),
        least(100, "1 point", over("ours_1", "mlflow_1"))]),
    ("binary batch of 1,000 points, 64 clients", ["binary_1000", "copy_1000", "binary_null_1000"], []),
    ("disk after compaction, mixed values", ["disk_bytes", "raw_bytes", "mlflow_bytes"], [
        most(0.15, "raw rows", over("disk_bytes", "raw_bytes")),
        most(9, "a point", lambda f: f["disk_bytes"], "bytes"),
        most(0.04, "MLflow's tables", over("disk_bytes", "mlflow_bytes"))]),
    ("disk after compaction, the large set", ["large_bytes", "raw_bytes"], [
        most(0.15, "raw rows", over("large_bytes", "raw_bytes")),
        most(9, "a point", lambda f: f["large_bytes"], "bytes"),
        most(0.04, "MLflow's tables", over("large_bytes", "mlflow_bytes"))]),
    ("1,000,000 points of one series to 2,000", ["exact_ms", "previews_ms", "mlflow_chart_ms", "history_s", "mlflow_history_s"], [
        most(30, "exact", lambda f: f["exact_ms"], "ms"),
        most(5, "from previews", lambda f: f["previews_ms"], "ms"),
        least(100, "MLflow's chart call (320 points)", over("mlflow_chart_ms", "previews_ms")),
        least(50, "MLflow's full history", over("mlflow_history_s", "history_s"))]),
    ("100 series × 10,000 points for one chart", ["chart100_ms", "chart100_exact_ms"], [
        most(40, "in the server", lambda f: f["chart100_ms"], "ms")]),
    ("search 100 of 200,000 runs, metric and parameter filter, metric order, accounts on, warm", ["search_200k_ms", "mlflow_search_ms"], [
        most(5, "in the server", lambda f: f["search_200k_ms"], "ms"),
        least(50, "MLflow with half as many", over("mlflow_search_ms", "search_200k_ms"))]),
    ("the same of 1,000,000 runs", ["search_1m_ms"], [most(15, "in the server", lambda f: f["search_1m_ms"], "ms")]),
    ("log-batch parsing", ["parse_ratio"], [least(8, "jansson on one core", lambda f: f["parse_ratio"])]),
    ("JSON out", ["json_points"], [least(4, "points a second", lambda f: f["json_points"] / 1e6, "M")]),
    ("resident memory of cairnd, idle", ["idle_mib"], [most(32, "", lambda f: f["idle_mib"], "MiB")]),
    ("resident memory of cairnd, 64 clients", ["load_1000_peak_mib", "load_100_peak_mib", "load_1_peak_mib"], []),
]

UNITS = {"ms": "ms", "s": "s", "mib": "MiB", "bytes": "bytes a point", "ratio": "×"}


# what stands before a figure in the table: by its name, or by the name's first word
LABELS = {
    "ours_1_p99_ms": "p99", "ours": "Cairn", "copy": "raw COPY", "null": "storing nothing", "rows": "a transaction each", "mlflow_1000": "1,000 points",
    "mlflow_100": "100 points", "mlflow_1": "1 point", "binary_null_1000": "storing nothing", "binary": "Cairn", "disk": "Cairn", "raw": "raw rows",
    "large": "Cairn", "mlflow_bytes": "MLflow's tables", "exact": "exact", "previews": "from previews", "mlflow_chart_ms": "MLflow's chart call",
    "history": "full history in pages", "mlflow_history_s": "MLflow's", "chart100_ms": "as it comes", "chart100_exact_ms": "exact", "search": "Cairn",
    "mlflow_search_ms": "MLflow", "parse": "on bodies of 1,000 points", "json": "histories", "idle": "just started", "load_1000_peak_mib": "1,000 points a request",
    "load_100_peak_mib": "100", "load_1_peak_mib": "1",
}


def figure(figures, name):
    """ "ours_1000 4,200,000 points/s" """
    if name not in figures:
        return f"{name} -"
    unit = UNITS.get(name.rpartition("_")[2], "points/s")
    return f"{name} {short(figures[name])} {unit}"


def labelled(figures, name):
    """The same for a reader of the table."""
    label = LABELS.get(name) or LABELS.get(name.partition("_")[0], name)
    return figure(figures, name).replace(name, label, 1)


def markdown(figures):
    """The table, a line for each goal."""
    lines = ["| what | goal | measured | reached |", "|---|---|---|---|"]
    for what, names, goals in ROWS:
        lines.append(f"| **{what}** | | {'; '.join(labelled(figures, name) for name in names)} | |")
        for goal in goals:
            measured, reached = goal.judge(figures)
            lines.append(f"| | {goal.text()} | {measured} | {reached} |")
    return "\n".join(lines)

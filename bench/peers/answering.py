"""Answers queries that arrive one per line on stdin, each with a line of JSON on stdout."""
import json
import resource
import sys
import time

WINDOW_MS = 86_400_000
STEPS = ["view", "cart", "checkout", "pay", "done"]
PLAN = "pro"
PLANS = ["free", "team", "pro", "enterprise"]


def cpu_ms():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def country_of(code):
    return chr(65 + code // 10) + chr(65 + code % 10)


def reached(levels):
    """Maps persons by furthest level to persons that reached each step."""
    return [sum(levels.get(level, 0) for level in range(step, len(STEPS) + 1)) for step in range(1, len(STEPS) + 1)]


def reached_by_country(rows):
    """Maps (country, level, persons) to [[country, persons that reached each step]], sorted by country."""
    levels = {}
    for country, level, persons in rows:
        levels.setdefault(country, {})[int(level)] = int(persons)
    counts = [[country, *reached(of)] for country, of in sorted(levels.items())]
    return [row for row in counts if row[1] > 0]


def answer(queries, about):
    """Prints `about`, then answers `queries`, name -> (run, shape), until stdin ends."""
    print(json.dumps({**about, "queries": list(queries)}), flush=True)
    for line in sys.stdin:
        run, shape = queries[line.strip()]
        cpu, start = cpu_ms(), time.perf_counter()
        found = run()
        wall = (time.perf_counter() - start) * 1000
        used = cpu_ms() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"wall_ms": wall, "cpu_ms": used, "peak_mb": peak, "answer": shape(found)}), flush=True)

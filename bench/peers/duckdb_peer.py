"""DuckDB: python duckdb_peer.py EVENTS.parquet WORK_FILE THREADS"""
import os
import sys
import time

import duckdb

from answering import PLAN, PLANS, STEPS, WINDOW_MS, answer, country_of, reached_by_country

events, work, threads = sys.argv[1:4]
for leftover in (work, work + ".wal"):
    if os.path.exists(leftover):
        os.remove(leftover)
db = duckdb.connect(work)
db.execute(f"SET threads = {threads}; SET memory_limit = '8GB'; SET preserve_insertion_order = false")

names = ", ".join(f"'{name}'" for name in STEPS)
number = "CASE name " + " ".join(f"WHEN '{name}' THEN {i + 1}" for i, name in enumerate(STEPS)) + " END::utinyint"
code = lambda column, values: f"(list_position({values}, {column}))::utinyint"
parquet = f"read_parquet('{events}')"


def load():
    """Loads the events sorted by person and time: with UUIDs and text, and as integer codes."""
    db.execute(f"CREATE TABLE texts AS SELECT ts, device::uuid device, name, country, plan "
               f"FROM {parquet} ORDER BY device, ts")
    db.execute(f"""CREATE TABLE codes AS SELECT ts, (dense_rank() OVER (ORDER BY device))::uinteger device,
        coalesce({number}, 0)::utinyint step,
        ((ascii(country) - 65) * 10 + ascii(country[2:2]) - 65)::utinyint country, {code('plan', PLANS)} plan
        FROM texts ORDER BY device, ts""")


def source(table, filtered):
    if table == "codes":
        plan = f" AND plan = {PLANS.index(PLAN) + 1}" if filtered else ""
        return f"SELECT device, ts, country, step FROM codes WHERE step > 0{plan}"
    plan = f" AND plan = '{PLAN}'" if filtered else ""
    relation = parquet if table == "parquet" else table
    return f"SELECT device, ts, country, {number} step FROM {relation} WHERE name IN ({names}){plan}"


def asof(table, filtered):
    """Finds for each event of a step the latest start that had reached the previous step."""
    sql = f"WITH e AS MATERIALIZED ({source(table, filtered)}), " \
          "l1 AS (SELECT device, ts, ts s, country FROM e WHERE step = 1)"
    for k in range(2, len(STEPS) + 1):
        sql += f""", l{k} AS MATERIALIZED (SELECT e.device, e.ts, p.s, e.country
            FROM (SELECT * FROM e WHERE step = {k}) e
            ASOF JOIN l{k - 1} p ON e.device = p.device AND e.ts >= p.ts WHERE e.ts - p.s <= {WINDOW_MS})"""
    return counted(sql, filtered)


def chained(table, filtered):
    """Finds from each start the earliest next step."""
    sql = f"WITH e AS MATERIALIZED ({source(table, filtered)}), " \
          "l1 AS (SELECT device, ts s, ts, country FROM e WHERE step = 1)"
    for k in range(2, len(STEPS) + 1):
        sql += f""", l{k} AS MATERIALIZED (SELECT p.device, p.s, min(e.ts) ts, p.country FROM l{k - 1} p
            JOIN e ON e.device = p.device AND e.step = {k} AND e.ts > p.ts AND e.ts <= p.s + {WINDOW_MS}
            GROUP BY ALL)"""
    return counted(sql, filtered)


def counted(sql, by_country):
    pick, group = ("country, ", " GROUP BY country") if by_country else ("", "")
    steps = range(1, len(STEPS) + 1)
    return sql + " UNION ALL ".join(f" SELECT {pick}{k}, count(DISTINCT device) FROM l{k}{group}" for k in steps)


def plain(found):
    return [persons for _, persons in sorted(found)]


def by_country(found):
    counts = {}
    for country, step, persons in found:
        counts.setdefault(country_of(country) if isinstance(country, int) else country, {})[step] = persons
    last = len(STEPS)
    levels = [(c, k, of.get(k, 0) - of.get(k + 1, 0)) for c, of in counts.items() for k in range(1, last + 1)]
    return reached_by_country(levels)


def queries():
    for table in ("texts", "codes", "parquet"):
        for way, statement in (("asof", asof), ("chained", chained)):
            for name, filtered, shape in (("funnel", False, plain), ("filtered", True, by_country)):
                sql = statement(table, filtered)
                yield f"{name} {table} {way}", (lambda sql=sql: db.execute(sql).fetchall(), shape)


start = time.perf_counter()
load()
answer(dict(queries()), {"load_s": time.perf_counter() - start})

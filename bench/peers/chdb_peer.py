"""chDB: python chdb_peer.py EVENTS.parquet WORK_DIR THREADS"""
import json
import shutil
import sys
import time

from chdb import session

from answering import PLAN, PLANS, STEPS, WINDOW_MS, answer, country_of, reached, reached_by_country

events, work, threads = sys.argv[1:4]
shutil.rmtree(work, ignore_errors=True)
chdb = session.Session(work)


def rows(sql):
    return json.loads(chdb.query(sql, "JSONCompact").bytes() or b'{"data":[]}')["data"]


def load():
    """Loads the events sorted by person and time: with UUIDs and low-cardinality text, and as integer codes."""
    chdb.query("CREATE DATABASE IF NOT EXISTS b")
    text = "LowCardinality(String)"
    chdb.query(f"CREATE TABLE b.texts (ts UInt64, device UUID, name {text}, country {text}, plan {text}) "
               "ENGINE=MergeTree ORDER BY (device, ts)")
    chdb.query(f"INSERT INTO b.texts SELECT toUInt64(ts), toUUID(device), name, country, plan "
               f"FROM file('{events}', Parquet)")
    chdb.query("OPTIMIZE TABLE b.texts FINAL")
    chdb.query("CREATE TABLE b.codes (ts UInt64, device UInt32, step UInt8, country UInt8, plan UInt8) "
               "ENGINE=MergeTree ORDER BY (device, ts)")
    chdb.query(f"""INSERT INTO b.codes SELECT ts, toUInt32(d.code), toUInt8(indexOf({STEPS}, name)),
        toUInt8((ascii(country) - 65) * 10 + ascii(substring(country, 2, 1)) - 65), toUInt8(indexOf({PLANS}, plan))
        FROM b.texts e JOIN (SELECT device, rowNumberInAllBlocks() code
        FROM (SELECT DISTINCT device FROM b.texts)) d USING device""")
    chdb.query("OPTIMIZE TABLE b.codes FINAL")


def funnel(table, ts, step, where, by_country, settings=""):
    conditions = ", ".join(step(i + 1, name) for i, name in enumerate(STEPS))
    group, pick = ("c, level", "any(country) AS c, ") if by_country else ("level", "")
    return f"""SELECT {group}, count() FROM (SELECT device, {pick}windowFunnel({WINDOW_MS})({ts}, {conditions}) AS level
        FROM {table} WHERE {where} GROUP BY device) GROUP BY {group} {settings}"""


names = ", ".join(f"'{name}'" for name in STEPS)
tables = {
    "texts": ("b.texts", "ts", lambda _, name: f"name = '{name}'", f"name IN ({names})", f" AND plan = '{PLAN}'"),
    "codes": ("b.codes", "ts", lambda number, _: f"step = {number}", "step > 0",
              f" AND plan = {PLANS.index(PLAN) + 1}"),
    "parquet": (f"file('{events}', Parquet)", "toUInt64(ts)", lambda _, name: f"name = '{name}'",
                f"name IN ({names})", f" AND plan = '{PLAN}'"),
}
in_order = "SETTINGS optimize_aggregation_in_order = 1"


def queries():
    plain = lambda found: reached({int(level): int(persons) for level, persons in found})
    by_country = lambda found: reached_by_country(
        [(country_of(c) if isinstance(c, int) else c, level, n) for c, level, n in found])
    for name, (table, ts, step, where, plan) in tables.items():
        for tag, settings in (("", ""), (" in order", in_order)):
            if tag and name == "parquet":
                continue
            sql = funnel(table, ts, step, where, False, settings)
            yield f"funnel {name}{tag}", (lambda sql=sql: rows(sql), plain)
            sql = funnel(table, ts, step, where + plan, True, settings)
            yield f"filtered {name}{tag}", (lambda sql=sql: rows(sql), by_country)


chdb.query(f"SET max_threads = {threads}")
start = time.perf_counter()
load()
answer(dict(queries()), {"load_s": time.perf_counter() - start})

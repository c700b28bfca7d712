"""Writes Parquet files of the generated events: python write_parquet.py DIR
DIR contains meta.json and one raw file per lane and column. Writes events.parquet for the peers (by time, ids as text,
with the person of each event), and sizes.json: the bytes per event of each column of the archive as Parquet, in the
archive's order, with device ids as 16 bytes."""
import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
meta = json.load(open(f"{folder}/meta.json"))
TYPES = {"ts": "<f8", "seq": "<f8", "position": "<f8", "received_at": "<f8",
         "device": "<u4", "person": "<u4", "user": "<u4",
         "name": "<u2", "url": "<u2", "country": "<u2", "plan": "<u2", "event_id": "V16"}


def read(column):
    lanes = range(meta["lanes"])
    return np.concatenate([np.fromfile(f"{folder}/lane-{lane}.{column}", dtype=TYPES[column]) for lane in lanes])


def dictionary(codes, values):
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes >= len(values)), pa.array(values))


def ids(values):
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(values.tobytes())])


def write(path, columns):
    plain = {name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
             for name, column in columns.items()}
    pq.write_table(pa.table(plain), path, compression="zstd", compression_level=3, row_group_size=1_000_000)


def uuid_texts(raw):
    digits = raw.tobytes().hex()
    at = range(0, len(digits), 32)
    return [f"{digits[i:i + 8]}-{digits[i + 8:i + 12]}-{digits[i + 12:i + 16]}-"
            f"{digits[i + 16:i + 20]}-{digits[i + 20:i + 32]}" for i in at]


whole = lambda column: pa.array(read(column).astype(np.int64))
text = {column: dictionary(read(column), meta["values"][column]) for column in ("name", "url", "country", "plan")}
devices = np.fromfile(f"{folder}/devices", dtype="V16")
event_id, ts = read("event_id"), read("ts").astype(np.int64)

order = np.argsort(ts, kind="stable")
by_time = pa.array(order)
persons = dictionary(read("person")[order], uuid_texts(devices))
write(f"{folder}/events.parquet", {
    "ts": pa.array(ts[order]), "device": persons,
    **{name: column.take(by_time) for name, column in text.items()}, "event_id": ids(event_id[order]),
})

rows = len(ts)
users = dictionary(read("user"), meta["values"]["user"])
archive = f"{folder}/archive.parquet"
write(archive, {
    "timestamp": pa.array(ts), "device_id": ids(devices[read("device")]), "event_id": ids(event_id),
    "seq": whole("seq"), "position": whole("position"),
    "index": pa.array(np.zeros(rows, dtype=np.int64)), "received_at": whole("received_at"),
    "type": pa.array(["custom"] * rows).dictionary_encode(),
    "name": text["name"], "data.url": text["url"], "country": text["country"], "data.plan": text["plan"], "user": users,
})
sizes = {}
about = pq.read_metadata(archive)
for group in range(about.num_row_groups):
    for column in range(about.num_columns):
        chunk = about.row_group(group).column(column)
        sizes[chunk.path_in_schema] = sizes.get(chunk.path_in_schema, 0) + chunk.total_compressed_size / rows
os.remove(archive)
json.dump(sizes, open(f"{folder}/sizes.json", "w"))

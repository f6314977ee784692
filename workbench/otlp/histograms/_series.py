"""Which data points belong to one series: the identity of a metric stream, as dense numbers.

A series is all points with equal resource attributes, scope (name, version, attributes), metric (name, type,
unit, temporality, monotonicity) and point attributes; the order of attributes does not matter. Identity is
exact: values are compared, not hashes of them.

Source: OpenTelemetry metrics data model, "OpenTelemetry Protocol data model: producer recommendations".
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["column_codes", "series_of"]

Codes = npt.NDArray[np.int64]
METRIC_COLUMNS = ("metric_type", "name", "unit", "aggregation_temporality", "is_monotonic")


def series_of(tables: Mapping[str, pa.Table], stem: str) -> Codes:
    """Return the series of each row of ``{stem}_data_points``, numbered from 0, `(n,) int64`."""
    metrics, points = tables["metrics"], tables[f"{stem}_data_points"]
    codes = np.zeros(len(metrics), np.int64)
    for name in METRIC_COLUMNS:
        codes = _joined(codes, column_codes(metrics[name]))
    for struct, own in (("resource", ()), ("scope", ("name", "version"))):
        ids = pc.struct_field(metrics[struct], "id").to_numpy().astype(np.int64)
        sets = _set_codes(tables[f"{struct}_attrs"], int(ids.max(initial=-1)) + 1)
        codes = _joined(codes, sets[ids])
        for name in own:
            codes = _joined(codes, column_codes(pc.struct_field(metrics[struct], name)))
    owner = points["parent_id"].to_numpy().astype(np.int64)
    return _joined(codes[owner], _set_codes(tables[f"{stem}_dp_attrs"], len(points)))


def _joined(left: Codes, right: Codes) -> Codes:
    """Return dense codes of the pairs of two columns of codes."""
    pairs = left * (int(right.max(initial=0)) + 1) + right
    return np.unique(pairs, return_inverse=True)[1].astype(np.int64)


def column_codes(column: pa.ChunkedArray) -> Codes:
    """Return a dense code for each value of a column, null being a value of its own."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):  # pyarrow of old: an empty column stays chunked
        encoded = pa.concat_arrays([chunk.indices for chunk in encoded.chunks] or [pa.array([], pa.int32())])
        return encoded.to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _set_codes(attributes: pa.Table, parents: int) -> Codes:
    """Return a code for the set of attributes of each parent, `(parents,)`; none are a set as well."""
    codes = np.zeros(len(attributes), np.int64)
    for name in attributes.column_names:
        if name != "parent_id":
            codes = _joined(codes, column_codes(attributes[name]))
    owner = attributes["parent_id"].to_numpy().astype(np.int64)
    order = np.lexsort((codes, owner))
    owner, codes = owner[order], codes[order] + 1
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    sets = np.zeros(parents, np.int64)
    for position in range(int(place.max(initial=-1)) + 1):
        here = np.zeros(parents, np.int64)  # 0 where a parent has fewer attributes
        chosen = (place == position) & (owner < parents)
        here[owner[chosen]] = codes[chosen]
        sets = _joined(sets, here)
    return sets

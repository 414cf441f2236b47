"""GeoPackage 1.3 for QGIS and other GIS: centre lines and outlines with all measures, through SQLite alone.

The unit is that of the photos' world files, or pixels with y upwards. A world file does not name its
reference system, so the layers have none ("undefined Cartesian"): set it in the GIS.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csbsr_mm.utils.atomic_file import replacing

from .data import CrackData, PhotoShapes
from .world import World, in_world, world_of

APPLICATION, VERSION = 0x47504B47, 10300
UNDEFINED_CARTESIAN = -1
LINE, POLYGON, MULTILINE = 2, 3, 5
"""Types of geometry in well-known binary."""
LAYERS = {'centre_lines': ('MULTILINESTRING', 'Centre lines'), 'outlines': ('POLYGON', 'Outlines')}
TYPES = {str: 'TEXT', int: 'INTEGER', float: 'REAL'}
FACTS = {'photo': str, 'crack': int, 'kind': str, 'decision': str, 'comment': str}
"""What is no number; all other facts are."""

SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY,
  organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL,
  identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""
WGS_84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",'
    '0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
SYSTEMS = (
    ('WGS 84', 4326, 'EPSG', 4326, WGS_84),
    ('Undefined Cartesian', UNDEFINED_CARTESIAN, 'NONE', -1, 'undefined'),
    ('Undefined geographic', 0, 'NONE', 0, 'undefined'),
)

Rows = list[tuple[bytes, NDArray[np.float64], dict]]


def write(data: CrackData, target: Path) -> int:
    """Write the file; returns the number of cracks."""
    rows: dict[str, Rows] = {name: [] for name in LAYERS}
    count = 0
    for photo in data.photos():
        count += len(photo.cracks)
        for name, *row in _rows(photo, world_of(photo.source)):
            rows[name].append(tuple(row))
    with replacing(target) as path:
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as base, base:
            base.executescript(
                f'PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};{SCHEMA}'
            )
            base.executemany('INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)', SYSTEMS)
            for name in LAYERS:
                _write_layer(base, name, rows[name])
    return count


def _rows(photo: PhotoShapes, world: World) -> Iterator[tuple[str, bytes, NDArray[np.float64], dict]]:
    """Layer, geometry, all its points, and facts."""
    for crack in photo.cracks:
        facts = photo.facts(crack)
        lines = [in_world(line, world) for line in crack.lines]
        if lines:
            parts = b''.join(_header(LINE) + _points(line) for line in lines)
            points = np.concatenate(lines)
            yield 'centre_lines', _header(MULTILINE) + struct.pack('<I', len(lines)) + parts, points, facts
        rings = [in_world(np.concatenate([ring, ring[:1]]), world) for ring in crack.rings]
        content = struct.pack('<I', len(rings)) + b''.join(map(_points, rings))
        yield 'outlines', _header(POLYGON) + content, rings[0], facts


def _write_layer(base: sqlite3.Connection, name: str, rows: Rows) -> None:
    kind, title = LAYERS[name]
    points = np.concatenate([points for _, points, _ in rows]) if rows else np.zeros((0, 2))
    extent: Sequence[float | None] = [None] * 4
    if rows:
        extent = [*points.min(0).tolist(), *points.max(0).tolist()]
    base.execute(
        'INSERT INTO gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id) '
        "VALUES (?, 'features', ?, ?, ?, ?, ?, ?)",
        (name, title, *extent, UNDEFINED_CARTESIAN),
    )
    base.execute(
        'INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, 0, 0)',
        (name, 'geom', kind, UNDEFINED_CARTESIAN),
    )
    columns = list(dict.fromkeys(column for _, _, facts in rows for column in facts))
    declared = ''.join(f', "{column}" {TYPES[FACTS.get(column, float)]}' for column in columns)
    base.execute(f'CREATE TABLE {name} (fid INTEGER PRIMARY KEY AUTOINCREMENT, geom {kind}{declared})')
    names = ', '.join(['geom', *(f'"{column}"' for column in columns)])
    base.executemany(
        f'INSERT INTO {name} ({names}) VALUES ({", ".join("?" * (len(columns) + 1))})',
        ([_geometry(shape, points), *map(facts.get, columns)] for shape, points, facts in rows),
    )


def _geometry(shape: bytes, points: NDArray[np.float64]) -> bytes:
    """A geometry with the header of GeoPackage: little-endian, with its envelope in x and y."""
    (left, bottom), (right, top) = points.min(0), points.max(0)
    return struct.pack('<2sBBi4d', b'GP', 0, 0b11, UNDEFINED_CARTESIAN, left, right, bottom, top) + shape


def _header(kind: int) -> bytes:
    return struct.pack('<BI', 1, kind)


def _points(points: NDArray[np.float64]) -> bytes:
    return struct.pack('<I', len(points)) + np.ascontiguousarray(points, '<f8').tobytes()

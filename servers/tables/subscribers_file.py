"""The subscribers of a file in either format, by its name: *.lmdb, or else CSV."""
from pathlib import Path

from servers.tables import subscribers_csv, subscribers_lmdb
from servers.tables.subscribers_csv import Subscribers


def read(path: str | Path) -> Subscribers:
    """ConfigurationError says in one line what is wrong."""
    return subscribers_lmdb.read(path) if Path(path).suffix == ".lmdb" else subscribers_csv.read(path)

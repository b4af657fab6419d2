"""Where a key stands in a TOML file, so that a mistake found after parsing can be shown with its line."""
import re

HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.\-\s\"']+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"^\s*([\w\-.\"' ]+?)\s*=")


def line_of(text: str, path: str) -> int | None:
    """The line (from 1) of a key or table such as `fha.aaah[1].secret`; that of its table when the key is not there."""
    wanted = parts(path)
    best: tuple[int, int] | None = None  # depth, line
    for line, here in keys(text):
        depth = len(here)
        if here == wanted[:depth] and (best is None or depth > best[0]):
            best = (depth, line)
    return best[1] if best else None


def parts(path: str) -> list[str]:
    return [part for part in re.split(r"\.|(?=\[)", path) if part]


def keys(text: str) -> list[tuple[int, list[str]]]:
    """Every table header and key with its line and whole path; the i-th of an array of tables is followed by `[i]`."""
    found: list[tuple[int, list[str]]] = []
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            name = dotted(header[2])
            table = numbered(name, counts, grows=header[1] == "[[")
            found.append((number, table))
        elif key := KEY.match(line):
            found.append((number, table + dotted(key[1])))
    return found


def dotted(name: str) -> list[str]:
    return [part.strip().strip("\"'") for part in name.split(".")]


def numbered(name: list[str], counts: dict[str, int], grows: bool) -> list[str]:
    """The path of a header with the index of each array of tables on it."""
    path: list[str] = []
    for depth, part in enumerate(name, 1):
        path.append(part)
        whole = ".".join(name[:depth])
        if grows and depth == len(name):
            counts[whole] = counts.get(whole, -1) + 1
        if whole in counts:
            path.append(f"[{counts[whole]}]")
    return path

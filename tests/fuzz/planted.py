"""Whether each target finds a bug: one is planted in what it decodes, in a tree of its own, and it must be found.

    python tests/fuzz/planted.py [--runs N] [TARGET ...]          behind `python tests/instrumented.py fuzz`, which builds the tree

A check of a length left out, a bound off by one, a refusal that is none. A target that finds no bug is no target.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
BUILT, TREE = ROOT / "build" / "fuzz", ROOT / "build" / "planted"


class Bug(NamedTuple):
    """`before`, which stands in the file once, becomes `after`."""

    target: str
    file: str
    before: str
    after: str


BUGS = (
    Bug("mip4", "fastcodec/wire.pyx", "if length > n - at - head:", "if length > n - at - head + 1:"),
    Bug("lint", "fastcodec/lint_view.py", "row.minimum <= place.end - place.value <= row.maximum",
        "place.end - place.value <= row.maximum"),
    Bug("radius", "fastcodec/radius.pyx", "if size < 2 or size > end - at or p[at] == 0:", "if size < 2 or p[at] == 0:"),
    Bug("radius", "fastcodec/radius.pyx", "if out.attributes == most_attributes:", "if out.attributes > most_attributes:"),
    Bug("radius_spaces", "fastcodec/attribute_items.pyx", "if end - p < 2 or p[1] < 2 or p[1] > end - p:", "if end - p < 2 or p[1] < 2:"),
    Bug("radius_spaces", "fastcodec/attribute_spaces.pyx", "row.kind == AS_EVS and n >= 5:", "row.kind == AS_EVS and n >= 1:"),
    Bug("mobility", "fastcodec/mip6.pyx", "if n - at < 2 or p[at + 1] > n - at - 2:", "if n - at < 2:"),
    Bug("mobility_packet", "fastcodec/headers.pyx", "if size < 8 or size > out.size - at:", "if size < 8:"),
    Bug("eap", "fastcodec/gpsk.py", "if at != len(data):", "if at > len(data):"),
    Bug("eap", "fastcodec/eap.py", "if data[0] > len(data) - 1:", "if data[0] > len(data):"),
    Bug("pana", "fastcodec/pana.pyx", "if n - at - head < (length + 3) // 4 * 4:", "if n - at - head < length // 4 * 4:"),
    Bug("agents", "fastcodec/agent_discovery.pyx", "if extensions_at(p) > n:", "if extensions_at(p) > n + 8:"),
    Bug("headers", "fastcodec/headers.pyx", "if head < 20 or head > out.size or out.size > n:", "if head < 20 or head > out.size:"),
    Bug("tunnels", "fastcodec/tunnel.pyx", "at += 4 * ((flags & GRE_CHECKSUM != 0)", "at += 4 * ((flags & GRE_CHECKSUM == GRE_KEY)"),
    Bug("tunnels", "fastcodec/tunnel.pyx", "    if size - out.inner < head:\n        return State.TOO_SHORT\n    if finish(",
        "    if finish("),
    Bug("shown", "fastcodec/json_text.pyx", "or p[k] == b'\"' or", "or"),
    Bug("from_json", "fastcodec/base.py", "except (msgspec.DecodeError, UnicodeError, TypeError) as error:",
        "except (msgspec.DecodeError, TypeError) as error:"),
    Bug("from_dict", "fastcodec/base.py", "except (ValueError, TypeError, KeyError):", "except (ValueError, TypeError):"),
    Bug("capture", "fastcodec/capture.py", "if captured > LONGEST_FRAME or captured > end - at - 16:", "if captured > LONGEST_FRAME:"),
    Bug("dictionary", "fastcodec/dictionary_file.pyx", "if path in self.stack:", "if path == self.path:"),
    Bug("decode_frames", "loadgen/decode/links.py", "else IPV4, 0) if octets else None", "else IPV4, 0)"),
    Bug("decode_frames", "loadgen/decode/views.py", "nai = f\" {printable(event.nai)}\"", "nai = f\" {event.nai}\""),
    Bug("decode_message", "loadgen/decode/hexadecimal.py", "if size >= 20 and octets[0] >> 4 == 4:", "if octets[0] >> 4 == 4:"),
    Bug("decode_message", "fastcodec/lint_shape.pyx", "EXT_NAI and n and memchr(value, 0, n) == NULL:", "EXT_NAI and n:"),
    Bug("keys_file", "loadgen/decode/keys.py", "except ValueError as error:", "except KeyError as error:"),
    Bug("registration_batch", "fastcodec/registration_batch.pyx", "if size < rule.least or size > rule.most:", "if size > rule.most:"),
    Bug("radius_batch", "fastcodec/attribute_index.pyx", "while end - at >= 2 and 2 <= p[at + 1] <= end - at:",
        "while 2 <= p[at + 1] <= end - at:"),
    Bug("mobility_batch", "fastcodec/mobility_batch.pyx", "== 0 or which[row] >= secrets.count or care_of", "== 0 or care_of"),
    Bug("agent_batch", "fastcodec/agent_batch.pyx", "<int> self._lengths[row], pieces", "<int> self.width, pieces"))


def tried(bug: Bug, runs: int) -> dict[str, object]:
    """The row that `run.py` reports of the target with the bug in place; the tree is as before afterwards."""
    path, report = TREE / bug.file, TREE / "planted.json"
    text = path.read_text()
    path.write_text(text.replace(bug.before, bug.after))
    try:
        built()
        subprocess.run([sys.executable, "tests/fuzz/run.py", "--runs", str(runs), "--seed", "1", "--report", str(report), bug.target],
                       cwd=TREE, env=sanitized(), check=False, capture_output=True)
        row: dict[str, object] = json.loads(report.read_text())[0]
        return row
    finally:
        path.write_text(text)


def built() -> None:
    import instrumented

    cc = instrumented.compiler("fuzz")
    subprocess.run([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], cwd=TREE, check=True, capture_output=True,
                   env=os.environ | {"MIPSTORM_BUILD": "fuzz", "CC": cc, "LDSHARED": f"{cc.split()[-1]} -shared"})


def sanitized() -> dict[str, str]:
    import instrumented

    return instrumented.environment("fuzz", TREE)


def main() -> int:
    parser = argparse.ArgumentParser(description="Plant a bug for every target, which must find it.")
    parser.add_argument("--runs", type=int, default=100_000, help="executions in which it must be found (default 100 000)")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args()
    if not BUILT.exists():
        parser.error("there is no instrumented build: python tests/instrumented.py fuzz")
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(BUILT, TREE)
    missed = 0
    for bug in BUGS:
        if not options.targets or bug.target in options.targets:
            row = tried(bug, options.runs)
            missed += bool(row["ok"])
            verdict = "MISSED" if row["ok"] else "found"
            print(f"{bug.target:20} {verdict:6} in {row['executions']:>8,}  {bug.file}: {bug.after.splitlines()[0].strip()}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Log lines: one an event whatever the text, and a server that survives its log."""
import json
import os

from hypothesis import given
from hypothesis import strategies as st

from servers.log import Log, escaped


def lines(*calls: tuple[str, tuple[str, ...], dict[str, object]]) -> list[str]:
    """What (format, arguments, facts) write."""
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8", newline="\n") as written:
        for kind, arguments, facts in calls:
            Log(kind, "fha", write)(*arguments, **facts)  # type: ignore[arg-type]
        os.close(write)
        return list(written)


def test_text_is_for_people_and_json_for_machines() -> None:
    event = ("dropped", "no_nai: 3 (5 in all)", "warning"), {"reason": "no_nai", "count": 3}
    text, machine = lines(("text", *event), ("json", *event))
    assert text == "mipstorm: fha: no_nai: 3 (5 in all)\n"
    told = json.loads(machine)
    assert told.pop("time").endswith("Z")
    assert told == {"level": "warning", "role": "fha", "event": "dropped", "reason": "no_nai", "count": 3,
                    "text": "no_nai: 3 (5 in all)"}


@given(st.text())
def test_whatever_the_text_it_is_one_line_of_printable_ascii(text: str) -> None:
    written = lines(("text", ("event", text), {}), ("json", ("event", text), {"fact": text}))
    assert len(written) == 2
    assert all(" " <= c <= "~" for line in written for c in line.removesuffix("\n"))
    assert (json.loads(written[1])["text"], json.loads(written[1])["fact"]) == (text, text)


@given(st.text())
def test_escaping_loses_nothing(text: str) -> None:
    assert escaped(text).encode().decode("unicode_escape") == text


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert escaped("a\x1b[2J\nb\\n\u202e\0") == r"a\x1b[2J\nb\\n\u202e\x00"


def test_a_full_disk_stops_nothing() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    log = Log("text", "", full)
    log("event", "text")
    log("event", "text")
    assert log.lost == 2
    os.close(full)

"""The result for the eye: what was run, what came of it, and loudly whatever makes the figures worth less."""
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from loadgen.result import Latency, Result
from loadgen.verdict import LIFE

SHOWN_VIOLATIONS = 10
STYLES = {"ok": "bold green", "generator-limited": "bold yellow", "goal-missed": "bold red",
          "invariant-violated": "bold white on red", "interrupted": "bold yellow", "child-died": "bold white on red"}


def print_report(result: Result, console: Console) -> None:
    console.print(Group(*sections(result)))


def sections(result: Result) -> Iterator[RenderableType]:
    yield Text(headline(result), style="bold")
    yield Rule(style="dim")
    yield outcomes(result)
    yield Text()
    yield latencies(result)
    yield Text()
    yield from facts(result)
    yield from warnings(result)
    yield verdict_line(result)


def headline(result: Result) -> str:
    cores = f"{result.cores} core{'s' if result.cores != 1 else ''}"
    partial = " - PARTIAL" if result.partial else ""
    return (f"mipstorm on {cores}: {result.scenario}, {result.nodes} nodes, seed {result.seed}, "
            f"{result.duration_s:.2f} s{partial}")


def columns(*names: str) -> Table:
    """A table of figures, narrow enough for 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(names[0], no_wrap=True, min_width=12)
    for name in names[1:]:
        table.add_column(name, justify="right", no_wrap=True, min_width=9)
    return table


def outcomes(result: Result) -> Table:
    """What became of whole bootstraps, and of each step."""
    table = columns("", "attempted", "succeeded", "failed", "timed out", "in flight")
    for name, tally in [("bootstrap", result.bootstraps), *result.steps.items()]:
        bad = "bold red" if tally.failed or tally.timed_out else ""
        table.add_row(name, str(tally.attempted), str(tally.succeeded), Text(str(tally.failed), bad),
                      Text(str(tally.timed_out), bad), str(tally.in_flight))
    return table


def latencies(result: Result) -> Table:
    """How long they took, counted from the intended send time."""
    table = columns("latency, ms", "p50", "p90", "p99", "p99.9", "max")
    for name, latency in result.latency_ms.items():
        table.add_row(name, *percentiles(latency))
    return table


def percentiles(latency: Latency) -> list[str]:
    return [figure(v) for v in (latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max)]


def figure(value: float | None) -> str:
    """Three significant digits, or a dash for what is not known."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def facts(result: Result) -> Iterator[RenderableType]:
    """Label and value, one a line."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("rate", rate(result))
    table.add_row("packets", counted(result.packets, ("sent", "received", "retransmitted")))
    if odd := counted(result.packets, ("late", "duplicate", "unmatched", "malformed", "bad_authenticator",
                                       "kernel_drops"), zeros=False):
        table.add_row("odd replies", Text(odd, "yellow"))
    if result.not_begun:
        table.add_row("not begun", Text(not_begun(result), "yellow"))
    if codes := reply_codes(result):
        table.add_row("replies", codes)
    for role, use in result.servers.items():
        table.add_row(role, used(use.cpu_s, use.max_rss_bytes, result)
                      + f", {use.packets_in} packets in, {use.packets_out} out")
        if use.dropped:
            table.add_row("", Text("dropped: " + ", ".join(f"{n} {why}" for why, n in sorted(use.dropped.items()))))
    lag = result.generator.send_lag_ms
    table.add_row("generator", used(result.generator.cpu_s, result.generator.max_rss_bytes, result)
                  + f", {result.generator.bytes_per_node:.0f} B a node"
                  + f", send lag p50 {figure(lag.p50)} p99 {figure(lag.p99)} max {figure(lag.max)} ms")
    if result.relaxed:
        table.add_row("relaxed", Text(", ".join(result.relaxed), "yellow"))
    yield table


def rate(result: Result) -> str:
    """Never without its success count, and never when it stands for something else."""
    if result.violations:
        return "withheld: a rule was violated (see below)"
    offered = f", {result.rate_per_s.offered:.0f} offered" if result.rate_per_s.offered is not None else ""
    limited = " - the generator's limit, not the servers'" if result.verdict == "generator-limited" else ""
    return (f"{result.rate_per_s.achieved:.0f} bootstraps/s achieved{offered} "
            f"({result.bootstraps.succeeded} of {result.bootstraps.attempted} succeeded){limited}")


def not_begun(result: Result) -> str:
    """Bootstraps of an open loop that count as failed, though no request of theirs was ever sent."""
    reasons = {"no_room": "no room", "still_under_way": "the node's last one still under way"}
    return ", ".join(f"{count} {reasons.get(why, why)}" for why, count in result.not_begun.items())


def counted(part: object, names: tuple[str, ...], zeros: bool = True) -> str:
    counts = [(getattr(part, name), name.replace("_", " ")) for name in names]
    return ", ".join(f"{count} {name}" for count, name in counts if count or zeros)


def reply_codes(result: Result) -> str:
    kinds = (("RADIUS", result.replies.radius), ("Mobile IPv4", result.replies.mip4), ("MIPv6", result.replies.mip6))
    return "; ".join(f"{kind} " + ", ".join(f"{n} x code {code}" for code, n in sorted(codes.items()))
                     for kind, codes in kinds if codes)


def used(cpu_s: float, rss: int, result: Result) -> str:
    """CPU time a bootstrap only where nothing else took any."""
    alone = result.bootstraps.succeeded and not LIFE & result.steps.keys()
    each = f" ({cpu_s / result.bootstraps.succeeded * 1e6:.1f} us a bootstrap)" if alone else ""
    return f"CPU {cpu_s:.2f} s{each}, {rss / 2**20:.0f} MiB"


def warnings(result: Result) -> Iterator[RenderableType]:
    for violation in result.violations[:SHOWN_VIOLATIONS]:
        yield Text(printable(f"VIOLATION {violation.kind}: {violation.detail}"), "bold white on red")
    if (more := len(result.violations) - SHOWN_VIOLATIONS) > 0:
        yield Text(f"VIOLATION and {more} more", "bold white on red")
    if result.hint:
        yield Text(printable(f"likely cause  {result.hint}"), "bold yellow")


def printable(text: str) -> str:
    """Text that came from elsewhere, without what a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def verdict_line(result: Result) -> Text:
    line = Text(f"verdict  {result.verdict}", STYLES[result.verdict])
    if result.verdict == "invariant-violated":
        line.append(f" ({len(result.violations)} found; no figure of this run counts)")
    elif result.reasons:
        line.append(printable(": " + "; ".join(result.reasons)))
    return line

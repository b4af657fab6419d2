"""Guesses why bootstraps failed, from the counters of a result: one sentence that saves a search."""
from collections.abc import Callable, Iterator

from loadgen import result as document
from loadgen.result import Result
from loadgen.verdict import LIFE

SECRET = "is the shared secret the same on both sides?"
RADIUS_REJECT = "3"
BAD_AUTHENTICATOR = ("bad_authenticator", "bad_message_authenticator", "bad_response_authenticator")
CROWDED = "the servers answer, but take longer than the generator has room to wait at this rate: lower --rate"
MIP4_CODES = {
    "130": "the FHA had no address left to lease: enlarge the pool, or load fewer nodes; or no disk: see its log",
    "128": "the FHA got no usable answer from its AAAH: is the AAAH up, and do their secrets match?",
    "131": "the AAAH refused the registrations: are the subscribers (keys, SPIs) the same on both sides?",
    "144": "the AAAH found the MN-AAA authenticators wrong: are the subscribers' keys the same on both sides?",
    "133": "Identifications were refused: do the clocks of both machines agree?",
    "136": "the home agent address is not the FHA's own: does --mip4 name the address that the AAAH hands out?",
}


def likely_cause(result: Result, is_refused: Callable[[document.Step], str | None] = lambda step: None) -> str | None:
    """None when nothing failed, or nothing is known that would explain most of it.

    `is_refused` asks the network, of a step that got no answer at all: the address where nothing listens.
    """
    failures = sum(t.failed + t.timed_out for t in
                   (result.bootstraps, *(tally for step, tally in result.steps.items() if step in LIFE)))
    failures -= sum(result.not_begun.values())                       # consequences of the others
    if not failures:
        return CROWDED if result.not_begun else None
    for step, tally in result.steps.items():
        if tally.attempted and tally.timed_out == tally.attempted and (address := is_refused(step)):
            return f"nothing listens at {address}: is the server up, and is that its address?"
    for guess in GUESSES:
        for cause in guess(result, failures):
            return cause
    return None


def elsewhere(result: Result, failures: int) -> Iterator[str]:
    """Answers from another port (or address) than was asked can be anyone's, and are not taken."""
    for step, stray in result.replies.strays.items():
        if 2 * stray.count >= failures:
            option, rule = ("--radius", "RFC 2865 section 3") if step == "access" else ("--mip4", "RFC 5944 section 3.4")
            port = stray.asked.rpartition(":")[0] == stray.source.rpartition(":")[0]
            yield (f"{stray.count} answers came from another {'port' if port else 'address'}: from {stray.source}, though "
                   f"{stray.asked} was asked; a server has to answer from where it was asked ({rule}): let it, or ask it at its "
                   f"own address with {option}")


def unsigned(result: Result, failures: int) -> Iterator[str]:
    """Answers that are right but for what CVE-2024-3596 made a duty; FreeRADIUS before 3.2.5 signs only EAP's."""
    if 2 * result.replies.unsigned >= failures:
        yield (f"{result.replies.unsigned} RADIUS answers have no Message-Authenticator, which is demanded: give "
               "--message-authenticator auto, or have the server send one (FreeRADIUS does from 3.2.5 on)")
    for role, use in result.servers.items():
        dropped = use.dropped.get("no_message_authenticator", 0)
        if 2 * dropped >= failures:
            yield (f"the {role.upper()} dropped {dropped} RADIUS packets without Message-Authenticator: have them signed, or set "
                   'require_message_authenticator = "auto" there')


def secret_mismatch(result: Result, failures: int) -> Iterator[str]:
    """Replies that do not verify, here or at a server."""
    if 2 * result.packets.bad_authenticator >= failures:
        yield f"secret mismatch? {result.packets.bad_authenticator} replies with a bad authenticator: {SECRET}"
    for role, use in result.servers.items():
        dropped = sum(use.dropped.get(reason, 0) for reason in BAD_AUTHENTICATOR)
        if 2 * dropped >= failures:
            yield f"secret mismatch? the {role.upper()} dropped {dropped} packets with a bad authenticator: {SECRET}"


def unknown_client(result: Result, failures: int) -> Iterator[str]:
    for role, use in result.servers.items():
        dropped = use.dropped.get("unknown_client", 0)
        if 2 * dropped >= failures:
            yield f"the {role.upper()} does not know us as a client ({dropped} packets dropped): list our network"


def silence(result: Result, failures: int) -> Iterator[str]:
    """Nothing came back: from nobody, or from the servers of one step."""
    if not result.packets.received:
        yield ("nothing answered: a server drops in silence what has a bad authenticator or comes from an unknown client: "
               f"{SECRET}")
    for step, tally in result.steps.items():
        if tally.attempted and tally.timed_out == tally.attempted and 2 * tally.timed_out >= failures:
            server = {"access": "the RADIUS server", "binding": "the home agent"}.get(step, "the FHA")
            other = "does its AAAH answer it (do their secrets match)" if step != "access" else "does it know these nodes"
            yield f"{server} answered no {step}: is it up, and {other}?"


def refusals(result: Result, failures: int) -> Iterator[str]:
    """One reply code that accounts for half of the failures."""
    if 2 * result.replies.radius.get(RADIUS_REJECT, 0) >= failures:
        yield ("the AAAH rejected the access: are the subscribers (NAIs, secrets) the same on both sides, and does its policy "
               "name an FHA for them?")
    for code, count in sorted(result.replies.mip4.items(), key=lambda item: -item[1]):
        if 2 * count >= failures and code in MIP4_CODES:
            yield f"{MIP4_CODES[code]} (code {code}: {count} times)"


def drops(result: Result, failures: int) -> Iterator[str]:
    if 2 * result.packets.kernel_drops >= failures:
        yield f"our sockets dropped {result.packets.kernel_drops} replies: enlarge --receive-buffer or lower the rate"
    for role, use in result.servers.items():
        dropped = use.dropped.get("kernel_drops", 0)
        if 2 * dropped >= failures:
            yield f"the sockets of the {role.upper()} dropped {dropped} packets: the load is more than it can take"


Guess = Callable[[Result, int], Iterator[str]]
GUESSES: tuple[Guess, ...] = (elsewhere, unsigned, secret_mismatch, unknown_client, refusals, drops, silence)

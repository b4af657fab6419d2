"""Old requests are refused: by timestamps (RFC 5944 5.7.1) and by nonces (5.7.2), under a key held already."""

from pathlib import Path

import pytest
from holder import Holder, Holding

from fastcodec import NonceReply

YEARS = 10 * 365.25 * 86_400
LOW = 0xffffffff


class Nonces(Holder):
    """The FHA asks for nonces, and the AAAH agrees."""

    fha_settings = {"nonces": True}  # noqa: RUF012

    def add_aaah(self) -> None:
        super().add_aaah()
        self.server.changes = {"Mipstorm_MN_FHA_Replay_Method": 3}


def next_after(reply_identification: int, low: int = 7) -> int:
    """The node's next Identification: the nonce it was sent, and one of its own."""
    return reply_identification >> 32 << 32 | low


# ---- timestamps ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("off", [7.5, -7.5, YEARS, -YEARS], ids=["+7.5 s", "-7.5 s", "+10 years", "-10 years"])
def test_wrong_clock_recovers_in_one_exchange(off: float) -> None:
    desk = Holder()
    held = desk.bootstrap()
    asked = desk.ntp(off)
    reply = desk.renew(held, identification=asked)
    assert (reply.code, reply.identification & LOW) == (133, asked & LOW)
    assert abs((reply.identification >> 32) - (desk.ntp() >> 32)) <= 1
    assert desk.renew(held, identification=reply.identification >> 32 << 32 | 1 << 31).code == 0


@pytest.mark.parametrize("window", [3, 7, 255])
def test_window(window: int) -> None:
    class Windowed(Holder):
        fha_settings = {"window_s": window}  # noqa: RUF012

    desk = Windowed()
    held = desk.bootstrap()
    assert desk.renew(held, identification=desk.ntp(window + 0.5)).code == 133
    assert desk.renew(held, identification=desk.ntp(window - 0.5)).code == 0


def test_equal_and_older_are_refused_and_move_nothing() -> None:
    desk = Holder()
    held = desk.bootstrap()
    moment = desk.ntp()
    assert desk.renew(held, identification=moment).code == 0
    before = desk.fha.leases()
    assert desk.renew(held, identification=moment, lifetime=5).code == 133
    desk.wait(1.1)
    assert desk.renew(held, identification=moment - 1, lifetime=0).code == 133
    desk.wait(6)
    assert desk.fha.leases() == before
    assert desk.count("identification_refused") == 2


def test_replay_after_a_restart(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    requests = [desk.renewal(held, lifetime=1000 + k, identification=desk.ntp(k / 1000)) for k in range(3)]
    for request in requests:
        assert desk.verified(desk.one(request), held).code == 0
    again = desk.restarted(tmp_path / "b", 1)
    assert again.verified(again.one(requests[2]), held).code == 133
    again.wait(1.1)
    assert again.verified(again.one(requests[0]), held).code == 133
    assert again.renew(held).code == 0
    for each in (desk, again):
        each.store.close()


class Restless(Holder):
    cool_down_s = 0


@pytest.mark.parametrize("image", [False, True], ids=["journal", "image"])
def test_replay_of_what_is_over_after_a_restart(image: bool, tmp_path: Path) -> None:
    """The image has no lease that could say up to when all is old."""
    desk = Restless(state=tmp_path / "a")
    request = desk.rrq()
    held = desk.taken(desk.one(request))
    desk.wait(0.1)
    assert desk.renew(held, lifetime=0).code == 0
    if image:
        desk.store.compact(desk.fha.records(desk.net.now, desk.wall()))
    again = desk.restarted(tmp_path / "b", 1)
    if image:
        again.store.compact(again.fha.records(again.net.now, again.wall()))
    third = again.restarted(tmp_path / "c", 1)
    assert third.read(third.one(request)).code == 133
    assert third.fha.leases() == {}
    assert third.bootstrap()
    for each in (desk, again, third):
        each.store.close()


def test_replay_of_what_is_over_after_the_window_grew() -> None:
    desk = Holder()
    request = desk.rrq()
    held = desk.taken(desk.one(request))
    desk.wait(0.1)
    assert desk.renew(held, lifetime=0).code == 0
    desk.wait(32)
    desk.fha.use_limits(max_lifetime_s=1800, window_s=255, strict=True, nonces=False)
    assert desk.read(desk.one(request)).code == 133
    assert desk.fha.leases() == {}
    assert desk.bootstrap()


def test_at_most_one_133_a_second() -> None:
    desk = Holder()
    held = desk.bootstrap()
    desk.wait(2)
    answered = [len(desk.send(desk.renewal(held, identification=desk.ntp(100 + k)))) for k in range(4)]
    assert answered == [1, 0, 0, 0]


# ---- nonces ----------------------------------------------------------------------------------------------------------

def bootstrapped(desk: Nonces) -> Holding:
    held = desk.bootstrap()
    assert held.reply.message.find(NonceReply).replay_method == 3
    return held


def test_the_wish_is_told_to_the_aaah() -> None:
    desk, without = Nonces(), Holder()
    bootstrapped(desk)
    assert desk.server.asked[0].attributes["Mipstorm-MN-FHA-Replay-Method"] == 3
    without.bootstrap()
    assert "Mipstorm-MN-FHA-Replay-Method" not in without.server.asked[0].attributes


def test_the_aaah_decides() -> None:
    desk = Nonces()
    desk.server.changes = {}
    held = desk.bootstrap()
    assert held.reply.message.find(NonceReply).replay_method == 2
    assert desk.renew(held).code == 0, "by time"


def test_nonces_follow_each_other() -> None:
    """Each reply names the nonce of the next request; the clock does not matter."""
    desk = Nonces()
    held = bootstrapped(desk)
    identification, seen = held.reply.message.identification, set()
    for k in range(5):
        asked = next_after(identification, 1000 + k)
        reply = desk.renew(held, identification=asked)
        assert (reply.code, reply.identification & LOW) == (0, 1000 + k)
        identification = reply.identification
        seen.add(identification >> 32)
        desk.wait(100)
    assert len(seen) == 5


def test_wrong_nonce_resynchronises_through_one_133() -> None:
    desk = Nonces()
    held = bootstrapped(desk)
    refused = desk.renew(held, identification=desk.ntp() & ~LOW | 12345)
    assert (refused.code, refused.identification & LOW) == (133, 12345)
    assert desk.renew(held, identification=next_after(refused.identification)).code == 0


def test_replayed_nonce_is_refused() -> None:
    """The duplicate of the last request is told what it was told; an older one is refused."""
    desk = Nonces()
    held = bootstrapped(desk)
    first = desk.renewal(held, identification=next_after(held.reply.message.identification))
    answer = desk.one(first)
    assert desk.one(first) == answer
    second = desk.renew(held, identification=next_after(desk.verified(answer, held).identification))
    assert second.code == 0
    assert desk.verified(desk.one(first), held).code == 133


def test_every_signed_refusal_names_the_next_nonce() -> None:
    desk = Nonces()
    held = bootstrapped(desk)
    refused = desk.renew(held, identification=next_after(held.reply.message.identification), agent="127.0.0.9")
    assert refused.code == 136
    assert desk.renew(held, identification=next_after(refused.identification)).code == 0


def test_stranger_does_not_move_the_nonce() -> None:
    desk = Nonces()
    held = bootstrapped(desk)
    forged = desk.verified(desk.one(desk.renewal(held, key=bytes(16), identification=1)), held)
    assert (forged.code, forged.identification) == (131, next_after(held.reply.message.identification, 1))
    assert desk.renew(held, identification=next_after(held.reply.message.identification)).code == 0


def test_rekeying_is_judged_by_time() -> None:
    """As the AAAH judges it; what follows goes by the nonce of that reply."""
    desk = Nonces()
    held = bootstrapped(desk)
    desk.wait(10)
    fresh = desk.taken(desk.one(desk.rekeying(held)))
    assert desk.renew(fresh, identification=next_after(fresh.reply.message.identification)).code == 0


def test_nonces_are_new_after_a_restart(tmp_path: Path) -> None:
    desk = Nonces(state=tmp_path / "a")
    held = bootstrapped(desk)
    first = desk.renewal(held, identification=next_after(held.reply.message.identification))
    reply = desk.verified(desk.one(first), held)
    unsent = desk.renewal(held, identification=next_after(reply.identification))
    again = desk.restarted(tmp_path / "b", 1)
    refused = again.verified(again.one(unsent), held)
    assert refused.code == 133
    again.wait(1.1)
    assert again.verified(again.one(first), held).code == 133
    again.wait(1.1)
    third = again.renew(held, identification=5)
    assert third.code == 133
    assert again.renew(held, identification=next_after(third.identification)).code == 0
    for each in (desk, again):
        each.store.close()


def test_given_back_by_nonce() -> None:
    desk = Nonces()
    held = bootstrapped(desk)
    reply = desk.renew(held, identification=next_after(held.reply.message.identification), lifetime=0)
    assert (reply.code, desk.fha.leases()) == (0, {})
    assert desk.renew(held, identification=next_after(reply.identification, 9), lifetime=0).code == 0


def test_clock_of_a_first_registration_is_corrected_though_nonces_follow() -> None:
    desk = Nonces()
    asked = desk.ntp(YEARS)
    reply = desk.ask(identification=asked)
    assert (reply.code, reply.is_signed) == (133, True)
    assert abs((reply.message.identification >> 32) - (desk.ntp() >> 32)) <= 1

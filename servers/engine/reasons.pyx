from fastcodec.status import Status

NAMES = {int(m): m.name.lower() for m in (*Status, *Reason)}
NUMBERS = {name: number for number, name in NAMES.items()}
# What is counted but costs nobody a packet.
EVENTS = {NAMES[int(r)] for r in (Reason.DUPLICATE_ANSWERED, Reason.DUPLICATE_RENEWED, Reason.FHA_UNBOUND,
                                  Reason.RETRANSMITTED, Reason.EXPIRED, Reason.RENEWED, Reason.HANDED_OVER, Reason.REKEYED,
                                  Reason.GIVEN_BACK, Reason.UPSTREAM_SUSPECT, Reason.UPSTREAM_BACK,
                                  Reason.UNSIGNED_SERVED, Reason.DISCONNECTED, Reason.SHORTENED, Reason.REVOKED,
                                  Reason.REVOCATION_ANSWERED, Reason.REVOCATION_UNANSWERED)}

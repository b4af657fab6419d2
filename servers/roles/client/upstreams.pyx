# The servers a client may ask: given in order of preference, reported for logs and figures.
from ipaddress import IPv4Address

from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_KEY_MD5, queue_job, run_queue
from fastcodec.radius cimport HEADER
from libc.stdint cimport uint16_t, uint32_t, uint8_t
from libc.string cimport memcmp, memcpy, memset
from servers.roles.client.health cimport watch
from servers.roles.client.identifiers cimport reserve_places
from servers.roles.client.state cimport (
    ALIVE, MOST_UPSTREAMS, NOT_REQUIRED, OUTSTANDING, REQUIRED, REQUIRED_ONCE_SEEN, Upstream, request_octets,
    transaction_at,
)

RULES = {"no": NOT_REQUIRED, "yes": REQUIRED, "auto": REQUIRED_ONCE_SEEN}


cdef int client_server(RadiusClient* client, bytes address, uint16_t port, bytes secret, str message_authenticator,
                       bint answers_probes, bint ours=True) except -1:
    """One more server, the least preferred; or, when address (packed) and port are known, its new secret (1-255 octets).
    `message_authenticator`: "yes", "no" or "auto" (once seen, required for ever); 8 servers at most."""
    cdef uint32_t k
    if not 1 <= len(secret) <= 255:
        raise ValueError(f"a shared secret has 1 to 255 octets, not {len(secret)}")
    for k in range(client.upstreams):
        if client.upstream[k].port == port and not memcmp(&client.upstream[k].address, <const uint8_t*> address, 4):
            break
    else:
        k = client.upstreams
        if k == MOST_UPSTREAMS:
            raise ValueError(f"more than {MOST_UPSTREAMS} servers")
        reserve_places(client, k + 1)
        memset(&client.upstream[k], 0, sizeof(Upstream))
        client.upstreams = k + 1
        memcpy(&client.upstream[k].address, <const uint8_t*> address, 4)
        client.upstream[k].port = port
        start_watching(client, k)
    client.upstream[k].message_authenticator, client.upstream[k].answers_probes = RULES[message_authenticator], answers_probes
    client.upstream[k].ours = ours
    set_secret(client, k, secret)
    return 0


cdef void start_watching(RadiusClient* client, uint32_t upstream) noexcept nogil:
    """The second server makes the first one worth watching, too."""
    if upstream:
        watch(client, upstream, client.now.monotonic)
    if upstream == 1:
        watch(client, 0, client.now.monotonic)


cdef void set_secret(RadiusClient* client, uint32_t k, bytes secret):
    cdef Upstream* upstream = &client.upstream[k]
    memcpy(upstream.secret, <const uint8_t*> secret, len(secret))
    upstream.secret_length = <uint32_t> len(secret)
    queue_job(client.queue, DIGEST_KEY_MD5, upstream.secret, upstream.secret_length, NULL, 0, NULL, &upstream.secret_key)
    run_queue(client.queue)
    sign_again(client, k)


cdef void sign_again(RadiusClient* client, uint32_t upstream) noexcept nogil:
    """Requests under way will be sent again, under the new secret; nothing in them but the Message-Authenticator depends on
    it (see radius_client)."""
    cdef uint8_t[16] digest
    cdef uint32_t index
    cdef uint8_t* packet
    for index in range(upstream * client.places, (upstream + 1) * client.places):
        if transaction_at(client, index).state == OUTSTANDING and transaction_at(client, index).tries:
            packet = request_octets(client, index)
            memset(packet + HEADER + 2, 0, 16)
            queue_job(client.queue, DIGEST_HMAC_MD5, packet, transaction_at(client, index).length, NULL, 0,
                      &client.upstream[upstream].secret_key, digest)
            run_queue(client.queue)
            memcpy(packet + HEADER + 2, digest, 16)


cdef list client_report(const RadiusClient* client):
    """[{address, alive, ...}] in order of preference."""
    cdef const Upstream* upstream
    cdef uint32_t k
    found = []
    for k in range(client.upstreams):
        upstream = &client.upstream[k]
        address = IPv4Address((<const uint8_t*> &upstream.address)[:4])
        found.append({"address": f"{address}:{upstream.port}", "alive": upstream.state == ALIVE,
                      "asked": upstream.asked, "answered": upstream.answered, "outstanding": upstream.requests,
                      "moved_away": upstream.moved_away, "timed_out": upstream.timed_out,
                      "suspected": upstream.suspected, "probes": upstream.probes})
    return found

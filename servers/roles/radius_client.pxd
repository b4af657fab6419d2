# The RADIUS client that the FHA and the generator's NAS share, as its owners see it.
#
# A request passes client_take -> client_begin -> (the role writes attributes) -> client_finish -> [digests] ->
# client_send; its answer passes the four stages. Nothing in a request may depend on its Request Authenticator but the
# Message-Authenticator, or it cannot move to another server.
#
#   parked        waits for       resumes at                    on timeout
#   transaction   an answer       the owner's stage after       sent again, RFC 5080 2.2.1, or moved to another server;
#                                 the question                  after the last try the owner resumes without an answer
from servers.roles.client.identifiers cimport client_close, client_open, client_release, client_take, client_turn
from servers.roles.client.receiving cimport client_receive
from servers.roles.client.sending cimport client_begin, client_finish, client_finish_for_ours, client_send
from servers.roles.client.state cimport (
    Answer, IDENTIFIERS, MOST_UPSTREAMS, NO_TRANSACTION, RadiusClient, Stray, Transaction, Upstream, note_stray,
    request_octets, transaction_at,
)
from servers.roles.client.timers cimport client_expire
from servers.roles.client.upstreams cimport client_report, client_server

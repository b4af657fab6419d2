"""What is done with any octets at all, a function a decoder, and what must hold then.

A decoder raises DecodeError or AuthenticationError, or what it gives encodes to octets that decode to its equal; to the same
octets wherever the format has one way to write it. A batch gives each row the status that the single decoder raises with.
"""
from __future__ import annotations

import mending
from rules import Target
from targets_batches import agent_batch, mobility_batch, radius_batch, registration_batch
from targets_decode import WORDS_OF_KEYS, decode_frames, decode_message, keys_file
from targets_files import WORDS_OF_DICTIONARIES, capture, dictionary
from targets_messages import agents, eap, headers, lint, mip4, mobility, mobility_packet, pana, radius, shown, tunnels
from targets_values import WORDS_OF_JSON, from_dict, from_json, varied

ALL = ("mip4", "radius", "mip6", "eap", "pana", "icmp", "packets")
TARGETS = {
    "mip4": Target(mip4, ("mip4",)), "lint": Target(lint, ("mip4", "icmp"), mend=mending.icmp),
    "radius": Target(radius, ("radius",), mend=mending.length),
    "radius_spaces": Target(radius, ("radius_spaces", "radius"), 2048, mending.length, kinds=True),
    "mobility": Target(mobility, ("mip6",), mend=mending.mobility),
    "mobility_packet": Target(mobility_packet, ("packets",), mend=mending.ip),
    "eap": Target(eap, ("eap",), mend=mending.length), "pana": Target(pana, ("pana",), mend=mending.whole_words),
    "agents": Target(agents, ("icmp",), mend=mending.icmp), "headers": Target(headers, ("packets", "tunnelled"), mend=mending.ip),
    "tunnels": Target(tunnels, ("tunnelled", "packets"), mend=mending.ip),
    "shown": Target(shown, ALL, mend=mending.length),
    "from_json": Target(from_json, ("json",), 4096, words=WORDS_OF_JSON),
    "from_dict": Target(from_dict, ("json",), 4096, vary=varied, words=WORDS_OF_JSON),
    "capture": Target(capture, ("captures",), 2048),
    "dictionary": Target(dictionary, ("dictionaries", "dictionary_folders"), 4096, words=WORDS_OF_DICTIONARIES),
    "decode_frames": Target(decode_frames, ("frames",), 2048, mending.frames),
    "decode_message": Target(decode_message, ("told_messages",)),
    "keys_file": Target(keys_file, ("keys_files",), 2048, words=WORDS_OF_KEYS),
    "registration_batch": Target(registration_batch, ("mip4",)), "radius_batch": Target(radius_batch, ("radius",), mend=mending.length),
    "mobility_batch": Target(mobility_batch, ("mip6",), mend=mending.mobility),
    "agent_batch": Target(agent_batch, ("icmp",), mend=mending.icmp)}

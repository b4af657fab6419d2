"""Extensions between octets and objects, whatever the messages they follow; what fits no class passes through whole."""
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from fastcodec.authenticators cimport is_authentication
from fastcodec.errors import EncodeError
from fastcodec.fields cimport Plan, octets_in
from fastcodec.wire cimport Piece, Shape, put16

cdef enum:
    SUBTYPES = 9             # 0 to 7 have a place of their own, the rest share one


cdef inline int _place(int type, int subtype) noexcept:
    return type * SUBTYPES + (subtype if 0 <= subtype < SUBTYPES - 1 else SUBTYPES - 1)


cdef bytes _zeros(object count):
    if not isinstance(count, int) or count < 0:
        raise EncodeError("Padding.count", f"{count!r} is no number of octets")
    return bytes(min(count, ROOM + 1))


cdef class ExtensionCodec:
    """The classes of a family of messages. A class whose plan has subtype -1 takes what no other of its type takes."""

    def __init__(self, unknown, padding, classes):
        self.unknown, self.padding, self.base = unknown, padding, unknown.__mro__[1]
        self.plans, self.shorts = [None] * (256 * SUBTYPES), [None] * (256 * SUBTYPES)
        for plan in sorted((cls.plan for cls in classes), key=lambda plan: plan.subtype):
            self._enter(plan)

    def _enter(self, Plan plan):
        cdef Plan other = self.plans[_place(plan.type, plan.subtype)]
        cdef list table = self.plans
        cdef int subtype
        if other is not None and other.shape == Shape.LONG and plan.shape == Shape.SHORT:
            table = self.shorts
        if plan.subtype >= 0:
            table[_place(plan.type, plan.subtype)] = plan
        else:
            for subtype in range(SUBTYPES):
                table[_place(plan.type, subtype)] = plan

    cdef Plan plan_of(self, const Piece* piece):
        cdef int place = _place(piece.type, piece.subtype)
        cdef Plan plan = self.plans[place]
        if plan is not None and plan.shape == Shape.LONG and piece.offset - piece.head != 4:
            plan = self.shorts[place]
        return plan

    cdef object make(self, const uint8_t* p, const Piece* piece):
        """An object of its class, or an unknown one when encoding that would not give the same octets.

        So is an authenticator of no octets, which would be computed.
        """
        cdef const uint8_t* head = p + piece.head
        cdef int n = piece.offset + piece.length - piece.head
        cdef Plan plan = self.plan_of(piece)
        if plan is None or not plan.fits(head, n) or (piece.length == 4 and is_authentication(piece.type, piece.subtype)):
            return self.unknown(<bytes> head[:n])
        return plan.make(head, plan.tail_of(head + plan.size, n - plan.size))

    cdef list make_all(self, const uint8_t* p, int n, int at, const Piece* pieces, int found):
        """Objects for all of p[at:n], runs of padding among them."""
        cdef list out = []
        cdef int k
        for k in range(found):
            if pieces[k].head > at:
                out.append(self.padding(pieces[k].head - at))
            out.append(self.make(p, &pieces[k]))
            at = pieces[k].offset + pieces[k].length
        if n > at:
            out.append(self.padding(n - at))
        return out

    cdef int put(self, object extension, Plan plan, uint8_t* at, bytes tail) except -1:
        """An extension of a class with a plan, `tail` behind its struct; the octets it takes."""
        cdef int n = plan.size + <int> len(tail)
        if len(tail) > 0xffff:
            raise EncodeError(plan.cls.__name__, f"{len(tail)} octets do not fit an extension")
        memset(at, 0, plan.size)
        plan.write(extension, at)
        memcpy(at + plan.size, <const uint8_t*> tail, len(tail))
        _put_header(plan, at, n)
        return n

    cdef Plan plan_for(self, object extension):
        """The plan of an extension's class; EncodeError when it is none."""
        plan = getattr(type(extension), "plan", None)
        if plan is None or not isinstance(extension, self.base):
            raise EncodeError("extensions", f"{type(extension).__name__} is no extension")
        return plan

    cdef int put_plain(self, object extension, uint8_t* at, int room) except -2:
        """Padding and what is unknown; -1 when it is neither."""
        cdef object cls = type(extension)
        cdef bytes octets
        if cls is self.unknown:
            octets = octets_in(extension.octets, "UnknownExtension.octets")
        elif cls is self.padding:
            octets = _zeros(extension.count)
        else:
            return -1
        if <Py_ssize_t> len(octets) > room:
            raise EncodeError(f"{cls.__name__}.{cls.__struct_fields__[0]}", "the message is longer than a datagram")
        memcpy(at, <const uint8_t*> octets, len(octets))
        return <int> len(octets)


cdef int _put_header(Plan plan, uint8_t* at, int length) except -1:
    """Type, subtype and the length of what follows the header, as the shape wants them. RFC 5944 1.9-1.11."""
    at[0] = <uint8_t> plan.type
    if plan.shape == Shape.LONG:
        if plan.subtype >= 0:
            at[1] = <uint8_t> plan.subtype
        if length - 4 > 0xffff:
            raise EncodeError(plan.cls.__name__, f"{length - 4} octets do not fit an extension of two length octets")
        put16(at + 2, length - 4)
        return 0
    if length - 2 > 255:
        raise EncodeError(plan.cls.__name__, f"{length - 2} octets do not fit an extension of one length octet")
    at[1] = <uint8_t> (length - 2)
    if plan.shape == Shape.SHORT and plan.subtype >= 0:
        at[2] = <uint8_t> plan.subtype
    return 0

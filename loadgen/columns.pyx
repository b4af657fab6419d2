# What the subscribers file says of the nodes, as the stages read it.
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy
from loadgen.load cimport LOCATION, Text


cdef int take_columns(Load* load, columns) except -1:
    """The columns that pointers lead into are the caller's to keep."""
    cdef const uint32_t[::1] spi = columns.spi
    cdef const uint16_t[::1] location = columns.location_index
    cdef bytes text
    cdef uint32_t k
    take_text(&load.columns.nai, columns.nai)
    take_text(&load.columns.key, columns.key)
    take_text(&load.columns.secret, columns.access_secret)
    load.columns.spi, load.columns.location = &spi[0], &location[0]
    for k in range(<uint32_t> len(columns.locations)):
        text = columns.locations[k].encode()[:LOCATION - 1] or b"nas"
        load.locations[LOCATION * k] = <uint8_t> len(text)
        memcpy(load.locations + LOCATION * k + 1, <const uint8_t*> text, len(text))
    return 0


cdef int take_text(Text* text, column) except -1:
    """A column of octets that the fleet keeps."""
    cdef const uint8_t[::1] octets = column.blob
    cdef const uint32_t[::1] offsets
    if octets.shape[0] == 0:
        raise ValueError("every subscriber needs a NAI, an access secret and a key")
    text.octets, text.offsets, text.width = &octets[0], NULL, column.width
    if not column.width:
        offsets = column.offsets
        text.offsets = &offsets[0]
    return 0

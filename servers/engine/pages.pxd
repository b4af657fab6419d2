# Large pages for tables, where the kernel has them: the rows in use lie all over, and each small page of them costs a walk
# through the page tables.
cdef extern from "<sys/mman.h>" nogil:
    int madvise(void* at, size_t n, int advice)
    enum:
        MADV_HUGEPAGE

cdef inline void expect_use(void* at, size_t n) noexcept nogil:
    """Of memory just allocated and not touched yet; a kernel that knows no large pages ignores it."""
    cdef size_t start = (<size_t> at + 4095) // 4096 * 4096
    if n > 8192:
        madvise(<void*> start, n - 4096, MADV_HUGEPAGE)

"""MD5, HMAC-MD5, HMAC-SHA1 and HMAC-SHA256 with prepared keys: one message, or many at once in the lanes of vectors."""
from fastcodec.digest.jobs import (
    PreparedKey,
    PreparedKeys,
    compare,
    hmac_md5,
    hmac_md5_batch,
    hmac_sha1,
    hmac_sha1_batch,
    hmac_sha256,
    hmac_sha256_batch,
    md5,
    md5_batch,
    use_width,
    width,
    widths,
)

__all__ = [
    "PreparedKey",
    "PreparedKeys",
    "compare",
    "hmac_md5",
    "hmac_md5_batch",
    "hmac_sha1",
    "hmac_sha1_batch",
    "hmac_sha256",
    "hmac_sha256_batch",
    "md5",
    "md5_batch",
    "use_width",
    "width",
    "widths",
]

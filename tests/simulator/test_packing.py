"""Gzip of a kept beginning and a fresh end."""

import gzip
import zlib

from jobs.simulator.packing import pack


def test_packed_beginning_and_rest_are_one_gzip_member() -> None:
    beginning = b'{"pets":[' + b"x" * 100_000
    packed = pack(beginning)
    for rest in (b'],"_links":{}}', b"", b"y" * 60_000):
        assert gzip.decompress(packed.gzip(rest)) == beginning + rest
        assert packed.plain(rest) == beginning + rest
    reader = zlib.decompressobj(31)
    assert reader.decompress(packed.gzip(b"!")) == beginning + b"!"
    assert reader.eof
    assert reader.unused_data == b""

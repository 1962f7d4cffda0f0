"""Turns the parts of a MATLAB file into the certainty that each is one: SciPy's reader crashes on some that are not.

Format 5 (https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf): elements of type, size and content, some
of them compressed, some of them matrices that hold elements again.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

from ...errors import StreamMismatch

MATRIX, COMPRESSED = 14, 15
NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 16, 17, 18}
CELL, STRUCT, OBJECT, SPARSE, FUNCTION = 1, 2, 3, 5, 16
COMPLEX = 0x800
MOST_BYTES = 4 << 30
"""Unpacked."""
DEEPEST = 50
"""Matrices within matrices."""


class _Damaged(Exception):
    """It is no such part."""


def check_mat(path: Path, asked: str) -> None:
    """Raise `StreamMismatch` unless a file of format 5 is whole; other formats pass."""
    content = path.read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if content[:10] == b"MATLAB 7.3" and content[126:128] == b"IM":
        return  # HDF5 inside
    try:
        if order is None or content[124:126] != struct.pack(f"{order}H", 0x0100) or 0 in content[:4]:
            raise _Damaged("its header is not of format 5")
        _check_elements(memoryview(content)[128:], order, 0)
    except (_Damaged, struct.error, zlib.error) as error:
        found = f"a damaged MATLAB file: {str(error)[:80]}"
        raise StreamMismatch(asked, found, "save it again, or convert it to EDF or FIF") from error


def _check_elements(content: memoryview, order: str, depth: int) -> None:
    while len(content):
        kind, inside, content = _next(content, order)
        if kind == COMPRESSED and depth == 0:
            unpack = zlib.decompressobj()
            unpacked = unpack.decompress(bytes(inside), MOST_BYTES)
            if not unpack.eof:
                raise _Damaged("a part is cut short")
            _check_elements(memoryview(unpacked), order, 1)
        elif kind == MATRIX:
            _check_matrix(inside, order, depth + 1)
        else:
            raise _Damaged(f"a part of type {kind}")


def _check_matrix(content: memoryview, order: str, depth: int) -> None:
    """Flags, size and name; then its numbers, or matrices."""
    if depth > DEEPEST:
        raise _Damaged("too many parts within parts")
    if not len(content):  # an empty one is written as nothing at all
        return
    kind, flags, content = _next(content, order)
    if kind != 6 or len(flags) != 8:
        raise _Damaged("a matrix without flags")
    word = struct.unpack(f"{order}I", flags[:4])[0]
    of = word & 0xFF
    kind, size, content = _next(content, order)
    if kind != 5 or not 1 <= of <= FUNCTION or of == SPARSE or len(size) % 4 or not 8 <= len(size) <= 128:
        raise _Damaged("a matrix of no size or kind")
    sizes = struct.unpack(f"{order}{len(size) // 4}i", size)
    kind, _, content = _next(content, order)
    if kind != 1 or min(sizes) < 0:
        raise _Damaged("a matrix of no size or name")
    if of in (CELL, STRUCT, OBJECT, FUNCTION):
        fields = 1
        if of in (STRUCT, OBJECT):
            fields, content = _fields(content, order, of)
        # The reader counts, and does not look where the parts end; so there must be exactly as many.
        _check_parts(content, order, depth, 1 if of == FUNCTION else math.prod(sizes) * fields)
        return
    for _ in range(2 if word & COMPLEX else 1):
        kind, _, content = _next(content, order)
        if kind not in NUMBERS:
            raise _Damaged(f"a part of type {kind} where numbers should be")
    if len(content):
        raise _Damaged("more numbers than a matrix holds")


def _fields(content: memoryview, order: str, of: int) -> tuple[int, memoryview]:
    """How many fields a structure has, and what follows their names."""
    if of == OBJECT:
        _, _, content = _next(content, order)
    kind, length, content = _next(content, order)
    each = struct.unpack(f"{order}i", length)[0] if kind == 5 and len(length) == 4 else 0
    kind, names, content = _next(content, order)
    if kind != 1 or not 1 <= each <= 64 or len(names) % each:
        raise _Damaged("a structure without names")
    return len(names) // each, content


def _check_parts(content: memoryview, order: str, depth: int, n: int) -> None:
    found = 0
    while len(content):
        kind, inside, content = _next(content, order)
        if kind != MATRIX:
            raise _Damaged(f"a part of type {kind} where a matrix should be")
        _check_matrix(inside, order, depth + 1)
        found += 1
    if found != n:
        raise _Damaged(f"{found} parts where {n} should be")


def _next(content: memoryview, order: str) -> tuple[int, memoryview, memoryview]:
    """Type and content of the first element, and what follows it."""
    kind, size = struct.unpack(f"{order}II", content[:8])
    if kind >> 16:  # a small one, with its content where others have their size
        if kind >> 16 > 4:
            raise _Damaged("a small part that is not small")
        return kind & 0xFFFF, content[4 : 4 + (kind >> 16)], content[8:]
    end = 8 + size
    if end > len(content):
        raise _Damaged("a part is cut short")
    padded = end if kind == COMPRESSED else end + -end % 8
    return kind, content[8:end], content[padded:]

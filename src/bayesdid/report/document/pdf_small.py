"""The same PDF in fewer bytes: its objects are packed and compressed as PDF 1.5 allows.

Typst writes every element of the structure that screen readers follow as an object of its own,
uncompressed: three quarters of a file with tables. Nothing is left out here.

References
----------
ISO 32000-1:2008, sections 7.5.7 (object streams) and 7.5.8 (cross-reference streams).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from itertools import pairwise

_EACH = 200  # objects of one stream: a reader unpacks all of them to find one
_OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)\s*endobj\s*\Z", re.DOTALL)
_WIDTHS = (1, 4, 2)  # bytes of a cross-reference: its kind, where, which


def compact(pdf: bytes) -> bytes:
    """Pack all objects that are no streams.

    Parameters
    ----------
    pdf
        A file with a plain table of cross-references, not encrypted; any other is returned as it
        is.
    """
    found = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", pdf)
    if found is None or not pdf.startswith(b"xref", int(found[1])):
        return pdf
    start = int(found[1])
    table, _, rest = pdf[start:].partition(b"trailer")
    trailer = rest[rest.index(b"<<") + 2 : rest.rindex(b">>")]
    offsets = sorted(int(o) for o in re.findall(rb"(\d{10}) \d{5} n", table))
    bodies = _bodies(pdf, [*offsets, start])
    whole = {k: body for k, body in bodies.items() if body.endswith(b"endstream")}
    packed = [(k, body) for k, body in bodies.items() if k not in whole]
    number = max(bodies) + 1
    where: dict[int, tuple[int, int, int]] = {}
    for first in range(0, len(packed), _EACH):
        group = packed[first : first + _EACH]
        where |= {k: (2, number, place) for place, (k, _) in enumerate(group)}
        whole[number] = _packed(group)
        number += 1
    out = bytearray(pdf[: offsets[0]])
    for k, body in whole.items():
        where[k] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (k, body)
    end = len(out)
    where[number] = (1, end, 0)
    said = re.sub(rb"/Size \d+", b"", trailer)
    rows = (where.get(k, (0, 0, 65535)) for k in range(number + 1))
    head = b"/Type/XRef/Size %d/W[%d %d %d]%b" % (number + 1, *_WIDTHS, said)
    out += b"%d 0 obj\n%b\nendobj\n" % (number, _stream(head, _bytes(rows)))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % end)


def _bodies(pdf: bytes, bounds: list[int]) -> dict[int, bytes]:
    """Objects by their number, between the places where they begin."""
    found = {}
    for begin, end in pairwise(bounds):
        made = _OBJECT.match(pdf[begin:end])
        assert made is not None, pdf[begin : begin + 40]
        found[int(made[1])] = made[2]
    return found


def _packed(group: list[tuple[int, bytes]]) -> bytes:
    """One stream of objects, headed by the number and the place of each."""
    places, at = [], 0
    for k, body in group:
        places.append(b"%d %d" % (k, at))
        at += len(body) + 1
    head = b" ".join(places) + b"\n"
    text = head + b"\n".join(body for _, body in group)
    return _stream(b"/Type/ObjStm/N %d/First %d" % (len(group), len(head)), text)


def _stream(head: bytes, text: bytes) -> bytes:
    data = zlib.compress(text, 9)
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (head, len(data), data)


def _bytes(rows: Iterable[tuple[int, int, int]]) -> bytes:
    return b"".join(
        value.to_bytes(width, "big")
        for row in rows
        for value, width in zip(row, _WIDTHS, strict=True)
    )

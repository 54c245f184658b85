"""Fonts that articles and figures are typeset with, and which characters none of them has."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bayesdid.extras import extra
from bayesdid.notebook import many

FAMILIES = ("Libertinus Serif", "DejaVu Sans", "Noto Sans CJK SC")
_NO_FONT = "\u0378"  # a code point that is no character


@contextmanager
def fonts() -> Iterator[Any]:
    """``typst.Fonts`` of packages, of Chinese, Japanese and Korean too, and of the system."""
    with extra("report"):
        import matplotlib as mpl
        import noto_cjk_sans_otc
        import typst

    with TemporaryDirectory() as folder:
        own = Path(mpl.get_data_path()) / "fonts" / "ttf"
        for file in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):  # others there hold empty boxes
            shutil.copy(own / file, folder)
        east = str(Path(str(noto_cjk_sans_otc.FONT_PATH)).parent)
        yield typst.Fonts(font_paths=[folder, east])


def without_glyph(texts: Iterable[str], known: Any) -> str:
    """Characters of texts that are typeset as an empty box, in order of code points.

    Each is typeset on a page of its own, and compared with one that no font has.
    """
    with extra("report"):
        import typst

    asked = sorted({c for text in texts for c in text if not c.isascii() and c.isprintable()})
    if not asked:
        return ""
    families = ", ".join(f'"{name}"' for name in FAMILIES)
    pages = "\n#pagebreak()\n".join(f'#"{c}"' for c in (_NO_FONT, *asked))
    source = f"#set text(font: ({families}))\n{pages}"
    drawn = typst.compile(source.encode(), format="svg", font_paths=known)
    box, *others = (_shape(page) for page in pages_of(drawn))
    return "".join(c for c, shape in zip(asked, others, strict=True) if shape == box)


def pages_of(made: bytes | list[bytes] | None) -> list[bytes]:
    """Pages; of one page, and of a PDF, the compiler gives no list."""
    return [made] if isinstance(made, bytes) else made or []


def _shape(page: bytes) -> bytes:
    """The first glyph of a page, by the digest of its outline; empty without one."""
    _, _, rest = page.partition(b'<use xlink:href="#')
    return rest.partition(b'"')[0]


def boxes(lacking: str) -> str:
    """That an article has boxes in the place of characters, and what to do, without any of them."""
    return (
        f"No font here has {many(len(lacking), 'character')} of this report: empty boxes stand in "
        f"their place in report.pdf and figures/, while index.html shows them in any browser. To "
        f"have them there too, install a font that has them and write the report again."
    )

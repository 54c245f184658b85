"""What mkdocs changes in a page: what readers do not see, and links to files outside docs/."""

import re

HIDDEN = re.compile(r"<!-- run\n.*?-->\n", flags=re.S)
OUTSIDE = re.compile(
    r"(?<!!)\[([^\]]+)\]\((?:\.\./)+(?:README|ARCHITECTURE|CONTRIBUTING|CHANGELOG|src|models|reports|tests|data)[^)]*\)"
)
ROLES = re.compile(r":(?:func|class|mod|data|meth|attr):(?=<)")


def on_page_markdown(markdown, *, page, **_):
    """A page without hidden code; links to the repository's own files become their words."""
    up = page.file.src_uri.count("/")
    text = HIDDEN.sub("", markdown)
    return OUTSIDE.sub(lambda m: m[0] if m[0].count("../") <= up else m[1], text)


def on_page_content(html, **_):
    """A page without the names of Sphinx's roles, which docstrings have before what they name."""
    return ROLES.sub("", html)

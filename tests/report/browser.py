"""A page in a headless browser: what its own script says, as values."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest


def said_by(page, folder):
    """What a script of `page` makes the title of its window, which it writes as JSON."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs a browser")
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"]
    command = [browser, *options, path.as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(unescape(re.search(r"<title>(.*?)</title>", dumped, re.DOTALL)[1]))

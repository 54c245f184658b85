"""What documentation says of families, made from their registry: `make map`."""

import sys
from pathlib import Path

from bayesdid.families.registry.discover import shipped
from bayesdid.families.registry.docs import with_tables
from bayesdid.families.registry.schemas import schemas, write_schemas

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "study-format.md")

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests" / "docs"))
    from family_facts import with_facts
    from schema_page import schema_page

    known = shipped()
    for page in (ROOT / "docs" / "family").glob("*.md"):
        text = with_facts(page.read_text(encoding="utf-8"), known, ROOT / "docs")
        page.write_text(text, encoding="utf-8")
    for page in PAGES:
        text = with_tables(page.read_text(encoding="utf-8"), known.values())
        page.write_text(text, encoding="utf-8")
    write_schemas(ROOT / "docs" / "schema", known)
    (ROOT / "docs" / "study-fields.md").write_text(schema_page(schemas()), encoding="utf-8")

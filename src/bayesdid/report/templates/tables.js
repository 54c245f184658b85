"use strict";
/* Long tables: a click on a heading sorts, a field above filters. What is hidden is hidden on a
   screen only: print shows every row, in the order that the report has. */
const number = (text) => {
  const found = text.replace(/\u2212/g, "-").replace(/\u00a0/g, " ").match(/^[<>≤≥±\s]*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)/i);
  return found ? Number(found[1]) : NaN;
};
for (const table of document.querySelectorAll("table.long")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const said = document.createElement("p");
  said.className = "soft counted";
  said.setAttribute("role", "status");
  const text = (row, k) => (row.cells[k] ? row.cells[k].textContent.trim() : "");
  const compare = (k) => (a, b) => {
    const [x, y] = [text(a, k), text(b, k)], [m, n] = [number(x), number(y)];
    if (Number.isNaN(m) && Number.isNaN(n)) return x.localeCompare(y);
    return Number.isNaN(m) ? 1 : Number.isNaN(n) ? -1 : m - n;
  };
  const heads = [...table.tHead.rows[0].cells];
  const grouped = rows.some((row) => row.cells.length === 1) || body.querySelector("svg");
  if (!grouped) {
    heads.forEach((head, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const now = was === "none" ? "ascending" : was === "ascending" ? "descending" : "none";
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", now);
        const sorted = now === "none" ? rows : [...rows].sort(compare(k));
        const missing = (row) => now === "descending" && text(row, k) === "–";
        const kept = sorted.filter((row) => !missing(row)), last = sorted.filter(missing);
        body.append(...(now === "descending" ? kept.reverse() : kept), ...last);
      });
    });
    window.addEventListener("beforeprint", () => {
      for (const head of heads) head.setAttribute("aria-sort", "none");
      body.append(...rows);
    });
  }
  const label = document.createElement("label");
  label.className = "filter soft";
  const field = document.createElement("input");
  field.type = "search";
  label.append("Rows with ", field);
  field.addEventListener("input", () => {
    const asked = field.value.trim().toLowerCase().replace(/\u2212/g, "-");
    let shown = 0;
    for (const row of rows) {
      const own = row.textContent.toLowerCase().replace(/\u2212/g, "-").replace(/\u00a0/g, " ");
      const out = asked !== "" && row.cells.length > 1 && !own.includes(asked);
      row.classList.toggle("out", out);
      if (!out && row.cells.length > 1) shown += 1;
    }
    const all = rows.filter((row) => row.cells.length > 1).length;
    said.textContent = asked === "" ? "" : `${shown} of ${all} rows`;
  });
  const box = table.closest(".tablebox");
  box.prepend(label, said);
}

/* What the theme leaves out for a keyboard and a screen reader: code and tables that scroll can be
   focused, and the dialog of the search has a name. The theme makes both after the page is read. */
const reachable = () => {
  const boxes = ".md-typeset pre > code:not([tabindex='0']), .md-typeset__scrollwrap:not([tabindex])";
  document.querySelectorAll(boxes).forEach((box) => {
    box.tabIndex = 0;
  });
  document.querySelectorAll(".md-search[role=dialog]:not([aria-label])").forEach((box) => {
    box.setAttribute("aria-label", "Search");
  });
};
reachable();
new MutationObserver(reachable).observe(document.body, {
  childList: true, subtree: true, attributes: true, attributeFilter: ["tabindex", "role"],
});

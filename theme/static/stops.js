/* Lets the keyboard reach the boxes that scroll. The theme would measure every box of the page at once,
   also those folded away, which a browser would otherwise not lay out. Here a box is measured when the
   browser has given it a size: at first, after a change of width, and when it is unfolded. */

addEventListener("load", () => {
  const scrolls = (box) =>
    box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  const sized = new ResizeObserver((seen) => {
    // All are measured before the first is marked, because a mark has the page laid out again.
    const found = seen.map(({ target }) => [target, scrolls(target)]);
    found.forEach(([box, scrolling]) => {
      box.tabIndex = scrolling ? 0 : -1;
    });
  });
  document
    .querySelectorAll("pre, .cell_output > .output, .pst-scrollable-table-container")
    .forEach((box) => sized.observe(box));
});

/* Paper is white: a page that is read in the dark is printed in the light. */

window.matchMedia("print").addEventListener("change", (print) => {
  const root = document.documentElement;
  if (print.matches) {
    root.dataset.onScreen = root.dataset.theme;
    root.dataset.theme = "light";
  } else if (root.dataset.onScreen) {
    root.dataset.theme = root.dataset.onScreen;
  }
});

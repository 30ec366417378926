/* Sets the formulas when one is in sight, or a reader does anything at all: MathJax is a megabyte,
   and the text should not wait for it. A few formulas at a time, so that the page can be scrolled
   meanwhile. Whoever needs all of them sends "beforeprint" to the window and waits for the
   attribute data-maths="set" of the root element. */

(() => {
  const MATHJAX = new URL("mathjax/tex-chtml.js", document.currentScript.src).href;
  const AT_A_TIME = 8;
  const SIGNS_OF_A_READER = ["beforeprint", "keydown", "pointerdown", "pointermove", "scroll"];
  const formulas = [...document.querySelectorAll(".math")].filter(
    (formula) => !formula.parentElement.closest(".math"),
  );
  const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

  async function setAll() {
    for (let first = 0; first < formulas.length; first += AT_A_TIME) {
      await MathJax.typesetPromise(formulas.slice(first, first + AT_A_TIME));
      await pause();
    }
    // Laying the page out starts the loading of the formulas' fonts.
    document.body.getBoundingClientRect();
    await document.fonts.ready;
    document.documentElement.dataset.maths = "set";
  }

  // A formula that is in sight at once; for those below, the first movement starts the loading.
  const watcher = new IntersectionObserver(
    (formulasSeen) => formulasSeen.some((seen) => seen.isIntersecting) && load(),
  );

  function load() {
    watcher.disconnect();
    SIGNS_OF_A_READER.forEach((sign) => window.removeEventListener(sign, load));
    window.MathJax = {
      ...window.mathsSettings,
      startup: { typeset: false, ready: () => (MathJax.startup.defaultReady(), setAll()) },
    };
    const script = document.createElement("script");
    script.src = MATHJAX;
    document.head.append(script);
  }

  function watch() {
    SIGNS_OF_A_READER.forEach((sign) => window.addEventListener(sign, load, { passive: true }));
    formulas.forEach((formula) => watcher.observe(formula));
  }

  if (document.readyState === "complete") watch();
  else window.addEventListener("load", watch);
})();

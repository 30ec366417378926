/* What a search shows first, and what of a page: Sphinx's scores, and these on top of them. */

const asked = (new URLSearchParams(location.search).get("q") ?? "").trim().toLowerCase();
const numbered = asked.match(/^chapter (\d+)$/)?.[1].padStart(2, "0");

var Scorer = {
  score: (result) => {
    const [page, title, , , score] = result;
    named(result);
    // "exercise 7" is how a page is called whose title goes on behind the number.
    if (asked && title.toLowerCase().startsWith(`${asked}:`)) return score + 100;
    if (numbered && page.startsWith(`chapters/${numbered}-`)) return score + 100;
    // A page that teaches a word comes before its definition, and both before the rest.
    return page === "appendices/glossary" ? score - 1 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  term: 5,
  // Whole words come first: "own" is a part of "shown" and of "unknown".
  partialTitle: 4,
  partialTerm: 2,
};

function named(result) {
  const [page, title, anchor] = result;
  const { alltitles, docnames, titles } = Search._index;
  const number = docnames.indexOf(page);
  const whole = titles[number];
  // Sphinx takes the title of a page with a number for a section of it.
  if (title.startsWith(`${whole} > `) && whole.endsWith(` ${title.slice(whole.length + 3)}`))
    result.splice(1, 2, whole, "");
  // A section to which words lead is named as one whose heading has the words.
  const isHere = ([file, id]) => file === number && id && `#${id}` === anchor;
  const heading = Object.entries(alltitles).find(([, places]) => places.some(isHere))?.[0];
  if (heading && title === whole) result[1] = `${whole} > ${heading}`;
}

/* An excerpt begins with a sentence of the text that has the most of the words, or with the first,
   and is about three lines long; code, tables and formulas are left out. */

const LENGTH = 240;
const SKIPPED = ".cell, pre, nav, .explorer, .exercise-card, .headerlink, .section-number";
const FORMULA = "\ufffc";

/* The paragraphs of a page, or of the section or the glossary's entry at the anchor: each a list of
   its sentences. */
function prose(html, anchor) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const text = page.querySelector('[role="main"] article');
  text?.querySelectorAll(SKIPPED).forEach((one) => one.remove());
  text?.querySelectorAll(".math").forEach((one) => one.replaceWith(FORMULA));
  let place = (anchor && text?.querySelector(`#${CSS.escape(anchor.slice(1))}`)) || text;
  while (place?.matches("dt")) place = place.nextElementSibling;
  return [...(place?.querySelectorAll("p, li, dd") ?? [])]
    .filter((one) => !one.querySelector("p, li"))
    .map((one) => one.textContent.replace(/\s+/g, " ").trim())
    .filter((one) => /[.:?]$/.test(one))
    .map((one) => one.split(/(?<=[.?]) (?=[“(\p{Lu}])/u).filter((part) => !part.includes(FORMULA)));
}

function excerpt(html, stems, anchor) {
  const stemmer = new Stemmer();
  const found = (sentence) => {
    const words = new Set(splitQuery(sentence.toLowerCase()).map((one) => stemmer.stemWord(one)));
    return [...stems].filter((stem) => words.has(stem)).length;
  };
  let best = { score: -1, text: "" };
  for (const sentences of prose(html, anchor)) {
    sentences.forEach((sentence, at) => {
      const score = found(sentence);
      if (score > best.score) best = { score, text: sentences.slice(at).join(" ") };
    });
  }
  if (best.text.length <= LENGTH) return best.text;
  return `${best.text.slice(0, best.text.lastIndexOf(" ", LENGTH))} ...`;
}

// Sphinx puts this script behind its own and before the index, whose coming starts the search.
Search.makeSearchSummary = (html, stems, anchor) => {
  const textContent = excerpt(html, stems, anchor);
  return Object.assign(document.createElement("p"), { className: "context", textContent });
};

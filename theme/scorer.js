/* Which result of a search comes first: Sphinx's scores, and these on top of them. */

const asked = (new URLSearchParams(location.search).get("q") ?? "").trim().toLowerCase();
const numbered = asked.match(/^chapter (\d+)$/)?.[1].padStart(2, "0");

var Scorer = {
  score: ([page, title, , , score]) => {
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
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

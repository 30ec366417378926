// Measure pages with Lighthouse and print one line of JSON a page.
//
//   node measure.mjs CHROMIUM FORM ADDRESS...     FORM: mobile | desktop
//
// Lighthouse slows processor and network down as it does by default for a phone; "desktop" is its
// own configuration of that name.
import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

const [chromium, form, ...addresses] = process.argv.slice(2);
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];

function failing(report) {
  const counted = Object.values(report.categories).flatMap((category) =>
    category.auditRefs.filter((ref) => ref.weight > 0).map((ref) => report.audits[ref.id]),
  );
  return counted
    .filter((audit) => audit.score !== null && audit.score < 0.9)
    .map((audit) => `${audit.id}: ${audit.displayValue || audit.title}`);
}

async function measure(address, port) {
  const { lhr } = await lighthouse(
    address,
    { port, output: "json", logLevel: "error" },
    form === "desktop" ? desktopConfig : undefined,
  );
  const scores = Object.entries(lhr.categories).map(([name, { score }]) => [
    name,
    Math.round(100 * score),
  ]);
  return {
    address,
    scores: Object.fromEntries(scores),
    paint: Math.round(lhr.audits["largest-contentful-paint"].numericValue),
    failing: failing(lhr),
  };
}

const chrome = await launch({ chromePath: chromium, chromeFlags: FLAGS });
try {
  for (const address of addresses) {
    console.log(JSON.stringify(await measure(address, chrome.port)));
  }
} finally {
  await chrome.kill();
}

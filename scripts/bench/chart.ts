import { ratiosOf, type Report } from "./results.ts";
import { WORKLOADS } from "./workloads.ts";

const ROW = 20, HEAD = 74, LEFT = 470, WIDTH = 460, RIGHT = 70, FOOT = 34;
/** The axis is logarithmic, from a hundredth to ten times. */
const LOWEST = 0.01, HIGHEST = 10;
/** A shade for each peer, over TLS and plain. */
const BARS = [
  { tls: true, peer: "ngircd", colour: "#0b5fa5" },
  { tls: true, peer: "inspircd", colour: "#6aaee0" },
  { tls: false, peer: "ngircd", colour: "#a54b00" },
  { tls: false, peer: "inspircd", colour: "#e8a05c" },
] as const;

/**
 * How ours compare with the peers, as an SVG: a bar for each ratio, from 1 to the right where ours is
 * better. It has a background of its own, so it can be read on light pages and on dark ones.
 */
export function drawChart({ date, results }: Report): string {
  const groups = WORKLOADS.map((workload) => ({ workload, ratios: ratiosOf(results, workload) }))
    .filter(({ ratios }) => ratios.length > 0);
  let y = HEAD;
  const parts: string[] = [];
  for (const { workload, ratios } of groups) {
    const bars = BARS.flatMap((bar) => {
      const found = ratios.find(({ ours, peer }) => ours.tls === bar.tls && peer === bar.peer);
      return found === undefined ? [] : [{ ...bar, ratio: found.ratio }];
    });
    const middle = y + bars.length * ROW / 2;
    parts.push(text(LEFT - 10, middle - 3, workload.title, "end"));
    parts.push(text(LEFT - 10, middle + 12, workload.figures[0]!.title, "end", "#57606a"));
    for (const { colour, ratio } of bars) {
      const [from, to] = [position(1), position(ratio)].toSorted((a, b) => a - b) as [
        number,
        number,
      ];
      parts.push(
        `<rect x="${from}" y="${y + 3}" width="${round(to - from)}" height="${ROW - 6}" ` +
          `fill="${colour}"/>`,
        text(LEFT + WIDTH + 8, y + 14, ratio.toFixed(2), "start"),
      );
      y += ROW;
    }
    y += 12;
  }
  return page(y, [
    text(16, 24, `chatserver compared with IRC servers, ${date}`, "start", "#1f2328", 15),
    text(16, 44, "right of 1: ours is better; the scale is logarithmic", "start", "#57606a"),
    ...axis(y),
    ...parts,
    ...legend(y + 22),
  ]);
}

/** Where a ratio stands on the axis. */
function position(ratio: number): number {
  const held = Math.min(HIGHEST, Math.max(LOWEST, ratio));
  return round(LEFT + WIDTH * Math.log(held / LOWEST) / Math.log(HIGHEST / LOWEST));
}

function axis(bottom: number): string[] {
  return [0.01, 0.1, 0.5, 1, 2, 10].flatMap((ratio) => {
    const x = position(ratio);
    const [colour, width] = ratio === 1 ? ["#1f2328", 1.5] : ["#d0d7de", 1];
    return [
      `<line x1="${x}" y1="${HEAD - 6}" x2="${x}" y2="${bottom}" stroke="${colour}" ` +
      `stroke-width="${width}"/>`,
      text(x, HEAD - 12, `${ratio}`, "middle", "#57606a"),
    ];
  });
}

function legend(y: number): string[] {
  return BARS.flatMap(({ tls, peer, colour }, index) => {
    const x = 16 + index * 150;
    return [
      `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${colour}"/>`,
      text(x + 18, y, `${peer}, ${tls ? "TLS" : "plain"}`, "start"),
    ];
  });
}

function page(bottom: number, parts: readonly string[]): string {
  const [width, height] = [LEFT + WIDTH + RIGHT, bottom + FOOT];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#f6f8fa"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: "start" | "middle" | "end",
  colour = "#1f2328",
  size = 12,
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}" ` +
    `font-size="${size}">${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

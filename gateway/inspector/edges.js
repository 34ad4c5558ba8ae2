// SPDX-License-Identifier: Apache-2.0
// The simulated locations side by side, as this page saw their traffic.
import { bytes, h, percent, table, number } from "./dom.js";
import { seen } from "./store.js";

const NONE = { requests: 0, hits: 0, cacheable: 0, refused: 0, errors: 0, bytes: 0 };

function rows(gateway) {
  return gateway.edges.map((edge) => {
    const sums = seen.edges.get(edge.name) ?? NONE;
    return [h("strong", {}, edge.name), edge.country, number(edge.isolates), number(sums.requests), number(percent(sums.hits, sums.cacheable)),
      number(sums.refused), number(sums.errors), number(bytes(sums.bytes))];
  });
}

export function show(main, gateway) {
  const box = h("div");
  const draw = () => box.replaceChildren(table(["Edge", "Country", "Isolates", "Requests", "Hit ratio", "429", "5xx", "Sent"], rows(gateway)));
  main.append(h("h2", {}, "Edges"), h("p.quiet", {}, "Counted since this page was opened. A trusted client chooses its edge with X-Nearedge-Edge."), box);
  document.addEventListener("rows", draw);
  draw();
  return () => document.removeEventListener("rows", draw);
}

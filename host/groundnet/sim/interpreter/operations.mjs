// The numbers of shim/operations.py.

import { readFileSync } from "node:fs";

const text = readFileSync(new URL("../shim/operations.py", import.meta.url), "utf8");

export const OPERATIONS = Object.fromEntries(
  [...text.matchAll(/^([A-Z0-9_]+) = (\d+)/gm)].map(([, name, number]) => [name, Number(number)]),
);

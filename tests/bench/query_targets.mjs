// What the project promises about its speed in the set `query`. How a target is judged: targets.mjs.

const SQL = ['sqlite', 'pglite', 'duckdb']

export const queryTargets = [
  { measure: 'filter', than: 'dexie', most: 1 / 300 },
  { measure: 'filter', than: 'best', among: SQL, most: 1 },
  ...['sites', 'hours'].flatMap(group => [
    { measure: `${group}_first`, than: 'dexie', most: 1 / 100 },
    { measure: `${group}_first`, than: 'duckdb', most: 1.5 },
    { measure: group, than: 'dexie', most: 1 / 1000 },
    { measure: group, than: 'duckdb', most: 1.5 },
  ]),
  { measure: 'columns', than: 'number', most: 2 },
  { measure: 'columns_first', than: 'number', most: 2, isStretch: true },
  { measure: 'live_1_share', than: 'number', most: 1.2 },
  { measure: 'live_100_share', than: 'number', most: 1.2 },
  { measure: 'live_10000_share', than: 'number', most: 1.5 },
  { measure: 'schema_share', than: 'number', most: 1.15 },
  { measure: 'text_words', than: 'number', most: 3 },
  { measure: 'text_prefix', than: 'number', most: 3 },
]

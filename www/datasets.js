// The sample data: what there is, how it is kept, and how it is read.
// It comes from the npm package `vega-datasets`, as it is: nulls, numbers as titles and odd dates stay what they are.

/** Collections by name, in the form that `open` takes, with what the page needs to know to load them. */
export const datasets = {
  flights: {
    title: 'Flights', about: 'US flights of 2001: dates, delays, distances', files: ['flights-20k.json'],
    config: { key: 'id', indexes: ['date', 'delay', 'distance', ['origin', 'date'], 'destination'] },
    shown: ['date', 'origin', 'destination', 'delay', 'distance'],
    examples: [
      { title: 'From San Francisco, by date', filter: { origin: 'SFO' }, sort: 'date' },
      { title: 'Hours late over short ways', filter: { delay: { $gte: 120 }, distance: { $lt: 300 } }, sort: '-delay' },
      { title: 'New York or Boston', filter: { $or: [{ origin: { $in: ['JFK', 'LGA'] } }, { destination: 'BOS' }] }, sort: '-date' },
    ],
    charts: [
      { title: 'Average delay by hour of the day, minutes', label: hour => `${String(hour).padStart(2, '0')}:00`, pipeline: [{ $group: { _id: { $hour: '$date' }, value: { $avg: '$delay' } } }, { $sort: { _id: 1 } }] },
      { title: 'Flights by week', label: week => week.toISOString().slice(0, 10), pipeline: [{ $group: { _id: { $dateTrunc: { date: '$date', unit: 'week', startOfWeek: 'monday' } }, value: { $sum: 1 } } }, { $sort: { _id: 1 } }] },
      { title: 'Flights by origin, the busiest', pipeline: [{ $group: { _id: '$origin', value: { $sum: 1 } } }, { $sort: { value: -1, _id: 1 } }, { $limit: 20 }] },
      {
        title: 'Average delay by origin, minutes, where there are 100 flights',
        pipeline: [{ $group: { _id: '$origin', n: { $sum: 1 }, value: { $avg: '$delay' } } }, { $match: { n: { $gte: 100 } } }, { $sort: { value: -1 } }, { $limit: 20 }],
      },
    ],
    read: async ([file]) => JSON.parse(file).map((flight, n) => ({ id: `f${String(n).padStart(5, '0')}`, ...flight, date: readDate(flight.date) })),
  },
  airports: {
    title: 'Airports', about: 'where they fly from and to', files: ['airports.csv'],
    config: { key: 'iata', indexes: ['state', 'city', 'latitude'] },
    shown: ['name', 'city', 'state', 'latitude', 'longitude'],
    examples: [
      { title: 'Names with "International"', filter: { name: { $regex: 'international', $options: 'i' } }, sort: 'state,city' },
      { title: 'North of 60°', filter: { latitude: { $gt: 60 } }, sort: '-latitude' },
    ],
    charts: [{ title: 'Airports by state', pipeline: [{ $sortByCount: '$state' }, { $project: { value: '$count' } }, { $limit: 20 }] }],
    read: async ([file]) => readCsv(file).map(row => ({ ...row, latitude: Number(row.latitude), longitude: Number(row.longitude) })),
  },
  movies: {
    title: 'Movies', about: 'as found: nulls, numbers as titles, odd dates', files: ['movies.json'],
    config: { key: 'id', indexes: ['Title', 'Director', 'IMDB Rating', ['Major Genre', 'IMDB Rating'], 'Worldwide Gross'] },
    shown: ['Title', 'Release Date', 'Director', 'IMDB Rating', 'Worldwide Gross'],
    examples: [
      { title: 'Titles that are numbers', filter: { Title: { $type: 'number' } } },
      { title: 'Praised and earning little', filter: { 'IMDB Rating': { $gte: 8 }, 'Worldwide Gross': { $lt: 1e6 } }, sort: '-IMDB Rating' },
    ],
    charts: [
      { title: 'Average rating by genre', pipeline: [{ $group: { _id: '$Major Genre', value: { $avg: '$IMDB Rating' } } }, { $sort: { value: -1 } }] },
      {
        title: 'Films by rating', label: low => `${low} to ${low + 1}`,
        pipeline: [{ $match: { 'IMDB Rating': { $type: 'number' } } }, { $bucket: { groupBy: '$IMDB Rating', boundaries: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], output: { value: { $sum: 1 } } } }],
      },
    ],
    read: async ([file]) => JSON.parse(file).map((movie, n) => ({ id: `m${String(n).padStart(4, '0')}`, ...movie })),
  },
  earthquakes: {
    title: 'Earthquakes', about: 'one week of them, as nested GeoJSON', files: ['earthquakes.json'],
    config: { key: 'id', indexes: ['properties.mag', 'properties.time', ['properties.type', 'properties.mag'], 'properties.net'] },
    shown: ['properties.mag', 'properties.place', 'properties.time', 'geometry.coordinates'],
    examples: [
      { title: 'Strong, in Alaska', filter: { 'properties.mag': { $gte: 4 }, 'properties.place': { $regex: 'Alaska' } }, sort: '-properties.mag' },
      { title: 'No earthquakes', filter: { 'properties.type': { $ne: 'earthquake' } } },
    ],
    charts: [
      {
        title: 'By strength', label: low => `${low} to ${low + 1}`,
        pipeline: [{ $match: { 'properties.mag': { $type: 'number' } } }, { $bucket: { groupBy: '$properties.mag', boundaries: [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9], output: { value: { $sum: 1 } } } }],
      },
      { title: 'By day', label: day => day.toISOString().slice(0, 10), pipeline: [{ $group: { _id: { $dateTrunc: { date: '$properties.time', unit: 'day' } }, value: { $sum: 1 } } }, { $sort: { _id: 1 } }] },
    ],
    read: async ([file]) => JSON.parse(file).features.map(feature => ({ ...feature, properties: { ...feature.properties, time: new Date(feature.properties.time), updated: new Date(feature.properties.updated) } })),
  },
}

/** Documents in one commit of a load: large enough to be quick, small enough to show progress. */
const BATCH = 1000

/** Loads a data set, commit by commit; `onProgress` is told how far it is. Loading it again replaces it. */
export async function load(collection, dataset, { signal, onProgress }) {
  const files = await Promise.all(dataset.files.map(async file => {
    const response = await fetch(`/data/${file}`, { signal })
    if (!response.ok) throw new Error(`/data/${file} answered ${response.status}`)
    return response.text()
  }))
  const documents = await dataset.read(files)
  const started = performance.now()
  for (let done = 0; done < documents.length; done += BATCH) {
    await collection.bulkPut(documents.slice(done, done + BATCH), { signal })
    onProgress({ done: Math.min(done + BATCH, documents.length), total: documents.length })
    // The page stays alive between two commits.
    await new Promise(resolve => setTimeout(resolve))
  }
  return { count: documents.length, ms: performance.now() - started }
}

/** `2001/01/14 21:55`, taken as UTC. */
function readDate(text) {
  const [, year, month, day, hour, minute] = /^(\d+)\/(\d+)\/(\d+) (\d+):(\d+)$/.exec(text)
  return new Date(Date.UTC(year, month - 1, day, hour, minute))
}

/** Comma-separated values with quotes (RFC 4180), by the names of the first line. */
function readCsv(text) {
  const [names, ...rows] = text.trim().split(/\r?\n/).map(line => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain))
  return rows.map(row => Object.fromEntries(names.map((name, column) => [name, row[column]])))
}

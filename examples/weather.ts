// Asks one server for the weather of several cities at the same time, remembers it in another server's knowledge graph,
// and gives back only what matters.
import * as everything from "servers/everything";
import * as memory from "servers/memory";
import { getState, log } from "ampoule";

type City = "New York" | "Chicago" | "Los Angeles";
const cities: City[] = input?.cities ?? ["New York", "Chicago", "Los Angeles"];

const reports = await Promise.all(
  cities.map(async (location) => ({ location, ...(await everything.getStructuredContent({ location })) })),
);
log("info", `asked for ${reports.length} cities`);

await memory.createEntities({
  entities: reports.map(({ location, conditions, temperature }) => ({
    name: location,
    entityType: "city",
    observations: [`${conditions}, ${temperature} degrees`],
  })),
});

const state = getState<{ runs?: number }>();
state.runs = (state.runs ?? 0) + 1;

const warmest = reports.toSorted((a, b) => b.temperature - a.temperature)[0];
return { warmest: warmest?.location, degrees: warmest?.temperature, cities: reports.length, runs: state.runs };

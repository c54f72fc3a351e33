/**
 * Tools for catalogs that are larger than what the installed servers have: of servers as teams connect them, each tool about as long as
 * those of the real servers (a test holds it to that), so that the comparison is not won by their size.
 */

/** A tool as `tools/list` has it. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly annotations: { readonly readOnlyHint: boolean };
}

export interface GeneratedServer {
  readonly name: string;
  readonly tools: readonly ListedTool[];
}

/** Servers and the things that they are about. */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  tickets: ['ticket', 'comment', 'assignee', 'queue', 'escalation'],
  billing: ['invoice', 'payment', 'refund', 'subscription', 'coupon'],
  calendar: ['event', 'attendee', 'room', 'reminder', 'schedule'],
  crm: ['contact', 'account', 'deal', 'pipeline', 'activity'],
  deploys: ['release', 'environment', 'rollback', 'pipeline_run', 'artifact'],
  mail: ['message', 'thread', 'label', 'draft', 'attachment'],
  wiki: ['page', 'space', 'revision', 'template', 'backlink'],
  metrics: ['dashboard', 'alert', 'series', 'annotation', 'threshold'],
  warehouse: ['item', 'shipment', 'supplier', 'location', 'stock_count'],
  people: ['employee', 'team', 'absence', 'review', 'position'],
  source: ['repository', 'branch', 'pull_request', 'commit', 'code_owner'],
  design: ['canvas', 'component', 'style', 'prototype', 'asset'],
  surveys: ['survey', 'question', 'response', 'audience', 'invitation'],
  contracts: ['contract', 'clause', 'signature', 'counterparty', 'renewal'],
  travel: ['trip', 'booking', 'traveller', 'expense', 'itinerary'],
  ads: ['campaign', 'keyword', 'creative', 'placement', 'budget'],
  support: ['conversation', 'macro', 'satisfaction_score', 'help_article', 'shift'],
  identity: ['user', 'role', 'access_grant', 'login', 'api_client'],
  courses: ['course', 'lesson', 'enrolment', 'grade', 'certificate'],
  lab: ['sample', 'assay', 'instrument', 'protocol', 'measurement'],
  fleet: ['vehicle', 'driver', 'route', 'inspection', 'fuel_card'],
  events: ['conference', 'speaker', 'session_slot', 'sponsor', 'badge'],
  legal: ['case', 'filing', 'deadline', 'hearing', 'evidence'],
  energy: ['meter', 'reading', 'tariff', 'outage', 'site'],
  news: ['article', 'source_feed', 'topic', 'author', 'headline'],
};

interface Verb {
  readonly verb: string;
  readonly reads: boolean;
  readonly description: (thing: string, server: string) => string;
  readonly properties: (thing: string) => Record<string, unknown>;
  readonly required: (thing: string) => string[];
}

const text = (description: string): object => ({ type: 'string', description });
const count = (description: string): object => ({ type: 'number', description });

const VERBS: readonly Verb[] = [
  {
    verb: 'list',
    reads: true,
    description: (thing, server) =>
      `Lists the ${thing} records of ${server}, newest first, in pages. Use the filters to keep the answer small.`,
    properties: () => ({
      status: { type: 'string', enum: ['open', 'closed', 'all'] },
      limit: count('Most records of one page'),
      cursor: text('From the page before'),
    }),
    required: () => [],
  },
  {
    verb: 'get',
    reads: true,
    description: (thing) => `Returns one ${thing} with all of its fields, its history and links to related records.`,
    properties: (thing) => ({ id: text(`Identifier of the ${thing}`), include_history: { type: 'boolean', default: false } }),
    required: () => ['id'],
  },
  {
    verb: 'search',
    reads: true,
    description: (thing) => `Searches ${thing} records by text in titles, bodies and tags. Results are ordered by relevance, best first.`,
    properties: (thing) => ({
      query: text(`Words to look for in each ${thing}`),
      created_after: text('ISO 8601 date'),
      limit: count('Most results'),
    }),
    required: () => ['query'],
  },
  {
    verb: 'create',
    reads: false,
    description: (thing) => `Creates a new ${thing} and returns it with its identifier. Fails when a record with the same title exists.`,
    properties: (thing) => ({
      title: text(`Title of the ${thing}`),
      body: text('Markdown text'),
      tags: { type: 'array', items: { type: 'string' } },
    }),
    required: () => ['title'],
  },
  {
    verb: 'update',
    reads: false,
    description: (thing) =>
      `Changes fields of an existing ${thing}. Fields that are left out keep their values; the change is recorded in the history.`,
    properties: (thing) => ({
      id: text(`Identifier of the ${thing}`),
      title: text('New title'),
      status: { type: 'string', enum: ['open', 'closed'] },
    }),
    required: () => ['id'],
  },
  {
    verb: 'delete',
    reads: false,
    description: (thing) => `Deletes a ${thing} for good. This cannot be undone; consider closing the record instead.`,
    properties: (thing) => ({ id: text(`Identifier of the ${thing}`), reason: text('Why it is deleted, for the audit log') }),
    required: () => ['id'],
  },
  {
    verb: 'assign',
    reads: false,
    description: (thing) => `Makes a person responsible for a ${thing} and tells them about it, unless notifications are turned off.`,
    properties: (thing) => ({
      id: text(`Identifier of the ${thing}`),
      person: text('E-mail address or user name'),
      notify: { type: 'boolean', default: true },
    }),
    required: () => ['id', 'person'],
  },
  {
    verb: 'summarize',
    reads: true,
    description: (thing) => `Counts ${thing} records by a field over a range of time, such as how many were closed in each week.`,
    properties: () => ({
      group_by: { type: 'string', enum: ['status', 'person', 'week'] },
      from: text('ISO 8601 date'),
      to: text('ISO 8601 date'),
    }),
    required: () => ['group_by', 'from'],
  },
];

/** As many tools as asked for, at most 1,000, spread over servers of at most 40. The same number gives the same tools. */
export function generatedServers(tools: number): GeneratedServer[] {
  const servers: GeneratedServer[] = [];
  let left = tools;
  for (const [name, things] of Object.entries(SUBJECTS)) {
    if (left <= 0) break;
    const all = things.flatMap((thing) => VERBS.map((verb) => toolOf(verb, thing, name)));
    servers.push({ name, tools: all.slice(0, left) });
    left -= all.length;
  }
  return servers;
}

function toolOf({ verb, reads, description, properties, required }: Verb, thing: string, server: string): ListedTool {
  const words = thing.replaceAll('_', ' ');
  return {
    name: `${verb}_${thing}${verb === 'list' || verb === 'search' ? 's' : ''}`,
    description: description(words, server),
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: properties(words),
      required: required(words),
    },
    annotations: { readOnlyHint: reads },
  };
}

import { describe, expect, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';
import { errorOf, FILE, parse } from './parse.ts';

const environment = { NAME: 'value', EMPTY: '', NESTED: '${env:NAME} $${', DOLLAR: '$&', UNSET: undefined };

describe('variables in strings', () => {
  test.each([
    ['${env:NAME}', 'value'],
    ['a ${env:NAME} b ${env:NAME}', 'a value b value'],
    ['${env:EMPTY}', ''],
    ['${env:NAME:-other}', 'value'],
    ['${env:MISSING:-other}', 'other'],
    ['${env:MISSING:-}', ''],
    ['${env:MISSING:-a:-b\nc}', 'a:-b\nc'],
    ['${env:EMPTY:-other}', 'other'],
    ['${env:UNSET:-other}', 'other'],
    ['$${env:NAME}', '${env:NAME}'],
    ['$$${env:NAME}', '$${env:NAME}'],
    ['${env:NESTED}', '${env:NAME} $${'],
    ['${env:DOLLAR}', '$&'],
    ['$ $$ $x {env:NAME}', '$ $$ $x {env:NAME}'],
  ])('%j gives %j', (written, given) => {
    expect(interpolate({ key: [written] }, environment)).toEqual({ value: { key: [given] }, findings: [] });
  });

  test('are replaced in values at any depth and never in keys', () => {
    const config = parse(
      { mcpServers: { a: { command: '${env:NAME}', args: ['${env:NAME}'], env: { '${env:NAME}': '${env:NAME}' } } } },
      environment,
    );
    expect(config.mcpServers['a']).toMatchObject({ command: 'value', args: ['value'], env: { '${env:NAME}': 'value' } });
  });

  test.each(['${NAME}', '${env:}', '${env:NAME', '${env:A B}', '${env:NAME-x}', '${input:token}', '${}', '${'])(
    '%s is refused',
    (written) => {
      expect(interpolate(written, environment).findings).toMatchObject([{ kind: 'invalid', hint: expect.stringContaining('$${') }]);
    },
  );
});

describe('a variable that is not set', () => {
  test('is named with file, line, path and the nearest variable that is set', () => {
    const text = '{\n  "mcpServers": {\n    "github": { "command": "x",\n      "env": { "TOKEN": "${env:GITHUB_TOKEN}" } } } }';
    const error = errorOf(text, { GITHUB_TOKN: 'the-secret', PATH: '/bin' });
    expect(error.code).toBe('ERR_CONFIG_VARIABLE');
    expect(error.message).toBe(
      `${FILE}:4:25: mcpServers.github.env.TOKEN: the environment variable GITHUB_TOKEN is not set, did you mean GITHUB_TOKN?`,
    );
    expect(error.details.hint).toContain('${env:GITHUB_TOKEN:-default}');
    expect(JSON.stringify(error.details)).not.toContain('the-secret');
  });

  test('is not mixed up with what objects inherit', () => {
    expect(errorOf({ cacheDir: '${env:constructor}' }).code).toBe('ERR_CONFIG_VARIABLE');
  });

  test('hides the wrong values that come of it, and no others', () => {
    const error = errorOf({ mcpServers: { a: { url: '${env:URL}' } }, mounts: { m: '${env:DIR}/x' }, http: { path: '${env:P}' } });
    expect(error.code).toBe('ERR_CONFIG_VARIABLE');
    expect(error.details.diagnostics).toHaveLength(3);
    expect(errorOf({ mcpServers: { a: { url: '${env:URL}', ulr: 1 } } }).code).toBe('ERR_CONFIG_INVALID');
  });
});

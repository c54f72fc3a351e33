// What the conformance suite starts as a client: with a login where the scenario is about one.
const isAboutLogins = process.env['MCP_CONFORMANCE_SCENARIO']?.startsWith('auth/') === true;
await import(isAboutLogins ? './login-client.ts' : './upstream-client.ts');

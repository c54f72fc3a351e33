import type { AuditEvent } from '../audit/audit-event.ts';
import { openAudit } from '../audit/open-audit.ts';
import type { Config } from '../config/schema.ts';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { harmlessText } from '../result/harmless-text.ts';
import { cacheDirectory, type ProcessContext } from './command.ts';

/** Records what the operator did with a command. It is done by then: where that cannot be recorded stderr says so. */
export async function recordCommand(context: ProcessContext, config: Config, event: AuditEvent): Promise<void> {
  const warn = (reason: string): void => void context.stderr.write(`This is not in the audit: ${harmlessText(reason)}\n`);
  try {
    const directory = cacheDirectory(context, config);
    await makeFolder(directory, OWNER_ONLY);
    const log = { warn: (_fields: object, message: string) => warn(message) };
    const audit = openAudit({ config: config.audit, directory, redact: (text) => text, log });
    audit.record({ principal: 'local', ...event });
    audit.close();
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error));
  }
}

import type { CallToolResult } from '@modelcontextprotocol/server';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SILENCE = Buffer.from('RIFF\u0024\0\0\0WAVEfmt \u0010\0\0\0\u0001\0\u0001\0', 'latin1').toString('base64');

const text = (value: string): CallToolResult['content'][number] => ({ type: 'text', text: value });
const image: CallToolResult['content'][number] = { type: 'image', data: PIXEL, mimeType: 'image/png' };
const resource = (uri: string): CallToolResult['content'][number] => ({
  type: 'resource',
  resource: { uri, mimeType: 'application/json', text: '{"test":"data","value":123}' },
});

/** What the tools of the conformance suite answer, by name. */
export const ANSWERS: Record<string, CallToolResult> = {
  test_simple_text: { content: [text('This is a simple text response for testing.')] },
  test_image_content: { content: [image] },
  test_audio_content: { content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }] },
  test_embedded_resource: { content: [resource('test://embedded-resource')] },
  test_multiple_content_types: {
    content: [text('Multiple content types test:'), image, resource('test://mixed-content-resource')],
  },
  test_error_handling: { content: [text('This tool intentionally returns an error for testing')], isError: true },
  test_tool_with_progress: { content: [text('done')] },
  test_tool_with_logging: { content: [text('logged')] },
  // Tools that the operator wants to be asked about.
  test_input_required_result_elicitation: { content: [text('asked')] },
  test_input_required_result_request_state: { content: [text('state-ok')] },
  test_input_required_result_tampered_state: { content: [text('state-ok')] },
  test_input_required_result_multi_round: { content: [text('asked twice')] },
  confirm_delete: { content: [text('deleted')] },
  multi_input: { content: [text('taken')] },
  // Programs do what these do: waiting and failing are nothing that needs a tool.
  greet: { content: [text('Hello!')] },
  slow_compute: { content: [text('computed')] },
  failing_job: { content: [text('failed')], isError: true },
};

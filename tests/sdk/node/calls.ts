// Calls from standard input, outcomes to standard output; see calls.py beside this folder.

import { readFileSync } from 'fs';

export interface Call {
  endpoint: string; // host:port
  access_key_id: string;
  secret: string;
  security_token: string; // empty: a permanent key
  action: string;
  params: Record<string, unknown>;
}

export interface Outcome {
  raised: string | null;
  code: string;
  message: string;
  request_id: string | null;
  http: number | null;
  message_id?: string | null;
  retry_after?: number | null;
}

/** Make the calls one after the other; `make` returns the body, `caught` reads what the SDK throws. */
export async function run(
  make: (call: Call) => Promise<Record<string, any>>,
  caught: (error: any) => Outcome,
): Promise<void> {
  const calls: Call[] = JSON.parse(readFileSync(0, 'utf8'));
  const outcomes: Outcome[] = [];
  for (const call of calls) {
    try {
      outcomes.push(returned(await make(call)));
    } catch (error) {
      outcomes.push(caught(error));
    }
  }
  process.stdout.write(JSON.stringify(outcomes));
}

function returned(body: Record<string, any>): Outcome {
  return {
    raised: null, code: body.Code, message: body.Message, request_id: body.RequestId, http: null,
    message_id: body.MessageId,
  };
}

/** Encode objects, as generic calls need it. */
export function encoded(params: Record<string, unknown>): Record<string, string> {
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, text(value)]));
}

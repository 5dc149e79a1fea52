// @alicloud/pop-core 1.8: the oldest Node client; V1 signatures. The HTTP method is the program's argument.

import RPCClient = require('@alicloud/pop-core');

import { Call, encoded, run } from './calls';

async function make(call: Call): Promise<Record<string, any>> {
  const client = new RPCClient({
    accessKeyId: call.access_key_id, accessKeySecret: call.secret, endpoint: `http://${call.endpoint}`,
    apiVersion: '2020-06-06', securityToken: call.security_token || undefined,
  });
  return client.request<Record<string, any>>(call.action, encoded(call.params), { method: process.argv[2] });
}

// pop-core looks at Code alone: whatever is not OK is thrown, a validation code with HTTP 200 too.
void run(make, (error) => ({
  raised: error.name, code: error.code, message: error.data?.Message ?? error.message,
  request_id: error.data?.RequestId ?? null, http: error.entry?.response?.statusCode ?? null,
}));

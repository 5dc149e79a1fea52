// @alicloud/openapi-core 1: the generic call of the newest generation, with its own error classes.

import OpenApi, { $OpenApiUtil } from '@alicloud/openapi-core';
import * as $dara from '@darabonba/typescript';

import { Call, encoded, run } from './calls';

async function make(call: Call): Promise<Record<string, any>> {
  const client = new OpenApi(new $OpenApiUtil.Config({
    accessKeyId: call.access_key_id, accessKeySecret: call.secret, endpoint: call.endpoint, protocol: 'http',
    securityToken: call.security_token || undefined,
  }));
  const params = new $OpenApiUtil.Params({
    action: call.action, version: '2020-06-06', protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK',
    style: 'RPC', reqBodyType: 'formData', bodyType: 'json',
  });
  const request = new $OpenApiUtil.OpenApiRequest({ query: encoded(call.params) });
  return (await client.callApi(params, request, new $dara.RuntimeOptions({}))).body;
}

void run(make, (error) => ({
  raised: error.name, code: error.code, message: error.message, request_id: error.requestId ?? null,
  http: error.statusCode ?? null, retry_after: error.retryAfter ?? null,
}));

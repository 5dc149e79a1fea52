// @alicloud/cams20200606 over @alicloud/openapi-client 0.4: the typed client.

import Client, * as $Cams from '@alicloud/cams20200606';
import * as $OpenApi from '@alicloud/openapi-client';
import * as $Util from '@alicloud/tea-util';

import { Call, encoded, run } from './calls';

async function make(call: Call): Promise<Record<string, any>> {
  const client = new Client(new $OpenApi.Config({
    accessKeyId: call.access_key_id, accessKeySecret: call.secret, endpoint: call.endpoint, protocol: 'http',
    securityToken: call.security_token || undefined,
  }));
  if (call.action === 'SendChatappMessage') {
    const answer = await client.sendChatappMessage(new $Cams.SendChatappMessageRequest(lowerCamel(call.params)));
    const body = answer.body!;
    return { Code: body.code, Message: body.message, RequestId: body.requestId, MessageId: body.messageId };
  }
  const params = new $OpenApi.Params({
    action: call.action, version: '2020-06-06', protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK',
    style: 'RPC', reqBodyType: 'formData', bodyType: 'json',
  });
  const request = new $OpenApi.OpenApiRequest({ body: encoded(call.params) });
  return (await client.callApi(params, request, new $Util.RuntimeOptions({}))).body;
}

function lowerCamel(params: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name[0].toLowerCase() + name.slice(1), value]));
}

void run(make, (error) => ({
  raised: error.name, code: error.code, message: error.message, request_id: error.data?.RequestId ?? null,
  http: error.data?.statusCode ?? null,
}));

// An SMS centre of another codebase (npm smpp). Prints what it got as JSON lines; the first line has its port.
//
// Password "secret". A number that ends in 73 is throttled once, one in 72 is refused; every other is delivered, and a
// receipt follows where it was asked for. A receipt that is not acknowledged with 0 is sent again.
'use strict';

const smpp = require('smpp');

const tell = (event, fields) => process.stdout.write(JSON.stringify({ event, ...fields }) + '\n');
const throttled = new Set();
let lastId = 0x3ff;

function deliver(session, submit, id) {
  const receipt = {
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    source_addr: submit.destination_addr,
    destination_addr: submit.source_addr,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:DELIVRD err:000 text:Hi`,
  };
  session.deliver_sm(receipt, (answer) => {
    tell('receipt', { id, status: answer.command_status });
    if (answer.command_status !== 0) setTimeout(() => deliver(session, submit, id), 20);
  });
}

function submitted(session, pdu) {
  const { message, udh } = pdu.short_message;
  const fields = ['source_addr', 'source_addr_ton', 'source_addr_npi', 'destination_addr', 'dest_addr_ton',
    'dest_addr_npi', 'esm_class', 'data_coding', 'registered_delivery'];
  const got = Object.fromEntries(fields.map((field) => [field, pdu[field]]));
  tell('submit', { ...got, text: message, header: udh ? udh[0].toString('hex') : '' });
  const number = pdu.destination_addr;
  if (number.endsWith('72')) return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
  if (number.endsWith('73') && !throttled.has(number)) {
    throttled.add(number);
    return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  }
  const id = ++lastId;
  session.send(pdu.response({ message_id: id.toString(16).toUpperCase() }));
  if (pdu.registered_delivery) deliver(session, pdu, id); // the receipt has it in decimal
}

const server = smpp.createServer((session) => {
  session.on('error', (error) => tell('error', { message: error.message }));
  session.on('bind_transceiver', (pdu) => {
    const welcome = pdu.password === 'secret';
    tell('bind', { system_id: pdu.system_id, system_type: pdu.system_type, version: pdu.interface_version, welcome });
    session.send(pdu.response(welcome ? {} : { command_status: smpp.ESME_RINVPASWD }));
    if (welcome) session.enquire_link((answer) => tell('alive', { status: answer.command_status }));
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    tell('unbind', {});
    session.send(pdu.response());
    session.close();
  });
});

process.stdin.resume().on('end', () => process.exit()); // it lives as long as the one who started it
server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }));

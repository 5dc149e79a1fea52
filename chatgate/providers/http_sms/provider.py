"""The provider: a message as the request that the templates say, a reply as the outcome that the mappings say."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from chatgate.clock import SECOND, Clock, Instant, SystemClock
from chatgate.domain.message import Message, Outcome, SendResult
from chatgate.domain.receipt import News, Receipt, ReceiptStatus
from chatgate.outbound import Outbound
from chatgate.providers.base import HttpProvider, ProviderSettings, UnreadableReceipt, by_status
from chatgate.providers.http_sms import reading, template
from chatgate.providers.http_sms.options import Options
from chatgate.wire import HttpRequest, HttpResponse

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TEXT = "text/plain;charset=utf-8"

ANY = "*"
"""Key of ``outcomes`` for every code that is not listed."""
ABSENT = ""
"""Key of ``outcomes`` for a reply without a code."""


class HttpSms(HttpProvider):
    """Speaks to one HTTP gateway."""

    def __init__(
        self, name: str, settings: ProviderSettings, options: Options, outbound: Outbound, clock: Clock | None = None
    ) -> None:
        super().__init__(name, settings, outbound)
        self._options = options
        self._clock = clock or SystemClock()
        self._statuses = {word.upper(): ReceiptStatus(status) for word, status in options.receipt_statuses.items()}

    def encode(self, message: Message, now: Instant) -> HttpRequest:
        options, draft = self._options, message.draft
        values = {
            "to": draft.recipient,
            "from": draft.sender,
            "text": draft.content.text or "",
            "message_id": str(message.id),
            "ttl": str(max((message.expires_at - now) // SECOND, 1)),
            "secret": options.secret,
        }
        headers = {
            name.lower(): template.fill(value, values, template.in_header) for name, value in options.headers.items()
        }
        body = self._body(headers, values)
        url = template.fill(self.settings.url, values, template.in_url)
        return HttpRequest(method=options.method, path=url, headers=headers, body=body)

    def decode(self, message: Message, response: HttpResponse) -> SendResult:
        accepted = response.status in self._options.accepted_status
        code = None
        if self._options.code is not None:
            code = reading.in_reply(response.body, self._options.code)
            outcome = self._outcome(code, accepted)
            if outcome is not None and outcome is not Outcome.SENT:
                named = f"code {code}" if code else "no code"
                return SendResult(outcome=outcome, code=code or "NoCode", reason=f"The gateway answered {named}.")
        if accepted:
            return self._sent(response, code or "Accepted")
        return by_status(response) or SendResult(
            outcome=Outcome.UNKNOWN, code="Http200", reason="The gateway answered HTTP 200, which is not configured."
        )

    def read_receipts(self, request: HttpRequest) -> list[News]:
        options = self._options
        if not options.receipt_token:
            raise UnreadableReceipt("no receipts are configured for this provider")
        receipts: list[News] = []
        readable = False
        for said in reading.receipts_of(request, options.receipt_list):
            token, word = reading.at(said, options.receipt_token), reading.at(said, options.receipt_status)
            if token is None or word is None:
                continue
            readable = True
            if (status := self._statuses.get(word.upper())) is not None:
                receipts.append(self._receipt(token, word, status))
        if not readable:
            raise UnreadableReceipt(f"it lacks {options.receipt_token} or {options.receipt_status}")
        return receipts

    def _body(self, headers: dict[str, str], values: template.Values) -> bytes:
        """Return the body; adds its content type to the headers where they do not name one."""
        options = self._options
        if options.form is not None:
            headers.setdefault("content-type", FORM)
            filled = {name: template.fill(value, values, template.as_is) for name, value in options.form.items()}
            return urlencode(filled).encode()
        if options.json is not None:
            headers.setdefault("content-type", JSON)
            return json.dumps(template.fill_json(options.json, values)).encode()
        if options.body is not None:
            escape = template.escape_for(headers.setdefault("content-type", TEXT))
            return template.fill(options.body, values, escape).encode()
        return b""

    def _outcome(self, code: str | None, accepted: bool) -> Outcome | None:
        """Return what the code says; None when the status has to."""
        outcomes = self._options.outcomes
        if code is not None and code in outcomes:
            return outcomes[code]
        if not accepted:
            return None
        return outcomes.get(ABSENT, Outcome.UNKNOWN) if code is None else outcomes.get(ANY, Outcome.REFUSED)

    def _sent(self, response: HttpResponse, code: str) -> SendResult:
        if self._options.token is None:
            return SendResult(outcome=Outcome.SENT, code=code)
        token = reading.in_reply(response.body, self._options.token)
        if token is None:
            reason = "Accepted without an id: receipts cannot be joined."
            return SendResult(outcome=Outcome.UNKNOWN, code="NoToken", reason=reason)
        return SendResult(outcome=Outcome.SENT, code=code, token=token)

    def _receipt(self, token: str, word: str, status: ReceiptStatus) -> Receipt:
        failed = status is not ReceiptStatus.DELIVERED
        return Receipt(
            provider=self.name,
            token=token,
            status=status,
            at=self._clock.now(),
            code=word if failed else "",
            reason=f"The gateway reports {word}." if failed else "",
        )

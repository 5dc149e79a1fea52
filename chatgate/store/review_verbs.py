"""The verbs of templates, senders and their reviews: a part of ``Store``."""

from __future__ import annotations

from collections.abc import Sequence

from chatgate.clock import Instant
from chatgate.domain.account import Standing
from chatgate.domain.review import TemplateRecord
from chatgate.domain.sender_request import SenderRequest
from chatgate.store import reviews, senders, template_counts, templates
from chatgate.store.doors import Doors


class ReviewVerbs(Doors):
    """What ``Store`` can do with templates and senders."""

    # --- templates ---------------------------------------------------------------------------------------------------

    async def create_template(self, creation: templates.Creation) -> str | None:
        """Make a template and answer its code; None: the nonce was used. Raises as ``templates.create``."""
        return await self._committer.run(templates.create, creation)

    async def change_template(self, change: templates.Change) -> TemplateRecord | None:
        """Give a template new contents; None: the nonce was used. Raises as ``templates.change``."""
        return await self._committer.run(templates.change, change)

    async def remove_template(self, deletion: templates.Deletion) -> bool:
        """Delete a template; False: the nonce was used. Raises NotFound."""
        return await self._committer.run(templates.remove, deletion)

    async def judge_template(self, judgement: templates.Judgement) -> TemplateRecord:
        """Decide on a template. Raises NotFound, NotPossible."""
        return await self._committer.run(templates.judge, judgement)

    async def release_name(self, release: templates.Release) -> None:
        """Let a prohibited name of templates be used again. Raises NotFound."""
        await self._committer.run(templates.release, release)

    async def approve_due(self, sweep: templates.ReviewSweep) -> int:
        """Approve what a delayed review held; answer how many."""
        return await self._committer.run(templates.approve_due, sweep)

    async def find_template(self, which: templates.Naming) -> TemplateRecord | None:
        return await self._read(templates.find, which)

    async def list_templates(self, wanted: templates.Wanted) -> tuple[list[TemplateRecord], int]:
        return await self._read(templates.list_templates, wanted)

    async def count_templates(
        self, account_id: int, template_code: str, since: Instant, until: Instant, step: int
    ) -> dict[tuple[Instant, str], template_counts.Span]:
        """Return how far messages of a template came; raises template_counts.TooMany."""
        return await self._read_by(
            self._archivist, template_counts.count, account_id, template_code, since, until, step
        )

    async def reviews(self, account_id: int, kind: reviews.Kind, name: str) -> Sequence[reviews.Review]:
        return await self._read(reviews.read, account_id, kind, name)

    # --- senders -----------------------------------------------------------------------------------------------------

    async def apply_for_sender(self, application: senders.Application) -> None:
        """Add a sender that waits for review. Raises senders.SenderExists."""
        await self._committer.run(senders.apply, application)

    async def judge_sender(self, judgement: senders.SenderJudgement) -> Standing:
        """Decide on a sender; answer its standing. Raises NotFound, NotPossible."""
        return await self._committer.run(senders.judge, judgement)

    async def file_request(self, filing: senders.Filing) -> bool:
        """Store what an account applies for; False: the nonce was used. Raises senders.TooManyRequests."""
        return await self._committer.run(senders.file, filing)

    async def revise_request(self, revision: senders.Revision) -> bool:
        """Change an open request; False: the nonce was used. Raises NotFound, NotPossible."""
        return await self._committer.run(senders.revise, revision)

    async def answer_request(self, answer: senders.Answer) -> SenderRequest:
        """Grant or refuse a request. Raises NotFound, NotPossible."""
        return await self._committer.run(senders.answer, answer)

    async def find_request(self, account_id: int, request_no: str) -> SenderRequest | None:
        return await self._read(senders.find_request, account_id, request_no)

    async def list_requests(self, account_id: int, limit: int) -> list[SenderRequest]:
        return await self._read(senders.requests, account_id, limit)

    async def sender_pauses(self, account_id: int) -> int:
        return await self._read(senders.pauses, account_id)

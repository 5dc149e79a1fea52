"""What customers are told of a message, its SMS and a reply (promise P14)."""

from __future__ import annotations

from chatgate.domain.message import Failure, MessageKind
from chatgate.store.groups import GroupAcceptance, Member
from chatgate.telemetry import Metrics
from tests.store.customer import URL, Customer
from tests.store.journey import ACCOUNT, LANE, ORDER, PHONE, Journey, draft, receipt
from tests.workers.conftest import Damage, Start
from tests.workers.endpoints import World, recorded
from tests.workers.stand import eventually


async def test_a_message_from_sent_to_read(
    start: Start, journey: Journey, customer: Customer, world: World, metrics: Metrics
) -> None:
    start()
    key = await journey.sent("t", task_id="task-1")
    await journey.receive(receipt("t", "delivered", at=5), receipt("t", "read", at=6))
    await world.hears(3)
    public = journey.store.message_ids.public(key)
    one = {
        "MessageId": public, "From": "27549", "To": PHONE, "MsgFrameType": "message", "Type": "none",
        "TaskId": "task-1",
    }  # fmt: skip
    assert [report for post in world.posts for report in post.reports] == [
        one | {"Status": status, "StatusDescription": status, "Timestamp": at}
        for status, at in [("Sent", journey.clock.now()), ("Delivered", 5), ("Read", 6)]
    ]
    assert {post.url for post in world.posts} == {URL}
    await recorded(customer, "heard", 3)
    assert metrics.registry.get_sample_value("chatgate_callbacks_total", {"result": "heard"}) == 3


async def test_many_reports_are_one_array(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    keys = [await journey.sent(str(n), recipient=f"63917{n:07}") for n in range(5)]
    start()
    await world.hears(5)
    (post,) = world.posts
    public = journey.store.message_ids.public
    assert [report["MessageId"] for report in post.reports] == [public(key) for key in keys]


async def test_a_template_with_its_name(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    start()
    await journey.sent("1", kind=MessageKind.TEMPLATE, template_code="t1", language="en")
    await world.hears(1)
    await journey.sent("2", kind=MessageKind.TEMPLATE, template_code="of another account", language="en")
    await world.hears(2)
    found = [report for post in world.posts for report in post.reports]
    assert [(one["MsgFrameType"], one["Type"], one["TemplateCode"], one.get("TemplateName")) for one in found] == [
        ("template", "TEMPLATE", "t1", "order"), ("template", "TEMPLATE", "of another account", None),
    ]  # fmt: skip


async def test_failed(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    start()
    await journey.record(await journey.sending(), "refused", code="SRVC_NOT_VIBER_USER", reason="No Viber.")
    await world.hears(1)
    (told,) = world.posts[0].reports
    assert (told["Status"], told["ErrorCode"], told["ErrorDescription"]) == (
        "Failed", "SRVC_NOT_VIBER_USER", "SRVC_NOT_VIBER_USER:No Viber.",
    )  # fmt: skip


async def test_the_sms_under_its_parents_id(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    start()
    paused = Failure(code="SenderPaused", reason="")
    key = await journey.accept(failure=paused, fallback=ORDER, kind=MessageKind.TEMPLATE, template_code="t1")
    (sms,) = (await journey.claim(lane="sms")).to_send
    await journey.record(sms, "sent", token="s")
    await world.hears(2)
    public = journey.store.message_ids.public(key)
    reports = [report for post in world.posts for report in post.reports]
    assert [(one["MessageId"], one["TaskId"], one["Type"], one["MsgFrameType"], one["Status"]) for one in reports] == [
        (public, public, "TEMPLATE", "template", "Failed"), (public, public, "SMS", "message", "Sent"),
    ]  # fmt: skip


async def test_the_sms_is_not_told_where_nobody_wants_it(
    start: Start, journey: Journey, customer: Customer, world: World
) -> None:
    start(report_sms=False)
    await journey.accept(failure=Failure(code="SenderPaused", reason=""), fallback=ORDER)
    await world.hears(1)
    (sms,) = (await journey.claim(lane="sms")).to_send
    await journey.record(sms, "sent", token="s")

    async def settled() -> bool:
        return [row.state for row in (await journey.story(sms.id)).callbacks] == ["heard"]

    await eventually(settled)
    assert len(world.told) == 1


async def test_a_reply_as_it_is(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    start()
    await journey.receive(receipt("", "subscribed", service_id="service-1", recipient=PHONE))
    await world.hears(1)
    assert world.told == [("", "subscribe")]


async def test_an_unreadable_draft(
    start: Start, journey: Journey, customer: Customer, world: World, damage: Damage
) -> None:
    """Its caller hears what became of it all the same, and so do others."""
    bad, good = await journey.sent("bad"), await journey.sent("good")
    damage("UPDATE messages SET draft = '{' WHERE id = ?", bad)
    start()
    await world.hears(2)
    public = journey.store.message_ids.public
    assert world.told == [(public(bad), "Sent"), (public(good), "Sent")]


async def test_a_mass_sending_and_its_sms_tell_their_group(
    start: Start, journey: Journey, customer: Customer, world: World
) -> None:
    start()
    next_key = journey.store.keys.next
    members = [Member(key=next_key(), draft=draft(fallback=ORDER), lane=LANE)]
    group = GroupAcceptance(
        key=next_key(), account_id=ACCOUNT, members=members, nonce=b"n" * 16, retry=None, request_id="R",
        now=journey.clock.now(), keys=next_key,
    )  # fmt: skip
    accepted = await journey.store.accept_group(group)
    await journey.record(await journey.claim_one(), "refused", code="SRVC_NOT_VIBER_USER", reason="No Viber.")
    (sms,) = (await journey.claim(lane="sms")).to_send
    await journey.record(sms, "sent", token="sms-1")
    await world.hears(2)
    found = [report for post in world.posts for report in post.reports]
    public = journey.store.message_ids.public
    assert [(one["Type"], one["MessageId"], one["GroupId"]) for one in found] == [
        ("none", public(members[0].key), public(accepted.key)), ("SMS", public(members[0].key), public(accepted.key)),
    ]  # fmt: skip

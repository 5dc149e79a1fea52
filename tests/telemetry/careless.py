"""A program whose every log call is careless: run by ``test_logs`` as a process, because loggers are the process's own.

Arguments: the format (``text`` or ``json``), then the secrets that it tries to tell.
"""

from __future__ import annotations

import asyncio
import logging
import sys

import structlog

from chatgate import telemetry


def main(style: str, secrets: list[str]) -> None:
    telemetry.configure_logs(level="info", as_json=style == "json")
    log = structlog.get_logger("careless")
    told = " ".join(secrets)
    log.info("call.answered", request_id="R-1", text=told, to=told, authorization=told, message={"text": told})
    log.bind(secret=told).warning("bound.field", provider="viber")
    for error in (one_line(told), many_lines(told), with_cause(told), grouped(told), told_as_a_place(told)):
        try:
            raise error
        except BaseException:
            log.exception("lane.failed", provider="viber", message_id=17)
    log.error("handed.in", exc_info=ValueError(told))
    log.info("stack", stack_info=True)
    library = logging.getLogger("sqlalchemy.engine")
    library.warning("INSERT INTO messages VALUES (%s)", told)
    library.error("failed", exc_info=one_line(told))
    library.info("not even this")
    asyncio.run(forgotten_task(told))
    log.info("last.line")


def one_line(told: str) -> Exception:
    return ValueError(f"cannot read {told}")


def many_lines(told: str) -> Exception:
    return ValueError(f"cannot read:\n{told}\n\nAnd {told}: {told}")


def told_as_a_place(told: str) -> Exception:
    return ValueError(f'x\n  File "{told}", line 1, in {told}')


def grouped(told: str) -> Exception:
    return ExceptionGroup(told, [one_line(told), many_lines(told)])


def with_cause(told: str) -> Exception:
    try:
        try:
            raise KeyError(told)
        except KeyError as error:
            raise OSError(2, told, told) from error
    except OSError as error:
        outer = RuntimeError("outer")
        outer.__context__ = error
        return outer


async def forgotten_task(told: str) -> None:
    """Its exception is told by asyncio when it is collected."""

    async def fail() -> None:
        raise one_line(told)

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

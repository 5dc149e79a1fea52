"""Every official SDK that is tested, by name: language, generation, signature and method."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.sandbox import PATIENCE, PROGRAMS
from tests.sdk import classic, python5
from tests.sdk.calls import Asked, Call, Outcome, outcomes_from

HERE = Path(__file__).parent
NODE = HERE / "node"
OLD_PYTHON = Path(sys.prefix) / "sdk-old-python"
"""Where ``make test`` installs ``old_python_*.lock``, each in a folder of its own."""

MAKE_IT = "is not there; `make test` installs it"


Run = Callable[[Asked, Callable[[], Path]], list[Outcome]]
"""Makes calls. The function that it is given returns the folder of the compiled Node programs, once there is one."""


@dataclass(frozen=True, slots=True)
class Client:
    """One SDK, and in what it differs from the others."""

    run: Run
    """Makes the calls."""
    refuses: str
    """Class of what it raises for a refusal."""
    throttled: str
    """Class of what it raises when there were too many calls."""
    wrong_secret: str = "SignatureDoesNotMatch"
    """Code that its user sees when the secret is wrong."""
    raises_validation_codes: bool = False
    """Whether a validation code is an exception although it comes with HTTP 200."""


def _here(run: Callable[[Sequence[Call]], list[Outcome]]) -> Run:
    return lambda asked, _compiled: run(list(asked.calls.values()))


def _old_python(generation: str) -> Run:
    def run(asked: Asked, _compiled: Callable[[], Path]) -> list[Outcome]:
        packages = OLD_PYTHON / generation
        assert packages.is_dir(), f"{packages} {MAKE_IT}"
        # -S: nothing but these packages, above all not those of generation 5.
        return _program([sys.executable, "-S", HERE / "old_python.py"], asked, {"PYTHONPATH": str(packages)})

    return run


def _node(program: str, *arguments: str) -> Run:
    def run(asked: Asked, compiled: Callable[[], Path]) -> list[Outcome]:
        modules = {"NODE_PATH": str(NODE / "node_modules")}
        return _program([PROGRAMS / "node", compiled() / f"{program}.js", *arguments], asked, modules)

    return run


def compile_node_programs(into: Path) -> Path:
    """Type-check the programs against the SDKs' own types, compile them into a folder, and return it."""
    compiler = NODE / "node_modules" / "typescript" / "bin" / "tsc"
    assert compiler.exists(), f"{compiler} {MAKE_IT}"
    command: list[str | Path] = [PROGRAMS / "node", compiler, "--project", NODE, "--outDir", into]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return into


def _program(command: Sequence[str | Path], asked: Asked, environment: dict[str, str]) -> list[Outcome]:
    done = subprocess.run(
        command, input=asked.as_json(), env=os.environ | environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return outcomes_from(done.stdout)


def _python5(**config: str | bool) -> Client:
    run = partial(python5.run, **config)  # type: ignore[arg-type]
    return Client(_here(run), refuses="ClientException", throttled="ThrottlingException")


def _classic(method: str) -> Client:
    run = partial(classic.run, method=method)
    return Client(
        _here(run), refuses="ServerException", throttled="ServerException", wrong_secret="InvalidAccessKeySecret"
    )


def _pop(method: str) -> Client:
    run = _node("pop", method)
    # It names an error after its code.
    return Client(run, refuses="{code}Error", throttled="{code}Error", raises_validation_codes=True)


CLIENTS: dict[str, Client] = {
    "python 5, ACS3-HMAC-SHA256": _python5(),
    "python 5, ACS3-HMAC-SM3": _python5(signature_algorithm="ACS3-HMAC-SM3"),
    "python 5, V1": _python5(signature_algorithm="v2"),
    "python 5, ACS3-HMAC-SHA256, GET": _python5(method="GET"),
    "python 5, ACS3-HMAC-SM3, GET": _python5(method="GET", signature_algorithm="ACS3-HMAC-SM3"),
    "python 5, V1, GET": _python5(method="GET", signature_algorithm="v2"),
    "python 5, async": _python5(use_async=True),
    "python 5, V1, async": _python5(use_async=True, signature_algorithm="v2"),
    "python 5, http:// in the endpoint": _python5(scheme="http://"),
    "python 5, V1, http:// in the endpoint": _python5(scheme="http://", signature_algorithm="v2"),
    "python classic, POST": _classic("POST"),
    "python classic, GET": _classic("GET"),
    "python 1, tea-openapi 0.3.6": Client(_old_python("generation-1"), "TeaException", "TeaException"),
    "python 3, tea-openapi 0.3.16": Client(_old_python("generation-3"), "TeaException", "TeaException"),
    "node cams 1": Client(_node("cams"), "Error", "Error"),
    # Its ThrottlingError is for codes with "Throttling" in them; the code of this operation is another one.
    "node openapi-core 1": Client(_node("openapi_core"), "ClientError", "ClientError"),
    "node pop-core, POST": _pop("POST"),
    "node pop-core, GET": _pop("GET"),
}
